"""With one wall left out, then two: which attacks get through, as docs/security.md says.

EMBERD_RECORD_WALLS=1 writes what was seen into the table instead of comparing.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from sandbox.process.backend import ProcessBackend
from sandbox.process.syscalls import landlock_abi
from tests.host.attacks import kit
from tests.host.harness import Host, read_until, what_is_missing
from tests.host.test_attacks import spec_of_attacks

pytestmark = [
    pytest.mark.host,
    pytest.mark.skipif(bool(what_is_missing()), reason=f"needs {what_is_missing()}"),
]

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
LEFT_OUT = (("seccomp",), ("landlock",), ("seccomp", "landlock"))
BEGIN, END = "<!-- attacks that a wall holds: begin -->\n", "<!-- end -->"
HEAD = "| attack | without seccomp | without Landlock | without both |\n|---|---|---|---|\n"

_seen: list[frozenset[str]] = []


@pytest.fixture
async def opened(tmp_path_factory: pytest.TempPathFactory) -> list[frozenset[str]]:
    """Which attacks get through, for each of LEFT_OUT."""
    if not _seen:
        for left_out in LEFT_OUT:
            outcomes = await _outcomes_without(left_out, tmp_path_factory.mktemp("weak"))
            _seen.append(
                frozenset(name for name, each in kit.PROBES.items() if each.is_open(outcomes[name]))
            )
    return _seen


async def _outcomes_without(left_out: tuple[str, ...], folder: Path) -> Mapping[str, object]:
    host = Host(folder, left_out=left_out)
    host.prepare()
    try:
        backend = await ProcessBackend.connect(host.start())
        sandbox = await backend.create(spec_of_attacks(host))
        told: Mapping[str, object] = json.loads(read_until(sandbox.log_fd, b"\n", 60))
        await sandbox.destroy()
        await backend.close()
    finally:
        host.close()
    assert set(told) == set(kit.PROBES)
    return told


def table_of(opened: list[frozenset[str]]) -> str:
    """The table of docs/security.md: only rows in which something opens."""
    rows = [
        f"| {name} | {' | '.join('open' if name in each else 'held' for each in opened)} |\n"
        for name in sorted(frozenset().union(*opened) - OURS)
    ]
    return HEAD + "".join(rows)


OURS = frozenset({"our Seccomp"})
"""Tells that the wall is there, and is no attack."""


async def test_whatever_would_lead_out_meets_two_walls(opened: list[frozenset[str]]) -> None:
    escapes = {name for name, each in kit.PROBES.items() if each.escapes}
    assert len(escapes) > 100
    for one_wall_less in opened[:2]:
        assert not one_wall_less & escapes


@pytest.mark.skipif(landlock_abi() < 6, reason="the table is of kernels with Landlock's scopes")
async def test_the_page_tells_which_attacks_a_wall_alone_holds(
    opened: list[frozenset[str]],
) -> None:
    before, rest = PAGE.read_text().split(BEGIN)
    table, after = rest.split(END, 1)
    if os.environ.get("EMBERD_RECORD_WALLS"):
        PAGE.write_text(f"{before}{BEGIN}\n{table_of(opened)}\n{END}{after}")
        return
    assert re.sub(r"\n+", "\n", table).strip() == table_of(opened).strip()


async def test_a_host_without_a_wall_says_so_in_every_line(tmp_path: Path) -> None:
    host = Host(tmp_path, left_out=("landlock",))
    host.prepare()
    backend = await ProcessBackend.connect(host.start())
    assert any(note.startswith("landlock: left out") for note in backend.isolation_notes)
    await backend.close()
    host.close()
    lines = [line for line in host.log.read_text().splitlines() if " launcher " in line]
    assert lines
    assert all('missing_walls=["landlock"]' in line for line in lines)
