"""What a function gets, how it ends when its time is over, and that no crash costs a descriptor."""

from __future__ import annotations

import os
import re
import signal
import statistics
import time
from pathlib import Path

import grpc
import pytest

from emberd.invocation.v1 import invocation_pb2
from tests.e2e.system import PARTS, Emberd, eventually

CRASHES = int(os.environ.get("EMBERD_SOAK_CRASHES", "40"))
CRASH_S_MAX = 0.5
"""On average, on a busy machine."""
SETTLED_WITHIN_S = 30.0
TOLD_WITHIN_S = 0.5
"""Of the deadline, on a busy machine; benchmarks/scenarios/time_outs.py measures it."""
KILLED_WITHIN_S = 0.1

HOST_PATHS = {
    "/": r"/.*/images/python3\.\d+-[0-9a-f]{12,64}",
    "/var/runtime": r"/.*/images/(bundle|runtime)[a-z0-9.-]*-[0-9a-f]{12,64}",
    "/var/task": r"/.*/agent/code/[0-9a-f]{64}\.code",
}
"""What /proc/self/mountinfo tells of the host's disk: its own digests, and no name of anybody."""


@pytest.fixture(scope="module")
def inside(emberd: Emberd, functions: Path) -> str:
    emberd.deploy(functions / "inside", "inside", timeout=1, memory=1769, ephemeral_storage=1024)
    return "inside"


def test_tmp_is_as_large_as_the_function_asked_for(emberd: Emberd, inside: str) -> None:
    size_mb = emberd.answer(inside, {"do": "measure"})
    assert isinstance(size_mb, int)
    assert 0.96 * 1024 <= size_mb <= 1024


def test_of_the_hosts_disk_a_function_sees_digests_and_no_name(emberd: Emberd, inside: str) -> None:
    mounts = emberd.answer(inside, {"do": "mounts"})
    assert isinstance(mounts, list)
    from_host = {
        where: root
        for _, _, _, root, where, *_ in mounts
        if root != "/" and not where.startswith(("/proc/", "/dev/"))
    }
    assert from_host.keys() == HOST_PATHS.keys(), from_host
    for where, root in from_host.items():
        assert re.fullmatch(HOST_PATHS[where], root), root
        assert inside not in root


def test_a_function_is_dead_within_a_tenth_of_a_second_of_its_deadline(
    emberd: Emberd, inside: str
) -> None:
    """Its last sign of life says so; its caller hears of the end soon after."""
    lived_s, told_s = [], []
    with grpc.insecure_channel(emberd.address) as channel:
        stub, metadata = emberd.invocations(channel)
        for _ in range(5):
            request = invocation_pb2.InvokeStreamRequest(
                request=emberd.request(inside, b'{"do": "beat"}')
            )
            said, failed = b"", ""
            for piece in stub.InvokeStream(request, metadata=metadata):
                said += piece.payload_chunk
                failed = failed or piece.complete.function_error
            told_ns = time.time_ns()
            assert failed
            deadline, *beats = (int(each) for each in said.split())
            lived_s.append((beats[-1] - deadline) / 1e9)
            told_s.append((told_ns - deadline) / 1e9)
    assert max(lived_s) < KILLED_WITHIN_S, lived_s
    assert statistics.median(told_s) < TOLD_WITHIN_S, told_s


def test_however_often_a_function_crashes_no_part_has_a_descriptor_more(
    emberd: Emberd, inside: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # A soak takes longer than any other test may.
    signal.setitimer(signal.ITIMER_REAL, 120 + CRASHES * CRASH_S_MAX)
    with grpc.insecure_channel(emberd.address) as channel:
        crash(emberd, inside, channel, 5)
        before = settled(emberd)
        crash(emberd, inside, channel, CRASHES)
        after = eventually(
            lambda: none_above(descriptors(emberd), before),
            SETTLED_WITHIN_S,
            what=lambda: f"{before} became {descriptors(emberd)}, which going back",
        )
    with capsys.disabled():
        print(f"\n{CRASHES} crashes\nbefore {before}\nafter  {after}")


def crash(emberd: Emberd, name: str, channel: grpc.Channel, times: int) -> None:
    """Every one of them needs a fresh start."""
    stub, metadata = emberd.invocations(channel)
    for _ in range(times):
        done = stub.Invoke(emberd.request(name, b'{"do": "die"}'), metadata=metadata)
        assert done.function_error
        assert b"Runtime.ExitError" in done.payload


def descriptors(emberd: Emberd) -> dict[str, int]:
    """How many each part has."""
    return {name: len(os.listdir(f"/proc/{emberd.part(name).pid}/fd")) for name in PARTS}


def settled(emberd: Emberd) -> dict[str, int]:
    """The same once it has not changed for a second: what is made ahead is made."""
    last, since_s = descriptors(emberd), time.monotonic()

    def still() -> bool:
        nonlocal last, since_s
        now = descriptors(emberd)
        if now != last:
            last, since_s = now, time.monotonic()
        return time.monotonic() - since_s > 1

    eventually(still, SETTLED_WITHIN_S)
    return last


def none_above(now: dict[str, int], before: dict[str, int]) -> dict[str, int]:
    """What there is now, if no part has more than before."""
    return now if all(now[name] <= before[name] for name in now) else {}
