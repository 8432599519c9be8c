"""An idle sandbox is kept the longer, the more a new one would cost."""

from __future__ import annotations

import pytest

from sandbox.keepalive import LONGEST_S, SHORTEST_S, keep_s
from sandbox.starts import Started
from sandbox.work import Phase


@pytest.mark.parametrize(
    ("start_s", "kept_s"),
    [(0.0, SHORTEST_S), (0.02, SHORTEST_S), (0.1, 300.0), (0.15, 450.0), (4.0, LONGEST_S)],
)
def test_it_is_kept_by_what_its_start_took(start_s: float, kept_s: float) -> None:
    assert keep_s(start_s) == pytest.approx(kept_s)


def test_a_start_is_what_another_one_would_take_so_the_download_does_not_count() -> None:
    started = Started(
        guard=None,  # type: ignore[arg-type]
        phases=(
            Phase(name="artifact", start_ns=0, end_ns=8_000_000_000),
            Phase(name="sandbox", start_ns=8_000_000_000, end_ns=8_010_000_000),
            Phase(name="init", start_ns=8_010_000_000, end_ns=8_250_000_000),
        ),
    )
    assert started.taken_s == pytest.approx(0.25)
