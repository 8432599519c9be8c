"""A scheduler on a stage."""

from __future__ import annotations

import pytest

from tests.unit.scheduler.playing import Play


@pytest.fixture
def play() -> Play:
    return Play()
