"""Per-process limits of a sandbox (setrlimit(2)).

Not here: memory and processes, which cgroups count for the whole tree, and address space, which
runtimes with a JIT reserve in amounts that mean nothing.
"""

from __future__ import annotations

import resource

_KIB = 1024
_STACK_SOFT = 8 * _KIB * _KIB

_HARD = {
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_NOFILE: 1024,
    resource.RLIMIT_MEMLOCK: 64 * _KIB,
    resource.RLIMIT_MSGQUEUE: 0,
    resource.RLIMIT_SIGPENDING: 256,
    resource.RLIMIT_RTPRIO: 0,
    resource.RLIMIT_NICE: 0,
}


def apply() -> None:
    """Set them, soft and hard alike; lowering needs no privilege."""
    for number, value in _HARD.items():
        _, hard = resource.getrlimit(number)
        wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(number, (wanted, wanted))
    _, hard = resource.getrlimit(resource.RLIMIT_STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (_STACK_SOFT, hard))
