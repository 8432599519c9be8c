"""Pid 1 of a sandbox: it collects orphans, and tells the launcher how things stand."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
from typing import NoReturn


def let_go_of_the_log() -> None:
    """What the function writes must not wait for pid 1 to close its copy."""
    for fd in (1, 2):
        os.dup2(0, fd)


def reap(runtime: int, control: socket.socket) -> NoReturn:
    """Pid 1: collect every orphan; end when the runtime ends, and with it the whole tree."""
    while True:
        try:
            pid, status = os.waitpid(-1, 0)
        except OSError as error:
            if error.errno == errno.EINTR:
                continue
            raise
        if pid != runtime:
            continue
        if os.WIFSIGNALED(status):
            tell(control, "signalled", str(os.WTERMSIG(status)))
        elif os.WIFEXITED(status):
            tell(control, "exited", str(os.WEXITSTATUS(status)))
        else:
            continue
        os._exit(0)


def reap_copies(runtime: int, control: socket.socket) -> NoReturn:
    """Pid 1 of a function template: its copies' runtimes are orphans here, and outlive it.

    Their ends are known to nobody else. This process ends with the last of them.
    """
    while True:
        try:
            pid, status = os.waitpid(-1, 0)
        except ChildProcessError:
            os._exit(0)
        except OSError as error:
            if error.errno == errno.EINTR:
                continue
            raise
        if pid != runtime:
            tell(control, "orphan", f"{pid} {status}")
        elif os.WIFSIGNALED(status):
            tell(control, "signalled", str(os.WTERMSIG(status)))
        elif os.WIFEXITED(status):
            tell(control, "exited", str(os.WEXITSTATUS(status)))


def reap_for_ever() -> NoReturn:
    """Pid 1 of a copy: collect orphans until the launcher ends the tree."""
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGCHLD,))
    while True:
        signal.sigwait((signal.SIGCHLD,))
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            continue


def skip_a_pid() -> None:
    """Let a template's runtime have another pid than its copies have, the first after pid 1.

    OpenSSL and others draw afresh after a fork only where the pid has changed.
    """
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def tell(control: socket.socket, what: str, value: str) -> None:
    try:
        control.send(f"{what} {value}".encode()[:4096])
    except OSError as error:
        # The launcher is gone, and this process is about to be.
        print(f"launcher unreachable: {error}", file=sys.stderr)  # noqa: T201
