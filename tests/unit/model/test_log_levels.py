"""Which level a line states."""

from __future__ import annotations

import pytest

from controlplane.model.log_levels import Level, level_of


@pytest.mark.parametrize(
    ("message", "level"),
    [
        (b"START RequestId: 8e2a Version: $LATEST", Level.INFO),
        (b"REPORT RequestId: 8e2a\tDuration: 3 ms", Level.INFO),
        (b"[ERROR] KeyError: 'x'\rTraceback (most recent call last):", Level.ERROR),
        (b"[WARNING]\t2026-01-31T12:00:00.000Z\tid\tlow on disk", Level.WARN),
        (b"2026-01-31T12:00:00.000Z\t8e2a6a4e-8f5b-4d5c-9a55-6a7f5d6a1f00\tDEBUG\tx", Level.DEBUG),
        (b'{"timestamp": "2026", "level": "ERROR", "message": "x"}', Level.ERROR),
        (b'{"severity":"warning"}', Level.WARN),
        (b'{"level":"CRITICAL"}', Level.FATAL),
        (b"2026-01-31T12:00:00Z 8e2a Task timed out after 3.00 seconds", Level.ERROR),
        (b"RequestId: 8e2a Error: Runtime exited with error: exit status 1", Level.ERROR),
        (b"hello", None),
        (b"an ERROR is no level in the middle", None),
        (b"{no json", None),
        (b"\xff\xfe", None),
    ],
)
def test_a_line_states_its_level_as_runtimes_do(message: bytes, level: Level | None) -> None:
    assert level_of(message) is level
