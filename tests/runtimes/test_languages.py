"""The example in every language: built and deployed by its line in the README, and called."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.system import Emberd
from tests.runtimes.tools import REPOSITORY

BUILD_S = 170.0
README = REPOSITORY / "examples" / "wasm" / "README.md"
COMMANDS = dict(re.findall(r"^# (\w+): .*\n(.+)$", README.read_text(), re.MULTILINE))
"""By language: what builds and deploys it."""

COMPONENTS = ("Rust", "JavaScript", "Python")
"""Their failures have a type of their own; commands exit."""


def test_five_languages_are_shown() -> None:
    assert sorted(COMMANDS) == ["C", "Go", "JavaScript", "Python", "Rust"]


@pytest.fixture(scope="module", params=sorted(COMMANDS))
def language(request: pytest.FixtureRequest, emberd: Emberd, sources: Path) -> str:
    """One that is built from its source and deployed as shop-LANGUAGE."""
    done = subprocess.run(
        ["/bin/sh", "-c", COMMANDS[request.param]],
        cwd=sources,
        env={**os.environ, **emberd.environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=BUILD_S,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return str(request.param)


def test_it_answers_every_event_anew(emberd: Emberd, language: str) -> None:
    for count in (2, 3):
        answer = emberd.answer(f"shop-{language.lower()}", {"item": "tea", "count": count})
        assert answer == {"item": "tea", "cents": 250 * count, "orders": 1}


def test_what_goes_wrong_in_it_is_told(emberd: Emberd, language: str) -> None:
    failed = emberd.failure(f"shop-{language.lower()}", "no order")
    wanted = "Shop.NoOrder" if language in COMPONENTS else "Runtime.WasmExit"
    assert failed["errorType"] == wanted, failed
