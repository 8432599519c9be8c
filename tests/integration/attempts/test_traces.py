"""An attempt's trace goes into its sandbox, and what the function tells comes out with its id."""

from __future__ import annotations

import asyncio
import json
import time
from itertools import pairwise
from pathlib import Path

from sandbox.work import AttemptResult, StartLevel
from tests.integration.attempts.playing import host
from tests.integration.attempts.test_function_templates import SNAP, Forking, ready

ROOT = f"Root=1-{'1' * 8}-{'1' * 24}"


def told() -> dict[str, object]:
    document = {
        "id": "b" * 16,
        "name": "work",
        "trace_id": ROOT.removeprefix("Root="),
        "parent_id": "a" * 16,
        "start_time": time.time() - 0.001,
        "end_time": time.time(),
    }
    return {"do": "trace", "document": '{"format":"json"}\n' + json.dumps(document)}


async def test_a_functions_span_belongs_to_the_attempt_in_whose_trace_it_is(tmp_path: Path) -> None:
    async with host(tmp_path) as played:
        header = f"{ROOT};Parent={'a' * 16};Sampled=1"
        await played.run(invocation_id="first", trace_header=header)
        await played.run(told(), invocation_id="second", trace_header=header)
        async with asyncio.timeout(5):
            await played.spans.news()
        records, dropped = played.spans.take(10, 10**9)
    assert [(each.invocation_id, each.span.name) for each in records] == [("second", "work")]
    assert dropped == 0


async def test_a_function_does_not_get_into_a_trace_that_it_was_never_told(tmp_path: Path) -> None:
    async with host(tmp_path) as played:
        header = f"Root=1-{'2' * 8}-{'2' * 24};Parent={'a' * 16};Sampled=1"
        await played.run(told(), trace_header=header)
        async with asyncio.timeout(5):
            await played.spans.news()
        assert played.spans.take(10, 10**9) == ([], 1)


def check_whole(result: AttemptResult) -> list[str]:
    """The parts follow one another without a gap that matters; their names."""
    parts = [each for each in result.phases if not each.parent]
    whole_ns = parts[-1].end_ns - parts[0].start_ns
    assert sum(each.end_ns - each.start_ns for each in parts) >= 0.95 * whole_ns - 1_000_000
    for one, next_one in pairwise(parts):
        assert one.end_ns <= next_one.start_ns
    return [each.name for each in parts]


async def test_the_parts_of_a_fresh_start_follow_one_another(tmp_path: Path) -> None:
    async with host(tmp_path) as played:
        result = await played.run()
    assert result.start_level is StartLevel.FRESH
    assert check_whole(result) == ["queue", "artifact", "sandbox", "init", "invoke"]


async def test_the_parts_of_a_copy_follow_one_another(tmp_path: Path) -> None:
    async with host(tmp_path, Forking()) as played:
        await ready(played)
        result = await played.run(revision=SNAP)
    assert result.start_level is StartLevel.TEMPLATE
    assert check_whole(result) == ["queue", "artifact", "sandbox", "restore", "invoke"]
