"""One end of a link against a transport that says when it has enough."""

from __future__ import annotations

import asyncio

import pytest

from emberd.wire.framequeue import FRAMES_PER_MESSAGE, FRAMES_QUEUED_MAX
from emberd.wire.framing import MessageReader, framed
from emberd.wire.link import FrameLink


class Wire(asyncio.Transport):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.ends: list[str] = []

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.ends.append("closed")

    def abort(self) -> None:
        self.ends.append("aborted")

    def messages(self) -> list[bytes]:
        return MessageReader().feed(self.written)


def link_to(wire: Wire, came: list[bytes] | None = None, ticket: bytes = b"") -> FrameLink[bytes]:
    link = FrameLink[bytes](b",".join, [].append if came is None else came.append, ticket)
    link.connection_made(wire)
    return link


async def test_frames_of_one_turn_leave_as_one_message():
    link = link_to(wire := Wire())
    for frame in (b"1", b"2", b"3"):
        assert link.send(frame)
    assert wire.written == b""
    await asyncio.sleep(0)
    assert wire.messages() == [b"1,2,3"]


async def test_what_was_sent_before_the_connection_follows_the_ticket():
    link = FrameLink[bytes](b",".join, [].append, b"ticket")
    link.send(b"1")
    link.connection_made(wire := Wire())
    assert wire.written == b"ticket" + framed(b"1")


async def test_a_reader_that_stops_makes_frames_wait_and_never_more_than_the_bound():
    link = link_to(wire := Wire())
    link.pause_writing()
    assert all(link.send(b"x") for _ in range(FRAMES_QUEUED_MAX))
    assert not link.send(b"x")
    await asyncio.sleep(0)
    assert wire.written == b""
    link.resume_writing()
    assert [len(each.split(b",")) for each in wire.messages()[:2]] == [FRAMES_PER_MESSAGE] * 2
    assert sum(len(each.split(b",")) for each in wire.messages()) == FRAMES_QUEUED_MAX


@pytest.mark.parametrize(("paused", "end"), [(False, "closed"), (True, "aborted")])
async def test_the_last_frames_go_out_unless_nobody_reads_them(paused, end):
    link = link_to(wire := Wire())
    if paused:
        link.pause_writing()
    link.send(b"last")
    link.close()
    link.close()
    assert wire.ends == [end]
    assert wire.messages() == ([] if paused else [b"last"])
    assert link.lost.done()
    assert link.send(b"dropped")


async def test_nothing_is_taken_behind_the_end():
    came: list[bytes] = []
    link = link_to(Wire(), came)
    link.data_received(framed(b"1"))
    link.connection_lost(None)
    link.data_received(framed(b"2"))
    assert came == [b"1"]
