"""What a worker's threads log, on its way through one pipe to the logs of their events."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest

from runtimes.wasm.emberd_wasm.logs import marked
from sandbox.logs import LINE_BYTES_MAX, SandboxLog
from sandbox.work import LogRecord
from sandbox.workers.output import SharedOutput


class Worker:
    """A pipe, and the logs of two events in it."""

    def __init__(self, write_fd: int, output: SharedOutput) -> None:
        self._write_fd = write_fd
        self.records: list[LogRecord] = []
        self.logs = {name: self._log(output, name) for name in ("a", "b")}

    def _log(self, output: SharedOutput, name: str) -> SandboxLog:
        log = SandboxLog(
            output.attach,
            self.records.append,
            function_name="f",
            version="1",
            log_stream="s",
        )
        log.begin(name)
        return log

    def write(self, data: bytes) -> None:
        os.write(self._write_fd, data)

    def lines(self, name: str) -> list[bytes]:
        self.logs[name].drain()
        return [each.message for each in self.records if each.invocation_id == name]


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    read_fd, write_fd = os.pipe2(os.O_NONBLOCK)
    try:
        yield read_fd, write_fd
    finally:
        os.close(read_fd)
        os.close(write_fd)


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    with pipe() as (read_fd, write_fd):
        output = SharedOutput(read_fd)
        yield Worker(write_fd, output)
        output.close()


@pytest.mark.parametrize("size", [1, 3, 1000])
async def test_pieces_of_any_size_are_lines_again(worker: Worker, size: int) -> None:
    said = {"a": b"one\n\ntwo and \x1eb three\n", "b": b"four\nfive\n"}
    for at in range(0, 40, size):
        for name, whole in said.items():
            worker.write(marked(name, whole[at : at + size]))
    assert worker.lines("a") == [b"one", b"", b"two and \x1eb three"]
    assert worker.lines("b") == [b"four", b"five"]


async def test_a_line_without_an_end_is_one_at_the_end_of_its_event(worker: Worker) -> None:
    worker.write(marked("a", b"begun"))
    worker.write(marked("b", b"other\n"))
    assert worker.lines("a") == [b"begun"]


async def test_a_guest_cannot_speak_for_another(worker: Worker) -> None:
    worker.write(marked("a", b"\x1eb forged\n"))
    assert worker.lines("b") == []
    assert worker.lines("a") == [b"\x1eb forged"]


async def test_what_is_nobodys_is_dropped_and_the_workers_own_is_the_first_seats(
    worker: Worker,
) -> None:
    worker.write(marked("of long ago", b"late\n"))
    worker.write(b"thread panicked\n")
    assert worker.lines("a") == [b"thread panicked"]
    assert worker.lines("b") == []


async def test_a_line_is_cut_where_any_other_is(worker: Worker) -> None:
    for _ in range(LINE_BYTES_MAX // 1024 + 2):
        worker.write(marked("a", b"x" * 1024))
        worker.logs["b"].drain()
    worker.write(marked("a", b"\n"))
    cut, told = worker.lines("a")
    assert len(cut) == LINE_BYTES_MAX
    assert told == b"emberd: 2048 more bytes of this line were dropped"
