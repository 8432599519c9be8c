"""Landlock: the file rules of a sandbox, which hold even where mount and seccomp would fail.

Negotiated by ABI: rights that the kernel does not know are left out. TCP is not restricted here,
the network namespace is that wall, and functions must be able to listen.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from sandbox.process import syscalls

_EXECUTE = 1 << 0
_WRITE_FILE = 1 << 1
_READ_FILE = 1 << 2
_READ_DIR = 1 << 3
_MAKE_CHAR = 1 << 6
_MAKE_BLOCK = 1 << 11
_IOCTL_DEV = 1 << 15

# Files rights of each ABI (linux/landlock.h): 13 at first, then REFER, TRUNCATE, IOCTL_DEV.
_RIGHTS_OF_ABI = {1: 13, 2: 14, 3: 15, 4: 15}
_RIGHTS_LATEST = 16
_SCOPE_ABI = 6
_SCOPE_ABSTRACT_UNIX_SOCKET_AND_SIGNAL = 3

_RULES = (
    ("/", _READ_FILE | _READ_DIR | _EXECUTE),
    ("/proc", _READ_FILE | _READ_DIR | _WRITE_FILE),
    ("/dev", _READ_FILE | _READ_DIR | _WRITE_FILE | _IOCTL_DEV),
    ("/tmp", ~(_MAKE_CHAR | _MAKE_BLOCK)),
)


def prepare(abi: int) -> int:
    """Open the ruleset while the paths can still be opened; -1 where there is no Landlock."""
    if abi == 0:
        return -1
    handled, scoped = _domain(abi)
    ruleset = syscalls.landlock_create_ruleset(handled, 0, scoped, abi)
    for path, access in _RULES:
        path_fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        syscalls.landlock_allow_beneath(ruleset, path_fd, access & handled)
        os.close(path_fd)
    return ruleset


def describe(abi: int) -> Mapping[str, object] | None:
    """The same for somebody who cannot import this: what the calls get; None without Landlock."""
    if abi == 0:
        return None
    handled, scoped = _domain(abi)
    rules = [[path, access & handled] for path, access in _RULES]
    return {"abi": abi, "handled": handled, "scoped": scoped, "rules": rules}


def _domain(abi: int) -> tuple[int, int]:
    """The rights on files that are handled, and what is scoped."""
    handled = (1 << _RIGHTS_OF_ABI.get(abi, _RIGHTS_LATEST)) - 1
    return handled, _SCOPE_ABSTRACT_UNIX_SOCKET_AND_SIGNAL if abi >= _SCOPE_ABI else 0


def enforce(ruleset: int) -> None:
    """Enter the domain; from here on even mount(2) is dead."""
    if ruleset >= 0:
        syscalls.landlock_restrict_self(ruleset)
        os.close(ruleset)
