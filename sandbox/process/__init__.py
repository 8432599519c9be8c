"""Process sandboxes: Linux namespaces, cgroups, Landlock and seccomp around an ordinary process.

agent side      backend --- SEQPACKET socket, descriptors --- launcher side
launcher side   launcher -> workshop (embryos, slots) -> child (the recipe)
facilities      syscalls namespaces mounts cgroups seccomp landlock capabilities rlimits
                network ephemeral; one kernel facility a module
what runs       discovery (runtimes of this host), image (the root a sandbox sees)
our daemons     confine (takes privilege from agent and control plane), doctor
"""
