"""Streamed answers as botocore's own reader takes them apart."""

from __future__ import annotations

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from controlplane.api.aws.eventstream import encode_event, encode_events, encode_message
from controlplane.api.aws.model import load_model

EVENTS = load_model("lambda").shape("InvokeWithResponseStreamResponseEvent")


def read(content, size=7):
    """The messages in a stream that arrives in small pieces."""
    buffer = EventStreamBuffer()
    messages = []
    for start in range(0, len(content), size):
        buffer.add_data(content[start : start + size])
        messages += [(dict(message.headers), message.payload) for message in buffer]
    return messages


@given(
    headers=st.dictionaries(
        st.text(st.characters(codec="ascii"), min_size=1, max_size=20), st.text(max_size=50)
    ),
    payload=st.binary(max_size=300),
)
def test_a_message_is_read_back(headers, payload):
    assert read(encode_message(headers, payload)) == [(headers, payload)]


def test_a_piece_of_an_answer_is_bytes_and_the_end_is_json():
    content = encode_event(EVENTS, {"PayloadChunk": {"Payload": b"\x00\xff"}})
    content += encode_event(EVENTS, {"InvokeComplete": {"LogResult": "bG9n", "ErrorCode": None}})
    assert read(content) == [
        (
            {
                ":event-type": "PayloadChunk",
                ":content-type": "application/octet-stream",
                ":message-type": "event",
            },
            b"\x00\xff",
        ),
        (
            {
                ":event-type": "InvokeComplete",
                ":content-type": "application/json",
                ":message-type": "event",
            },
            b'{"LogResult": "bG9n"}',
        ),
    ]


def test_an_event_that_the_model_does_not_know_is_our_mistake():
    with pytest.raises(ValueError, match="has no event Payload"):
        encode_event(EVENTS, {"Payload": {}})


async def test_closing_the_messages_closes_the_events():
    closed = []

    async def events():
        try:
            while True:
                yield {"PayloadChunk": {"Payload": b"x"}}
        finally:
            closed.append(True)

    messages = encode_events(EVENTS, events())
    assert read(await anext(messages))[0][1] == b"x"
    await messages.aclose()
    assert closed == [True]
