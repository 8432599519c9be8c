"""The template's side of births: told its terms once, it forks a sandbox for every request."""

from __future__ import annotations

import base64
import gc
import json
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence

from sandbox.process import dry_run, namespaces, parked, syscalls
from sandbox.process.child import Walls
from sandbox.process.parked import Cradle

REQUEST_BYTES_MAX = 256 * 1024
_DESCRIPTORS_MAX = 16
READY = b"ready"
SAMPLE = dry_run.VARIABLES
DRY_RUNS = 20
"""Until the interpreter has specialised what a birth runs through."""


def encode_walls(walls: Walls) -> bytes:
    """Launcher: the terms on which a template bears."""
    told = {
        "seccomp_program": base64.b64encode(walls.seccomp_program).decode(),
        "landlock_abi": walls.landlock_abi,
    }
    return json.dumps(told).encode()


def send_request(
    connection: socket.socket, cradle: Cradle, network_fd: int, cgroup_fd: int
) -> None:
    """Launcher: ask for a birth; the descriptors remain open here."""
    fds = (
        network_fd,
        cgroup_fd,
        cradle.control_fd,
        cradle.devices_fd,
        cradle.log_fd,
        cradle.image_fd,
        cradle.runtime_fd,
        cradle.tmp_fd,
        *cradle.joining,
    )
    socket.send_fds(connection, [b"bear"], fds)


def serve(connection_fd: int, settle: Callable[[], None]) -> Mapping[str, str]:
    """Serve until the launcher ends. Returns in a child, with its function's variables.

    A child settles once it is locked down, before it waits.
    """
    connection = socket.socket(fileno=connection_fd)
    walls = _receive_walls(connection)
    home_fd = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    for _ in range(DRY_RUNS):
        dry_run.birth(walls.landlock_abi)
        dry_run.handover()
    # Children share these pages as long as nobody writes them.
    gc.collect()
    syscalls.use_up_gaps_of_malloc()
    gc.freeze()
    connection.send(READY)
    while True:
        text, fds, _, _ = socket.recv_fds(connection, 16, _DESCRIPTORS_MAX)
        if not text:
            os._exit(0)
        variables = _bear(connection, fds, home_fd, walls, settle)
        if variables is not None:
            return variables


def answer_interrupts() -> None:
    """In a child: as every start of the interpreter does; the birth has cleared all handlers."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _receive_walls(connection: socket.socket) -> Walls:
    told = json.loads(connection.recv(REQUEST_BYTES_MAX))
    return Walls(
        seccomp_program=base64.b64decode(told["seccomp_program"]),
        landlock_abi=told["landlock_abi"],
    )


def _bear(
    connection: socket.socket,
    fds: Sequence[int],
    home_fd: int,
    walls: Walls,
    settle: Callable[[], None],
) -> Mapping[str, str] | None:
    """One birth; None in the template itself."""
    network_fd, cgroup_fd, control, devices, log, image, runtime, tmp, *joining = fds
    try:
        syscalls.setns(network_fd, syscalls.CLONE_NEWNET)
        pid, pidfd = namespaces.fork_sibling_into_new(cgroup_fd)
        if pid == 0:
            connection.detach()
            cradle = Cradle(
                control_fd=control,
                devices_fd=devices,
                log_fd=log,
                image_fd=image,
                runtime_fd=runtime,
                tmp_fd=tmp,
                joining=joining,
            )
            return parked.run(cradle, walls, settle)
        os.close(pidfd)
        answer = b"%d" % pid
    except OSError as error:
        answer = f"failed {error}".encode()
    syscalls.setns(home_fd, syscalls.CLONE_NEWNET)
    for fd in fds:
        os.close(fd)
    connection.send(answer)
    return None
