"""Many events at once in one WebAssembly worker, on real sandboxes."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from emberd.invocation.v1 import invocation_pb2
from tests.e2e.system import Emberd, cgroups_of, eventually
from tests.fakes import guests

Pending = list[grpc.Future]

NOTHING_THERE = 44
"""WASI's number for that."""


@pytest.fixture(scope="module")
def module(module_folder: Path) -> Path:
    path = module_folder / "main.wasm"
    path.write_bytes(guests.DOES)
    return path


@contextmanager
def begun(emberd: Emberd, name: str, *events: str) -> Iterator[Pending]:
    """These events are in work, all at once."""
    with grpc.insecure_channel(emberd.address) as channel:
        stub, metadata = emberd.invocations(channel)
        yield [
            stub.Invoke.future(
                emberd.request(name, json.dumps(event).encode()), metadata=metadata, timeout=60
            )
            for event in events
        ]


def answer(pending: grpc.Future) -> object:
    response: invocation_pb2.InvokeResponse = pending.result()
    return json.loads(response.payload)


def error_type(pending: grpc.Future) -> str:
    said = answer(pending)
    assert isinstance(said, dict), said
    return str(said["errorType"])


def workers(emberd: Emberd) -> set[int]:
    """Processes in which guests have run: wasmtime has started threads for them."""
    return {
        process.pid
        for process in emberd.tree()
        if any(name == "tokio-rt-worker" for name in thread_names(process.pid))
    }


def thread_names(pid: int) -> Iterator[str]:
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        try:
            yield (thread / "comm").read_text().strip()
        except OSError:
            continue  # it has just ended


def limit(pid: int, *names: str) -> int:
    """What the file of one of these names says of the process's cgroups."""
    for folder in cgroups_of(pid):
        for name in names:
            if (folder / name).exists():
                return int((folder / name).read_text().split()[0])
    raise AssertionError(f"{pid} has none of {names}")


def quota_us(pid: int) -> int:
    """What it may use of the CPU in a period."""
    return limit(pid, "cpu.max", "cpu.cfs_quota_us")


def memory_bytes(pid: int) -> int:
    """What it may use of the memory."""
    return limit(pid, "memory.max", "memory.limit_in_bytes")


def test_guests_that_sleep_block_nobody_and_a_trap_is_its_own(emberd: Emberd, module: Path) -> None:
    emberd.deploy(module, "naps", timeout=8)
    emberd.answer("naps", "first")
    naps = [f"nap {number}" for number in range(4)]
    with begun(emberd, "naps", *["sleep"] * 12, *naps, "trap") as pending:
        assert emberd.answer("naps", "awake") == "awake"
        assert not any(each.done() for each in pending[:12])
        assert error_type(pending[-1]) == "Runtime.WasmTrap"
        assert [answer(each) for each in pending[12:-1]] == naps
        assert {error_type(each) for each in pending[:12]} == {"Sandbox.Timedout"}
    log = [json.loads(line) for line in emberd.ok("logs", "naps", "--format", "json").splitlines()]
    # As many workers as cores, and each event's line under its own id.
    assert sum(1 for each in log if "INIT_START" in each["message"]) <= (os.cpu_count() or 1)
    said = {each["requestId"]: each["message"] for each in log if '"nap' in each["message"]}
    assert sorted(said.values()) == sorted(json.dumps(each) for each in naps)


def test_a_time_out_ends_its_own_event_only(emberd: Emberd, module: Path) -> None:
    emberd.deploy(module, "late", timeout=3)
    emberd.answer("late", "first")
    with begun(emberd, "late", "sleep", "loop", "nap") as (sleeps, loops, naps):
        assert answer(naps) == "nap"
        assert error_type(sleeps) == error_type(loops) == "Sandbox.Timedout"
    assert emberd.answer("late", "after") == "after"


def test_a_killed_worker_ends_what_it_had_and_is_replaced(emberd: Emberd, module: Path) -> None:
    before = workers(emberd)
    emberd.deploy(module, "killed", timeout=60)
    emberd.answer("killed", "first")
    [worker] = eventually(lambda: workers(emberd) - before, 20)
    with begun(emberd, "killed", *["sleep"] * 3) as pending:
        emberd.wait_until_running(3)
        os.kill(worker, signal.SIGKILL)
        assert [error_type(each) for each in pending] == ["Runtime.ExitError"] * 3
    assert emberd.answer("killed", "after") == "after"


def test_a_worker_has_the_functions_cpu_and_memory_for_each_of_its_events(
    emberd: Emberd, module: Path
) -> None:
    before = workers(emberd)
    emberd.deploy(module, "shares", timeout=5)
    emberd.answer("shares", "first")
    [worker] = eventually(lambda: workers(emberd) - before, 20)
    with begun(emberd, "shares", "sleep") as one:
        share_us = quota_us(worker)
        assert memory_bytes(worker) == 128 << 20
        with begun(emberd, "shares", "sleep", "sleep") as two:
            eventually(lambda: quota_us(worker) == 3 * share_us, 4)
            assert memory_bytes(worker) == 3 * 128 << 20
            assert {error_type(each) for each in (*one, *two)} == {"Sandbox.Timedout"}


def test_guests_that_shout_or_hoard_at_once_end_no_worker(
    emberd: Emberd, module_folder: Path, module: Path
) -> None:
    """Four of each in one worker: every one ends in its own way."""
    for name, content in (("shouts", guests.SHOUTS), ("hoards", guests.HOARDS)):
        path = module_folder / f"{name}.wasm"
        path.write_bytes(content)
        emberd.deploy(path, name, timeout=2)
        with begun(emberd, name, *["at once"] * 4) as pending:
            said = [each.result().payload for each in pending]
        if name == "shouts":
            assert {error_type(each) for each in pending} == {"Sandbox.Timedout"}
        else:
            # All of a worker's guests share its thousand descriptors.
            assert not any(b"Runtime.ExitError" in each for each in said), said
        emberd.deploy(module, name, timeout=2)
        assert emberd.answer(name, "after") == "after"


def test_the_guests_of_a_worker_share_the_functions_tmp(
    emberd: Emberd, module_folder: Path
) -> None:
    path = module_folder / "fills.wasm"
    path.write_bytes(guests.FILLS)
    emberd.deploy(path, "fills", timeout=60, memory=1769)

    def answers(*events: str) -> list[int]:
        with begun(emberd, "fills", *events) as pending:
            return [int(each.result().payload) for each in pending]

    assert answers("remove") == [NOTHING_THERE]
    assert 40 <= sum(answers("one", "two")) <= 51
    assert answers("remove", "remove") == [0, 0]
