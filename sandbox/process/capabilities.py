"""Privilege, given up for good."""

from __future__ import annotations

import errno
import signal

from sandbox.process import syscalls

_CAPABILITIES_MAX = 64
"""More than any kernel has; the first unknown number ends the loop."""


def no_new_privileges() -> None:
    """Make exec unable to give privilege: setuid files and file capabilities mean nothing."""
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)


def drop_bounding_set() -> None:
    """No capability can ever come back. Needs CAP_SETPCAP, so it comes before drop_all."""
    syscalls.prctl(syscalls.PR_CAP_AMBIENT, syscalls.PR_CAP_AMBIENT_CLEAR_ALL)
    for number in range(_CAPABILITIES_MAX):
        try:
            syscalls.prctl(syscalls.PR_CAPBSET_DROP, number)
        except OSError as error:
            if error.errno == errno.EINVAL:
                return
            raise


def drop_all() -> None:
    """Empty the effective, permitted and inheritable sets."""
    syscalls.clear_capabilities()


def die_with_parent(number: int = signal.SIGKILL) -> None:
    """Ask for this signal when the parent dies.

    Every change of uid or capabilities takes it back, so it is asked for again after the last.
    """
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, number)
