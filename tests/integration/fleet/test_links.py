"""Frames past gRPC: a host of the same machine opens a link, and everything is as on the stream."""

from __future__ import annotations

import asyncio
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop

from emberd.wire.errors import UnavailableError
from emberd.wire.link import TICKET_BYTES, FrameLink
from tests.integration.fleet.playing import control_plane, echo, event, host_of, until


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path, as Unix sockets need one."""
    with tempfile.TemporaryDirectory(prefix="emberd-link-") as path:
        yield Path(path)


async def test_what_is_asked_and_answered_goes_over_the_link(folder):
    payload = b"x" * 60_000
    async with control_plane(folder=folder) as fleet, host_of(fleet, echo) as host:
        await fleet.attached.wait()
        results = await asyncio.gather(
            *(fleet.dispatcher.invoke(event(payload + b"%d" % n, f"inv-{n}")) for n in range(300))
        )
        assert [each.attempt.payload for each in results] == [
            payload + b"%d" % n for n in range(300)
        ]
        assert host.session.speaks_over_link
        fleet.dispatcher.revision_retired("rev-1")
        await until(lambda: host.retired)


def test_our_programs_own_loop_carries_it_too(folder):
    async def ask() -> None:
        async with control_plane(folder=folder) as fleet, host_of(fleet, echo) as host:
            await fleet.attached.wait()
            assert host.session.speaks_over_link
            assert (await fleet.dispatcher.invoke(event(b"1"))).attempt.payload == b"1"

    uvloop.run(ask())


async def test_a_host_that_cannot_reach_the_link_attaches_without(folder):
    async with control_plane(folder=folder) as fleet:
        (folder / "fleet.link").unlink()
        async with host_of(fleet, echo) as host:
            await fleet.attached.wait()
            result = await fleet.dispatcher.invoke(event(b"7"))
            assert not host.session.speaks_over_link
    assert result.attempt.payload == b"7"
    assert host.hellos == 2


async def test_without_a_door_on_this_machine_frames_stay_on_the_stream():
    async with control_plane() as fleet, host_of(fleet, echo) as host:
        await fleet.attached.wait()
        assert not host.session.speaks_over_link


async def test_a_link_that_ends_loses_the_host_and_it_attaches_again(folder):
    async with (
        control_plane(folder=folder) as fleet,
        host_of(fleet, lambda host, attempt: None) as host,
    ):
        await fleet.attached.wait()
        running = asyncio.create_task(fleet.dispatcher.invoke(event()))
        await until(lambda: host.seen)
        fleet.attached.clear()
        link = host.session._outgoing
        assert isinstance(link, FrameLink)
        link.close()
        with pytest.raises(UnavailableError) as raised:
            await running
        assert raised.value.reason == "HOST_LOST"
        async with asyncio.timeout(5):
            await fleet.attached.wait()
        host.act = echo
        assert (await fleet.dispatcher.invoke(event(b"8", "inv-2"))).attempt.payload == b"8"


async def test_a_host_that_is_gone_is_lost_and_its_link_with_it(folder):
    async with control_plane(folder=folder) as fleet:
        async with host_of(fleet, lambda host, attempt: None) as host:
            await fleet.attached.wait()
            running = asyncio.create_task(fleet.dispatcher.invoke(event()))
            await until(lambda: host.seen)
        with pytest.raises(UnavailableError):
            await running
        await until(lambda: not fleet.dispatcher.hosts)


async def test_without_a_ticket_nobody_comes_in_and_a_ticket_is_good_for_once(folder):
    async with control_plane(folder=folder) as fleet, host_of(fleet, echo):
        await fleet.attached.wait()
        for greeting in (b"?" * TICKET_BYTES, bytes(TICKET_BYTES) + b"frames"):
            assert await _said_to(folder / "fleet.link", greeting) == b""
        assert (await fleet.dispatcher.invoke(event(b"9"))).attempt.payload == b"9"
        assert not fleet.links.strangers


async def test_those_who_show_nothing_are_few(folder):
    async with control_plane(folder=folder) as fleet:
        crowd = [_connected(folder / "fleet.link") for _ in range(70)]
        try:
            await until(lambda: len(fleet.links.strangers) == 64)
            # The loop may have some of them still to look at: it must not wait with us.
            assert await asyncio.to_thread(crowd[-1].recv, 1) == b""
        finally:
            for each in crowd:
                each.close()
        await until(lambda: not fleet.links.strangers)


def _connected(path: Path) -> socket.socket:
    """A connection of no host's; its reads wait, which the loop must not."""
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(5)
    client.connect(str(path))
    return client


async def _said_to(path: Path, greeting: bytes) -> bytes:
    """What the door answers before it closes."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    try:
        writer.write(greeting)
        async with asyncio.timeout(5):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
