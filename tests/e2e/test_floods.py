"""A function that floods or abuses what it can reach changes nothing outside its own sandbox."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.system import Emberd, eventually

MIB = 1024 * 1024
GIB = 1024 * MIB
AGENT_MAY_GROW_BYTES = 16 * MIB
LINE_BYTES_MAX = 256 * 1024
NEIGHBOUR_WITHIN_S = 5.0
"""A cold start of the command line is in it; what is meant is that nobody waits for a flood."""
SPARE_DESCRIPTORS = 4
ENDLESS_S = 5
"""What is written without end is read at an eighth of the loop's time, so a flood ends by time."""


@pytest.fixture(scope="module")
def floods(emberd: Emberd, functions: Path) -> str:
    emberd.deploy(functions / "floods", "floods", timeout=60, memory=1769)
    emberd.deploy(functions / "floods", "endless", timeout=ENDLESS_S, memory=1769)
    emberd.deploy(functions / "echo", "neighbour", timeout=30)
    emberd.answer("neighbour", 1)
    assert emberd.answer("floods", {"do": "nothing"}) == "well"
    return "floods"


@pytest.fixture(autouse=True)
def nothing_changes(emberd: Emberd, floods: str) -> Iterator[None]:
    """Whatever was done: the neighbour answers at once, and the parts are those of before."""
    parts = {name: emberd.part(name) for name in ("control plane", "agent", "launcher")}
    yield
    begun = time.monotonic()
    assert emberd.answer("neighbour", {"still": "here"}) == {"still": "here"}
    assert time.monotonic() - begun < NEIGHBOUR_WITHIN_S
    assert {name: emberd.part(name) for name in parts} == parts
    # What was done may have cost the function its own runtime, but never more than that.
    eventually(lambda: is_well(emberd, floods), NEIGHBOUR_WITHIN_S)


def is_well(emberd: Emberd, name: str) -> bool:
    done = emberd.run("invoke", name, "--payload", json.dumps({"do": "nothing"}))
    return done.returncode == 0 and json.loads(done.stdout) == "well"


def resident_bytes(emberd: Emberd, part: str) -> int:
    status = Path(f"/proc/{emberd.part(part).pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


def descriptors(emberd: Emberd, part: str) -> int:
    return len(os.listdir(f"/proc/{emberd.part(part).pid}/fd"))


def messages(emberd: Emberd, name: str) -> list[str]:
    """The function's log, as the command line gives it to programs."""
    shown = emberd.ok("logs", name, "--format", "json", "--lines", "10000").decode()
    return [json.loads(line)["message"] for line in shown.splitlines()]


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param("a line like many others\n", id="lines without end"),
        pytest.param("\n", id="nothing but line feeds"),
        pytest.param("x", id="one line without end"),
        pytest.param("\0", id="NULs"),
        pytest.param("\x1b[31m\xff\xfe\r", id="no text"),
    ],
)
def test_the_agent_does_not_grow_with_what_a_function_writes(emberd: Emberd, piece: str) -> None:
    check_flood(emberd, {"do": "write", "piece": piece, "bytes": GIB})


HEADER = '{"format":"json","version":1}\n'


@pytest.mark.parametrize(
    "document",
    [
        pytest.param("noise", id="noise"),
        pytest.param(HEADER + "[" * 60_000, id="brackets"),
        pytest.param(HEADER + '{"a":"' + "x" * 60_000 + '"}', id="large"),
        pytest.param(HEADER + '{"trace_id":"1-11111111-' + "1" * 24 + '"}', id="small"),
    ],
)
def test_nobody_waits_for_what_a_function_tells_without_end(emberd: Emberd, document: str) -> None:
    check_flood(emberd, {"do": "tell", "document": document})


def check_flood(emberd: Emberd, event: dict[str, object]) -> None:
    """Until its time-out ends it, neither does the agent grow nor does a neighbour wait."""
    before = resident_bytes(emberd, "agent")
    flood = emberd.begin_run("invoke", "endless", "--payload", json.dumps(event))
    peak, waited_s = before, []
    while flood.poll() is None:
        asked = time.monotonic()
        assert emberd.answer("neighbour", 1) == 1
        waited_s.append(time.monotonic() - asked)
        peak = max(peak, resident_bytes(emberd, "agent"))
    said, _ = flood.communicate()
    assert json.loads(said)["errorType"] == "Sandbox.Timedout"
    assert peak - before < AGENT_MAY_GROW_BYTES
    assert len(waited_s) > 1
    assert max(waited_s) < NEIGHBOUR_WITHIN_S
    grown_mib = (peak - before) / MIB
    print(f"{event['do']}: agent grew {grown_mib:.1f} MiB, neighbour {max(waited_s):.2f} s")


def test_a_long_line_is_cut(emberd: Emberd, floods: str) -> None:
    emberd.answer(floods, {"do": "write", "piece": "long", "bytes": 3 * LINE_BYTES_MAX})
    lengths = eventually(
        lambda: [len(each.rstrip("\n")) for each in messages(emberd, floods) if "longlong" in each],
        NEIGHBOUR_WITHIN_S,
    )
    assert max(lengths) == LINE_BYTES_MAX


def test_what_is_no_text_and_what_a_terminal_would_obey_is_shown_and_not_done(
    emberd: Emberd, floods: str
) -> None:
    hostile = "\x1b]0;owned\x07\x1b[2J\x9b31m\xff\xfe\r\b marked\n"
    emberd.answer(floods, {"do": "write", "piece": hostile, "bytes": len(hostile)})

    def shown() -> bytes:
        return emberd.ok("logs", floods, "--lines", "20")

    eventually(lambda: b"marked" in shown(), NEIGHBOUR_WITHIN_S)
    text = shown().decode()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
    assert "owned" in text


def test_who_answers_twice_is_heard_once(emberd: Emberd, floods: str) -> None:
    assert emberd.answer(floods, {"do": "answer twice"}) == "first"
    # What the runtime posted for it was refused, and spoils no later event.
    assert emberd.answer(floods, {"do": "nothing"}) == "well"


def test_nobody_answers_for_another(emberd: Emberd, floods: str) -> None:
    other = "8e2a6a4e-8f5b-4d5c-9a55-6a7f5d6a1f00"
    assert emberd.answer(floods, {"do": "answer another", "id": other}) == 400


@pytest.mark.parametrize("to", ["runtime api", "own api", "collector"])
@pytest.mark.parametrize(
    ("say", "connections"),
    [
        pytest.param(
            "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nContent-Length: 1000\r\n\r\n{",
            50,
            id="bodies that never end",
        ),
        pytest.param("", 1_000, id="connections that say nothing"),
        pytest.param("\x16\x03\x01 noise \r\n\r\n", 200, id="noise"),
    ],
)
def test_connections_that_misbehave_harm_their_own_sandbox_only(
    emberd: Emberd, floods: str, to: str, say: str, connections: int
) -> None:
    before = descriptors(emberd, "agent"), resident_bytes(emberd, "agent")
    event = {"do": "connect", "to": to, "say": say, "connections": connections}
    emberd.run("invoke", floods, "--payload", json.dumps(event))
    begun = time.monotonic()
    assert emberd.answer("neighbour", 1) == 1
    assert time.monotonic() - begun < NEIGHBOUR_WITHIN_S
    assert descriptors(emberd, "agent") - before[0] <= 64 + 32 + SPARE_DESCRIPTORS
    assert resident_bytes(emberd, "agent") - before[1] < AGENT_MAY_GROW_BYTES


@pytest.mark.parametrize("to", ["runtime api", "own api", "collector"])
def test_heads_that_come_a_byte_at_a_time_keep_nobody_waiting(
    emberd: Emberd, floods: str, to: str
) -> None:
    event = {"do": "drip", "to": to, "connections": 30}
    drip = emberd.begin_run("invoke", floods, "--payload", json.dumps(event))
    begun = time.monotonic()
    assert emberd.answer("neighbour", 1) == 1
    assert time.monotonic() - begun < NEIGHBOUR_WITHIN_S
    drip.communicate()
