"""Process sandboxes: Linux namespaces, cgroups, Landlock and seccomp around an ordinary process.

The agent's side:
* backend             asks the launcher for sandboxes and holds them by their descriptors
* protocol            what the two say to each other; every request is checked

The launcher's side, which is root, has one thread and knows no secret:
* launcher            one host's life: lock, agent, verbs, end
* agent_keeper        keeps an agent running
* agent_process       one, as its child: started confined, listened to, watched
* sandboxes           the verbs create, reset and destroy
* sandbox             one of them, as the launcher knows it
* lives               what runs in them: started, heard, followed to its end
* copies_ahead        copies made before anybody asks for them
* code_folder         believes the agent's code directory as a descriptor, never as a path
* nursery             environments made ahead, each with a waiting child
* demand              how many of these, from how many were taken lately
* environments        what a sandbox has besides its processes
* trees               the process trees in them
* templates           a started runtime each, to be forked
* copies              those of function templates: forked by the tenant's runtime, then looked at
* rest                freezes what only waits to be copied, or to be asked for
* midwife             bears the world of a copy, beside each function template
* verification        the kernel's word on a copy
* assignment, giving  what a waiting child is given, and giving it
* child               THE RECIPE: what a sandbox's first process does, in the only safe order
* pid1                it stays as that, reaps and reports
* forks               what a fork puts away first
* loop                descriptors, timers and spare moments
* egress              how sandboxes reach the world, where they do
* router              the namespace between sandboxes and the world
* egress_rules        what may pass it, as nftables' rules
* named_networks      the operator's networks, from the command line
* forwarding          what it changes of the host, and undoing that
* resolver            the only resolver of sandboxes, a program of its own
* resolver_process    it as the launcher's child: confined, started again
* instance            names, lock and uid ranges of one host among several

In a template and its forks, on the runtime's own interpreter:
* template            the program: loads much, serves births, becomes the runtime
* births              a birth at a time, asked for by the launcher
* parked              the recipe of a fork: every wall first, the function afterwards
* dry_run             the same without effect, ahead of time

One kernel facility a module:
* syscalls            what Python lacks; the only ctypes
* rtnetlink           interfaces, addresses, routes
* namespaces, clock, mounts, network, capabilities, rlimits, landlock
* cgroups, cgroup_layout      limits and life on v1, v2 and hybrid hosts
* seccomp, seccomp_tables, syscall_numbers    the filter, assembled here
* ephemeral           /tmp on capped images
* memory_watch               memory that runs out, and the end of its tree
* volume_maker, disposer      the processes that make them ahead, and end them

What runs inside:
* discovery           the interpreters of this host
* image, bundle, elf  the root they get, /var/runtime, and the libraries that programs need
* images              which are ready, and building the others in the background
* programs            runs ldconfig, mkfs and the like

For people and for our own daemons:
* confine             takes privilege from agent and control plane
* doctor, walls       what this host can and cannot isolate, with the remedy
"""
