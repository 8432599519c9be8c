"""What `emberd top` draws on a terminal."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from controlplane.cli.picture import picture
from controlplane.cli.top import FUNCTION_COLUMNS, HOST_COLUMNS, view
from tests.unit.metrics.test_top import load, look


def drawn(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    shown = view(look(1), look(2, load("hello", [0.1] * 3, errors=2), load("\x1b[31mred", [0.1])))
    out = io.StringIO()
    console = Console(file=out, width=120, force_terminal=True, color_system="standard")
    console.print(picture(shown, HOST_COLUMNS, FUNCTION_COLUMNS))
    return out.getvalue()


def test_errors_stand_out_and_names_cannot_colour_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = drawn(monkeypatch, TERM="xterm")
    assert re.search(r"\x1b\[31m *2\x1b\[0m", text)
    assert "\\x1b[31mred" in text
    assert all(column in text for column in (*HOST_COLUMNS, *FUNCTION_COLUMNS))


def test_no_color_leaves_the_colours_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[31m" not in drawn(monkeypatch, TERM="xterm", NO_COLOR="1")
