"""The framing of streamed answers: application/vnd.amazon.eventstream.

A message is

    total length u32 | headers length u32 | CRC32 of these 8 bytes
    headers: name length u8, name, type u8 (7: string), value length u16, value
    payload
    CRC32 of everything before it

with big-endian numbers. AWS describes it as "vnd.amazon.eventstream encoding".
"""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import cast

from controlplane.api.aws.model import Member, Shape

_PRELUDE = struct.Struct(">II")
_U32 = struct.Struct(">I")
_U16 = struct.Struct(">H")
_STRING = b"\x07"
_FRAMING_BYTES = 16
"""Prelude, its CRC and the CRC at the end."""


def encode_message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message with string headers."""
    packed = b"".join(_header(name, value) for name, value in headers.items())
    prelude = _PRELUDE.pack(_FRAMING_BYTES + len(packed) + len(payload), len(packed))
    message = b"".join((prelude, _U32.pack(zlib.crc32(prelude)), packed, payload))
    return message + _U32.pack(zlib.crc32(message))


def encode_event(shape: Shape, event: Mapping[str, object]) -> bytes:
    """One event of a stream: a mapping from the kind of event to its members.

    Raises:
        ValueError: the model knows no such event.
    """
    ((name, value),) = event.items()
    if name not in shape.members:
        raise ValueError(f"{shape.name} has no event {name}")
    content_type, payload = _payload(shape.members[name].shape, cast("Mapping[str, object]", value))
    headers = {":event-type": name, ":content-type": content_type, ":message-type": "event"}
    return encode_message(headers, payload)


async def encode_events(
    shape: Shape, events: AsyncGenerator[Mapping[str, object], None]
) -> AsyncGenerator[bytes, None]:
    """The events as messages, each as soon as it is there; closing it closes the events."""
    async with aclosing(events):
        async for event in events:
            yield encode_event(shape, event)


def _header(name: str, value: str) -> bytes:
    raw_name, raw_value = name.encode(), value.encode()
    return b"".join(
        (bytes((len(raw_name),)), raw_name, _STRING, _U16.pack(len(raw_value)), raw_value)
    )


def _payload(shape: Shape, value: Mapping[str, object]) -> tuple[str, bytes]:
    whole = next((each for each in shape.members.values() if each.event_payload), None)
    if whole is not None:
        return "application/octet-stream", cast("bytes", value.get(whole.name, b""))
    body = {
        member.wire_name: _plain(member, value[name])
        for name, member in shape.members.items()
        if value.get(name) is not None
    }
    return "application/json", json.dumps(body, ensure_ascii=False).encode()


def _plain(member: Member, value: object) -> object:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
