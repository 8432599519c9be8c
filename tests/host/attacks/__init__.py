"""What hostile code tries from inside a sandbox, and the only outcomes that are acceptable.

The host imports these modules to know what to expect; a sandbox imports the same to try it.
Standard library only, as a sandbox has nothing else.

* kit          declares probes, and runs each in a process of its own
* files        other people's files, devices, masks, programs with privilege
* doors        the kernel's system calls
* sockets      families, addresses, other listeners
* processes    other processes, signals, credentials
* limits       more than one's share
* leaks        what the inside tells about the outside
"""
