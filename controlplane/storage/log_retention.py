"""Which log lines go: those that are too old, and the oldest when there are too many, of a function
with too many first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from controlplane.model.log import LogLine

MIB = 1024 * 1024
DAY_S = 86_400.0
NS_PER_S = 1_000_000_000

AGED_EVERY_S = 600.0
"""Looking for lines that are too old reads all of them, so it is done so often at most."""

LINE_OVERHEAD_BYTES = 200
"""What a line costs beside its message, on disk and in memory, roughly."""


SHARE_KEPT = 0.95
"""A trim goes this far below the cap, so that it is not needed again with the next line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """How much is kept."""

    function_lines: int = 20_000
    function_bytes: int = 16 * MIB
    all_lines: int = 200_000
    all_bytes: int = 256 * MIB
    age_s: float = 30 * DAY_S


DEFAULT_CAPS = Caps()


def size_of(line: LogLine) -> int:
    """What a line counts for."""
    return len(line.message) + LINE_OVERHEAD_BYTES


@dataclass(slots=True)
class _Kept:
    """What is kept of one function, or of all."""

    lines: int = 0
    size: int = 0

    def fits(self, lines_max: float, bytes_max: float) -> bool:
        return self.lines <= lines_max and self.size <= bytes_max


class Retention:
    """Deletes the oldest lines beyond the caps. Lives in the database's thread."""

    def __init__(self, caps: Caps, clock: Callable[[], float]) -> None:
        """The clock tells seconds since the epoch."""
        self._caps = caps
        self._clock = clock
        self._aged_s = 0.0
        self._functions: dict[str, _Kept] | None = None
        self._all = _Kept()

    def load(self, connection: sqlite3.Connection) -> None:
        """Count what an earlier life kept, once, with the first write rather than at the start."""
        if self._functions is None:
            rows = connection.execute(
                "SELECT function_name, count(*), sum(size) FROM log_line GROUP BY function_name"
            ).fetchall()
            self._functions = {name: _Kept(lines, size) for name, lines, size in rows}
            self._recount()

    def age(self, connection: sqlite3.Connection) -> None:
        """Delete what is too old, once in a while; before load, which counts what is left."""
        now_s = self._clock()
        if now_s - self._aged_s < AGED_EVERY_S:
            return
        self._aged_s = now_s
        oldest_ns = int((now_s - self._caps.age_s) * NS_PER_S)
        gone = connection.execute("DELETE FROM log_line WHERE time_ns < ?", (oldest_ns,))
        if gone.rowcount:
            self.forget()

    def added(self, connection: sqlite3.Connection, lines: Sequence[LogLine]) -> None:
        """Count new lines, then trim."""
        for line in lines:
            self._count(line.function_name, 1, size_of(line))
        caps = self._caps
        for name in {line.function_name for line in lines}:
            kept = self._counted(name)
            self._trim(connection, name, kept, caps.function_lines, caps.function_bytes)
        self._trim(connection, None, self._all, caps.all_lines, caps.all_bytes)

    def forget(self) -> None:
        """Count again with the next write."""
        self._functions = None

    def _trim(
        self,
        connection: sqlite3.Connection,
        name: str | None,
        kept: _Kept,
        lines_max: int,
        bytes_max: int,
    ) -> None:
        if kept.fits(lines_max, bytes_max):
            return
        where = "" if name is None else "WHERE function_name = :name"
        oldest = connection.execute(
            f"SELECT id, function_name, size FROM log_line {where} ORDER BY id", {"name": name}
        )
        doomed: list[tuple[int]] = []
        for line_id, function_name, size in oldest:
            if kept.fits(lines_max * SHARE_KEPT, bytes_max * SHARE_KEPT):
                break
            doomed.append((line_id,))
            self._count(function_name, -1, -size)
        oldest.close()
        connection.executemany("DELETE FROM log_line WHERE id = ?", doomed)

    def _counted(self, name: str) -> _Kept:
        assert self._functions is not None
        return self._functions.setdefault(name, _Kept())

    def _count(self, name: str, lines: int, size: int) -> None:
        for kept in (self._counted(name), self._all):
            kept.lines += lines
            kept.size += size

    def _recount(self) -> None:
        counted = (self._functions or {}).values()
        self._all = _Kept(sum(each.lines for each in counted), sum(each.size for each in counted))
