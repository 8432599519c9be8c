"""The log of our own programs: constant messages, with the values of `extra` behind them.

2026-01-31 12:00:00,000 agent WARNING sandbox.session: not attached why="no token"
"""

from __future__ import annotations

import json
import logging

_LIBRARYS_OWN = {
    *logging.LogRecord("", 0, "", 0, "", None, None).__dict__,
    "message",
    "asctime",
    "taskName",
}
"""What every record has; all else came from extra."""


class ValuesFormatter(logging.Formatter):
    """Formats a record on one line, its extra values included; a traceback follows."""

    def __init__(self, program: str) -> None:
        super().__init__(f"%(asctime)s {program} %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line without its traceback."""
        values = (
            f" {name}={json.dumps(value, default=str, ensure_ascii=False)}"
            for name, value in record.__dict__.items()
            if name not in _LIBRARYS_OWN
        )
        return super().formatMessage(record) + "".join(values)


def say_in_every_line(name: str, value: object) -> None:
    """Add a value to whatever this process logs from now on."""
    make = logging.getLogRecordFactory()

    def make_and_say(*arguments: object, **options: object) -> logging.LogRecord:
        record = make(*arguments, **options)
        setattr(record, name, value)
        return record

    logging.setLogRecordFactory(make_and_say)


def log_to_stderr(program: str, level: str) -> None:
    """Let everything from this level on go to standard error, under the program's name."""
    handler = logging.StreamHandler()
    handler.setFormatter(ValuesFormatter(program))
    logging.basicConfig(level=level, handlers=[handler])
