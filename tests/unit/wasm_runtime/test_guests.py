"""Modules and components as functions: what they see, what they answer, how they fail."""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runtimes.wasm.emberd_wasm import Event, GuestError, OutOfTimeError, guests, limits
from runtimes.wasm.emberd_wasm.logs import Logs
from runtimes.wasm.emberd_wasm.streams import Streams
from tests.fakes import guests as made

MEMORY_BYTES = 64 * limits.MIB

Run = Callable[..., bytes]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a module once for each event, in one process, and gives back the last answer."""

    def answer(content: bytes, *bodies: bytes, seconds: float = 20, **fields: str) -> bytes:
        guest = load(tmp_path, content)
        temporary = tmp_path / "tmp"
        temporary.mkdir(exist_ok=True)
        streams = Streams(temporary=str(temporary))
        said = b""
        for body in bodies or (b"",):
            event = Event(body=body, deadline_ms=int((time.time() + seconds) * 1000), **fields)
            said = guest.run(event, limits.Limits(MEMORY_BYTES), [("A", "1")], streams)
        return said

    return answer


def load(folder: Path, content: bytes, handler: str = "main.wasm") -> guests.Guest:
    (folder / "main.wasm").write_bytes(content)
    return guests.load(limits.engine(), str(folder), handler)


def failure(run: Run, content: bytes, **options: float) -> GuestError:
    with pytest.raises(GuestError) as caught:
        run(content, **options)
    return caught.value


@pytest.mark.parametrize("content", [made.ECHO, made.COMPONENT_ECHO])
@pytest.mark.parametrize("size", [0, 5, 1_000_000])
def test_an_event_goes_in_and_the_answer_comes_out(run: Run, content: bytes, size: int) -> None:
    body = b"x" * size
    assert run(content, body) == body


def test_every_event_has_a_new_instance(run: Run) -> None:
    assert run(made.COUNT, b"first", b"second", b"third") == b"01"


def test_a_shorter_answer_holds_nothing_of_a_longer_one_before(run: Run) -> None:
    assert run(made.ECHO, b"a long event", b"short") == b"short"


def test_a_command_finds_the_function_and_the_event_in_its_variables(run: Run) -> None:
    said = run(made.VARIABLES, request_id="r-1", tenant_id="blue").decode().split("\0")
    assert {"A=1", "EMBERD_REQUEST_ID=r-1", "EMBERD_TENANT_ID=blue"} < set(said)
    assert not [each for each in said if each.startswith(("TRACEPARENT", "PATH"))]


def test_a_component_finds_the_event_in_its_context(run: Run) -> None:
    assert run(made.COMPONENT_REQUEST_ID, b"{}", request_id="r-1") == b"r-1"


def test_what_a_command_writes_to_stderr_is_logged(
    run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(made.SAYS) == b"{}"
    assert capfd.readouterr().err == "to log"


def test_an_exit_status_is_the_functions_error(run: Run) -> None:
    error = failure(run, made.EXITS)
    assert (error.error_type, error.message) == (
        "Runtime.WasmExit",
        "the module exited with status 3",
    )


@pytest.mark.parametrize("content", [made.UNREACHABLE, made.COMPONENT_TRAPS])
def test_a_trap_says_what_and_where(run: Run, content: bytes) -> None:
    error = failure(run, content)
    assert error.error_type == "Runtime.WasmTrap"
    assert error.message == "wasm trap: wasm `unreachable` instruction executed"
    assert error.trace


def test_a_components_failure_is_the_functions_error(run: Run) -> None:
    error = failure(run, made.COMPONENT_FAILS)
    assert (error.error_type, error.message) == ("Shop.Closed", "come back tomorrow")


def test_a_trap_ends_its_own_event_only(tmp_path: Path) -> None:
    guest = load(tmp_path, made.RECURSES)
    for _ in range(3):
        with pytest.raises(GuestError, match="call stack exhausted"):
            guest.run(event_for(20), limits.Limits(MEMORY_BYTES), [], Streams())


@pytest.mark.parametrize(
    "content", [made.LOOPS, made.CALLS, made.COMPONENT_LOOPS, made.BEGINS_WITH_A_LOOP]
)
def test_a_guest_is_interrupted_at_its_deadline_and_the_next_is_not(
    tmp_path: Path, content: bytes
) -> None:
    guest = load(tmp_path, content)
    for _ in range(2):
        before = time.monotonic()
        with pytest.raises(OutOfTimeError):
            guest.run(event_for(0.2), limits.Limits(MEMORY_BYTES), [], Streams())
        assert 0.15 < time.monotonic() - before < 5


def test_an_answer_without_an_end_is_stopped_and_cut(run: Run) -> None:
    assert len(run(made.WRITES)) == limits.RESPONSE_BYTES + 1
    assert len(run(made.WRITES_ON, seconds=0.5)) == limits.RESPONSE_BYTES + 1


def test_a_guest_gets_the_memory_of_its_function_and_no_more(run: Run) -> None:
    tens = int(run(made.GROWS))
    assert tens == MEMORY_BYTES // limits.MIB // 10


def test_a_table_has_its_limit(run: Run) -> None:
    assert run(made.HUGE_TABLE) == b"01"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (made.MUCH_AT_ONCE, "exceeds memory limits"),
        (made.MEMORIES, "memory count too high"),
    ],
)
def test_a_module_that_wants_more_at_once_is_told(run: Run, content: bytes, words: str) -> None:
    error = failure(run, content)
    assert error.error_type == "Runtime.WasmLinkError"
    assert words in error.message


def test_a_module_of_twenty_thousand_functions_is_one_like_others(run: Run) -> None:
    assert run(made.of_functions(20_000)) == b"01"


def test_a_guest_opens_what_is_in_its_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp" / "there").write_text("")
    assert run(made.opens("there")) == b"00"


@pytest.mark.parametrize(
    ("path", "link_to"),
    [
        ("../main.wasm", ""),
        ("/etc/passwd", ""),
        ("a/../../main.wasm", ""),
        ("link", "../main.wasm"),
        ("link", "/etc/passwd"),
    ],
)
def test_a_guest_opens_nothing_outside_of_its_folder(run: Run, path: str, link_to: str) -> None:
    assert run(made.opens(path, link_to)) != b"00"


def test_a_link_that_the_host_made_leads_nowhere(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    os.symlink("/etc/passwd", tmp_path / "tmp" / "link")
    assert run(made.opens("link")) != b"00"


def test_guests_at_once_have_worlds_and_deadlines_of_their_own(tmp_path: Path) -> None:
    """One that loops until its time is up, beside one with more time and beside many short ones."""
    guest = load(tmp_path, made.DOES)
    allowed = limits.Limits(MEMORY_BYTES)

    def serve(body: str, seconds: float) -> bytes:
        event = Event(body=body.encode(), deadline_ms=int((time.time() + seconds) * 1000))
        return guest.run(event, allowed, [], Streams())

    with ThreadPoolExecutor(4) as threads:
        late = threads.submit(serve, '"loop"', 0.3)
        naps = threads.submit(serve, '"nap"', 20)
        for number in range(50):
            assert serve(f'"{number}"', 20) == f'"{number}"'.encode()
        with pytest.raises(OutOfTimeError):
            late.result()
        assert naps.result() == b'"nap"'


def test_a_flood_of_one_log_lets_others_through_and_ends_with_its_guest(tmp_path: Path) -> None:
    read_fd, write_fd = os.pipe()
    logs = Logs(write_fd)
    guest = load(tmp_path, made.SHOUTS)
    floods, other = logs.open(), logs.open()
    floods.request_id, other.request_id = "flood", "other"
    lines: queue.Queue[bytes] = queue.Queue()

    def read() -> None:
        with open(read_fd, "rb") as pipe:
            for line in pipe:
                lines.put(line)

    with ThreadPoolExecutor(2) as threads:
        reading = threads.submit(read)
        shouting = threads.submit(
            guest.run, event_for(1), limits.Limits(MEMORY_BYTES), [], Streams(floods)
        )
        assert lines.get(timeout=10) == b"\x1eflood to log\n"
        other.write("heard")
        other.flush()
        with pytest.raises(OutOfTimeError):
            shouting.result()
        floods.flush()
        os.close(write_fd)
        reading.result()
    assert b"\x1eother heard\n" in list(lines.queue)


def event_for(seconds: float) -> Event:
    return Event(body=b"", deadline_ms=int((time.time() + seconds) * 1000))


@pytest.mark.parametrize(
    ("content", "error_type", "words"),
    [
        (b"#!/bin/sh", "Runtime.InvalidModule", "neither a WebAssembly module nor a component"),
        (b"", "Runtime.InvalidModule", "neither"),
        (made.ECHO[:200], "Runtime.InvalidModule", "cannot be compiled"),
        (made.COMPONENT_ECHO[:200], "Runtime.InvalidModule", "cannot be compiled"),
        (made.TABLES, "Runtime.InvalidModule", "cannot be compiled"),
        (made.LIBRARY, "Runtime.WasmMissingExport", "no function _start"),
        (made.COMPONENT_OF_ANOTHER_WORLD, "Runtime.WasmMissingExport", "no function handle"),
        (made.FOREIGN, "Runtime.WasmLinkError", "env::foo"),
    ],
)
def test_what_is_no_function_is_told_at_init(
    tmp_path: Path, content: bytes, error_type: str, words: str
) -> None:
    with pytest.raises(GuestError, match=words) as caught:
        load(tmp_path, content)
    assert caught.value.error_type == error_type


@pytest.mark.parametrize("handler", ["other.wasm", "../main.wasm", "/etc/passwd", ""])
def test_a_handler_names_a_file_of_the_package(tmp_path: Path, handler: str) -> None:
    root = tmp_path / "task"
    root.mkdir()
    (tmp_path / "main.wasm").write_bytes(made.ECHO)
    with pytest.raises(GuestError) as caught:
        guests.load(limits.engine(), str(root), handler)
    assert caught.value.error_type == "Runtime.HandlerNotFound"


def test_a_guests_memory_is_the_functions_without_what_the_worker_takes() -> None:
    given = limits.limits_of(512 * limits.MIB, 20 * limits.MIB + 5)
    assert given.memory_bytes == 468 * limits.MIB - 65536
    assert limits.limits_of(0, 0).memory_bytes == limits.LEAST_BYTES
    assert limits.own_bytes() > limits.MIB
