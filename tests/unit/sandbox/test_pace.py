"""How fast a streamed answer may leave."""

from __future__ import annotations

from sandbox.pace import Pace


def test_the_burst_leaves_at_once_and_the_rest_at_its_rate():
    pace = Pace(burst_bytes=600, bytes_per_s=200, now_s=0)
    assert pace.delay_s(600, 0) == 0
    assert pace.delay_s(100, 0) == 0.5
    assert pace.delay_s(100, 0.5) == 0.5
    assert pace.delay_s(100, 1.5) == 0


def test_a_pause_saves_up_no_more_than_the_burst():
    pace = Pace(burst_bytes=600, bytes_per_s=200, now_s=0)
    assert pace.delay_s(600, 1000) == 0
    assert pace.delay_s(200, 1000) == 1.0


def test_without_a_rate_nothing_ever_waits():
    pace = Pace(burst_bytes=1, bytes_per_s=0, now_s=0)
    assert pace.delay_s(10**9, 0) == 0
