"""Output of any kind becomes lines, and nothing grows with it."""

from __future__ import annotations

import asyncio
import fcntl
import os

from hypothesis import given
from hypothesis import strategies as st

from sandbox.logs import (
    LINE_BYTES_MAX,
    LineSplitter,
    LogQueue,
    SandboxLog,
)
from sandbox.output import DRAIN_LINES_MAX, READ_BYTES
from sandbox.report import LOG_TAIL_BYTES
from sandbox.work import LogRecord


def split(*pieces: bytes) -> list[bytes]:
    lines: list[bytes] = []
    splitter = LineSplitter(lines.append)
    for piece in pieces:
        splitter.feed(piece)
    if splitter.pending:
        splitter.flush()
    return lines


@given(st.lists(st.binary(max_size=20).map(lambda b: b.replace(b"\n", b"")), max_size=20))
def test_lines_come_out_as_they_went_in_however_they_were_cut(lines):
    text = b"".join(line + b"\n" for line in lines)
    assert split(*(text[i : i + 3] for i in range(0, len(text), 3))) == lines


def test_a_line_of_any_length_is_cut_once_and_its_rest_is_dropped_and_counted():
    piece = b"x" * 65_535
    lines = split(*[piece] * 100, b"tail\nnext\n")
    dropped = b"emberd: %d more bytes of this line were dropped" % (
        100 * len(piece) + len(b"tail") - LINE_BYTES_MAX
    )
    assert lines == [b"x" * LINE_BYTES_MAX, dropped, b"next"]


def test_a_line_that_is_just_long_enough_is_not_cut():
    assert split(b"x" * LINE_BYTES_MAX, b"\nnext\n") == [b"x" * LINE_BYTES_MAX, b"next"]


async def test_a_line_that_was_cut_ends_with_its_invocation():
    read, write = os.pipe2(os.O_NONBLOCK)
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 1 << 20)
    records: list[LogRecord] = []
    log = make_log(read, records)
    os.write(write, b"x" * (LINE_BYTES_MAX + 1))
    log.drain()
    os.write(write, b"of the next one\n")
    log.drain()
    log.close()
    os.close(read)
    os.close(write)
    assert [each.message for each in records][1:] == [
        b"emberd: 1 more bytes of this line were dropped",
        b"of the next one",
    ]


def test_output_without_a_line_feed_is_a_line_once_the_invocation_ends():
    assert split(b"no end") == [b"no end"]


def make_log(fd: int, sink: list[LogRecord]) -> SandboxLog:
    return SandboxLog(fd, sink.append, function_name="f", version="1", log_stream="s")


async def test_what_was_written_before_the_answer_is_read_before_it_is_reported():
    read, write = os.pipe2(os.O_NONBLOCK)
    records: list[LogRecord] = []
    log = make_log(read, records)
    log.begin("id-1")
    os.write(write, b"one\ntwo")
    log.drain()
    log.close()
    os.close(read)
    os.close(write)
    assert [(each.message, each.invocation_id) for each in records] == [
        (b"one", "id-1"),
        (b"two", "id-1"),
    ]


async def test_the_tail_is_the_last_four_kilobytes_of_this_invocation_only():
    read, write = os.pipe2(os.O_NONBLOCK)
    log = make_log(read, [])
    log.begin("id-1")
    log.write(b"of the one before")
    log.begin("id-2")
    for number in range(1000):
        log.write(b"line %d" % number)
    tail = log.tail()
    log.close()
    os.close(read)
    os.close(write)
    assert len(tail) == LOG_TAIL_BYTES
    assert tail.endswith(b"line 998\nline 999\n")
    assert b"before" not in tail


async def test_a_flood_waits_in_its_pipe_while_the_loop_serves_others():
    read, write = os.pipe2(os.O_NONBLOCK)
    records: list[LogRecord] = []
    log = make_log(read, records)
    os.write(write, b"\n" * 65536)
    for _ in range(50):
        await asyncio.sleep(0)
    log.close()
    os.close(read)
    os.close(write)
    assert 0 < len(records) <= READ_BYTES * 2


async def test_a_flood_before_the_answer_is_cut_and_said_so():
    read, write = os.pipe2(os.O_NONBLOCK)
    records: list[LogRecord] = []
    log = make_log(read, records)
    os.write(write, b"\n" * 65536)
    log.drain()
    log.close()
    os.close(read)
    os.close(write)
    said = records.pop().message
    assert said == b"emberd: %d more lines were dropped: too many at once" % (65536 - len(records))
    assert len(records) < DRAIN_LINES_MAX + READ_BYTES


def record(size: int) -> LogRecord:
    return LogRecord(
        time_ns=0,
        function_name="f",
        version="1",
        invocation_id="",
        message=b"x" * size,
        log_stream="",
    )


async def test_a_full_queue_drops_and_counts():
    queue = LogQueue()
    for _ in range(queue.RECORDS_MAX + 5):
        queue.offer(record(1))
    assert queue.dropped == 5
    assert len(queue.take(10, 1000)) == 10


async def test_a_queue_of_long_lines_is_bounded_in_bytes():
    queue = LogQueue()
    for _ in range(1000):
        queue.offer(record(LINE_BYTES_MAX))
    assert queue.dropped == 1000 - queue.BYTES_MAX // LINE_BYTES_MAX


async def test_a_reader_of_an_empty_queue_waits_for_the_next_record():
    queue = LogQueue()
    waiting = asyncio.create_task(queue.filled())
    await asyncio.sleep(0)
    assert not waiting.done()
    queue.offer(record(1))
    await waiting
    assert len(queue.take(10, 1000)) == 1


async def test_records_that_could_not_travel_go_back_to_the_front():
    queue = LogQueue()
    for size in (1, 2, 3):
        queue.offer(record(size))
    taken = queue.take(2, 1000)
    queue.give_back(taken)
    assert [len(each.message) for each in queue.take(10, 1000)] == [1, 2, 3]
