"""Messages on a stream of bytes, however they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emberd.wire.framing import MESSAGE_BYTES_MAX, FramingError, MessageReader, framed


@given(st.lists(st.binary(max_size=40), max_size=10), st.integers(1, 20))
def test_whatever_pieces_they_come_in_messages_are_whole_and_in_order(messages, piece):
    sent, reader, came = b"".join(framed(each) for each in messages), MessageReader(), []
    for start in range(0, len(sent), piece):
        came += reader.feed(sent[start : start + piece])
    assert came == messages


def test_a_length_that_is_no_message_of_ours_is_refused_before_it_is_collected():
    with pytest.raises(FramingError):
        MessageReader().feed((MESSAGE_BYTES_MAX + 1).to_bytes(4))
