"""The agent's side of the process sandbox, with the test as the launcher at the other end."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from sandbox.process import protocol
from sandbox.process.backend import ProcessBackend
from sandbox.process.protocol import Reply
from sandbox.spec import Limits, SandboxSpec


def spec(folder: Path) -> SandboxSpec:
    return SandboxSpec(
        sandbox_id="sb-1",
        revision_id="r-1",
        runtime_id="python3.11",
        code_directory=str(folder),
        environment={},
        limits=Limits.for_memory(128, 512),
    )


async def next_number(launcher: socket.socket) -> int:
    """The number of the agent's next request, whose descriptors are closed."""
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(launcher.fileno(), readable.set)
    async with asyncio.timeout(5):
        await readable.wait()
    loop.remove_reader(launcher.fileno())
    packet, fds = protocol.receive(launcher)
    for fd in fds:
        os.close(fd)
    return protocol.number_of(packet)


async def test_an_answer_that_comes_as_its_asker_leaves_keeps_no_descriptor(
    tmp_path: Path,
) -> None:
    ours, launcher = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connecting = asyncio.create_task(ProcessBackend.connect(ours))
    launcher.send(protocol.encode_message(Reply(number=await next_number(launcher))))
    backend = await connecting
    read_fd, write_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    creating = asyncio.create_task(backend.create(spec(tmp_path)))
    answer = protocol.encode_message(Reply(number=await next_number(launcher)))
    socket.send_fds(launcher, [answer], [write_fd])
    os.close(write_fd)
    # The same turn of the loop reads the answer and cancels who waits for it.
    backend._receive()
    creating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await creating
    assert os.read(read_fd, 1) == b"", "nobody holds the other end of the pipe"
    await backend.close()
    os.close(read_fd)
    launcher.close()
