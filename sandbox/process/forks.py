"""What a fork puts away first, because it is its parent's: descriptors and signals.

Imported in templates too, by whatever Python a runtime brings.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket

from sandbox.process import syscalls

SOCKET_FD = 3
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""What the launcher catches."""


def have_own_signals(
    numbers: tuple[signal.Signals, ...] = ENDING, action: signal.Handlers = signal.SIG_DFL
) -> None:
    """Wake the launcher's loop no more; from here on these signals mean action."""
    signal.set_wakeup_fd(-1)
    for number in numbers:
        signal.signal(number, action)


def forget_others(control: socket.socket, *kept_fds: int) -> socket.socket:
    """Close every descriptor but the socket, which becomes 3, and these: 4 and following.

    A fork that kept the others would keep the networks and volumes of destroyed sandboxes.
    """
    first_free = SOCKET_FD + 1 + len(kept_fds)
    copies = [
        fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, first_free) for fd in (control.detach(), *kept_fds)
    ]
    for number, copy in enumerate(copies, start=SOCKET_FD):
        os.dup2(copy, number, inheritable=False)
    syscalls.close_from(first_free)
    return socket.socket(fileno=SOCKET_FD)
