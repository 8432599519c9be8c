"""Nothing that a function writes can steer the terminal of who reads its log."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from controlplane.cli.printable import printable


def test_escape_sequences_are_shown_instead_of_obeyed() -> None:
    assert printable(b"\x1b[31mred\x1b[0m") == "\\x1b[31mred\\x1b[0m"


def test_bytes_that_are_no_text_are_shown_as_escapes() -> None:
    assert printable(b"a\xff\xfe\x9b2Jb") == "a\\xff\\xfe\\x9b2Jb"


def test_the_one_byte_control_sequence_of_unicode_is_shown_too() -> None:
    assert printable("\x9b2J".encode()) == "\\x9b2J"


def test_text_that_would_be_reordered_is_shown_in_order() -> None:
    assert printable("a\u202eb\u2066c") == "a\\u202eb\\u2066c"


def test_tabs_and_letters_of_every_script_stay() -> None:
    assert printable("REPORT\tDuration: 1 ms \u00a0 é 日本語 🔥") == (
        "REPORT\tDuration: 1 ms \u00a0 é 日本語 🔥"
    )


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_no_control_character_ever_passes(written: bytes | str) -> None:
    shown = printable(written)
    assert all(unicodedata.category(each) != "Cc" or each == "\t" for each in shown)
