"""Bytes between two tasks: order, bound, end."""

from __future__ import annotations

import asyncio

from emberd.wire.pipe import BytePipe


async def test_what_was_written_comes_out_in_order_and_then_the_end():
    pipe = BytePipe()
    pipe.write(b"one ")
    pipe.write(b"two")
    pipe.close()
    assert await pipe.read(5) == b"one t"
    assert await pipe.read(5) == b"wo"
    assert await pipe.read(5) == b""


async def test_a_reader_waits_for_the_first_byte_and_gets_it_at_once():
    pipe = BytePipe()
    reading = asyncio.create_task(pipe.read(100))
    await asyncio.sleep(0)
    assert not reading.done()
    pipe.write(b"x")
    assert await reading == b"x"


async def test_a_full_pipe_lets_its_writer_wait_until_the_reader_has_taken_enough():
    pipe = BytePipe(limit_bytes=4)
    told: list[str] = []
    pipe.on_room = lambda: told.append("room")
    pipe.write(b"12345")
    assert pipe.is_full
    waiting = asyncio.create_task(pipe.room())
    assert await pipe.read(1) == b"1"
    assert told == []
    assert not waiting.done()
    assert await pipe.read(1) == b"2"
    await waiting
    assert told == ["room"]


async def test_a_discarded_pipe_keeps_nothing_and_lets_nobody_wait():
    pipe = BytePipe(limit_bytes=4)
    pipe.write(b"12345")
    waiting = asyncio.create_task(pipe.room())
    pipe.discard()
    await waiting
    pipe.write(b"more")
    assert not pipe.is_full
    assert await pipe.read(10) == b""


async def test_what_is_written_after_the_end_is_no_part_of_it():
    pipe = BytePipe()
    pipe.close()
    pipe.write(b"late")
    assert await pipe.read(10) == b""
