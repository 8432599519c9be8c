"""What an operator needs to know stands in the log line, not only in the record."""

from __future__ import annotations

import logging
import re

from emberd.wire.logtext import ValuesFormatter


def line(**extra: object) -> str:
    record = logging.getLogger("a.b").makeRecord(
        "a.b", logging.WARNING, "", 0, "not attached", (), None, extra=extra
    )
    return ValuesFormatter("agent").format(record)


def test_the_values_of_a_record_stand_behind_its_message():
    assert re.fullmatch(
        r"[-\d]+ [:,\d]+ agent WARNING a\.b: not attached why=\"no\\ntoken\" failures=2",
        line(why="no\ntoken", failures=2),
    )


def test_a_value_that_json_cannot_hold_is_written_as_text():
    assert line(error=ValueError("bad")).endswith('not attached error="bad"')


def test_a_record_without_values_ends_with_its_message():
    assert line().endswith("a.b: not attached")
