"""Starts a function of the test's own on any Python runtime of this host."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tests.integration.python_runtime.process import FUNCTIONS, Function, Start, start_process


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts a function: start(kind, handler, files, environment)."""
    async with contextlib.AsyncExitStack() as stack:

        async def begin(
            kind: str,
            handler: str,
            files: Mapping[str, str] | None = None,
            environment: Mapping[str, str] | None = None,
        ) -> Function:
            task = tmp_path / "task"
            shutil.copytree(FUNCTIONS, task, dirs_exist_ok=True)
            for name, text in (files or {}).items():
                (task / name).parent.mkdir(parents=True, exist_ok=True)
                (task / name).write_text(text, encoding="utf-8")
            return await start_process(stack, kind, handler, task, dict(environment or {}))

        yield begin
