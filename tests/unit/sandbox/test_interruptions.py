"""Runtimes that interrupt their function themselves when its time is up."""

from __future__ import annotations

import pytest

from sandbox import outcomes
from sandbox.runtimeapi import FunctionFailure, Response


def failure(error_type: str) -> FunctionFailure:
    return FunctionFailure(payload=b"{}", error_type=error_type)


def test_only_a_runtime_that_interrupts_gets_a_grace() -> None:
    assert outcomes.grace_s("wasm") > 0
    assert outcomes.grace_s("python3.12") == 0
    assert outcomes.grace_s("unheard-of") == 0


@pytest.mark.parametrize(
    ("error_type", "runtime_id", "interrupted"),
    [
        ("Runtime.OutOfTime", "wasm", True),
        ("Runtime.OutOfTime", "python3.12", False),
        ("Runtime.WasmTrap", "wasm", False),
    ],
)
def test_an_interruption_is_what_such_a_runtime_says(
    error_type: str, runtime_id: str, interrupted: bool
) -> None:
    assert outcomes.was_interrupted(failure(error_type), runtime_id) is interrupted
    answer = Response(payload=b"{}", content_type="application/json")
    assert not outcomes.was_interrupted(answer, runtime_id)
