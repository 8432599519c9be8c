"""Functions call emberd back from inside their sandboxes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.e2e.system import Emberd

WITHIN_S = 5.0


@pytest.fixture(scope="module")
def caller(emberd: Emberd, functions: Path) -> str:
    emberd.deploy(functions / "caller", "caller", timeout=30)
    return "caller"


def test_a_function_reaches_emberds_own_api(emberd: Emberd, caller: str) -> None:
    answer = emberd.answer(caller, {"do": "get", "path": "/health"})
    assert answer == {"status": 200, "body": {"status": "ok", "hosts": 1}}


def test_a_flood_from_one_sandbox_keeps_nobody_else_from_calling(
    emberd: Emberd, functions: Path, caller: str
) -> None:
    emberd.deploy(functions / "caller", "flooder", timeout=30)
    told = emberd.answer("flooder", {"do": "flood", "connections": 1_000})
    assert isinstance(told, int)
    assert told > 0
    begun = time.monotonic()
    answer = emberd.answer(caller, {"do": "get", "path": "/health"})
    assert answer == {"status": 200, "body": {"status": "ok", "hosts": 1}}
    assert time.monotonic() - begun < WITHIN_S
