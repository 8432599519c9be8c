"""An attempt's trace goes into its sandbox, and what the function tells comes out with its id."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

from tests.integration.attempts.playing import host

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
