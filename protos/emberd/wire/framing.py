"""Messages on a stream of bytes: four bytes of length, then the message. Pure."""

from __future__ import annotations

MESSAGE_BYTES_MAX = 32 * 1024 * 1024
"""Twice what 256 frames with the largest payloads measure: more is no message of ours."""

_LENGTH_BYTES = 4


class FramingError(Exception):
    """What came is not ours."""


def framed(message: bytes) -> bytes:
    """A message as it travels."""
    return len(message).to_bytes(_LENGTH_BYTES) + message


class MessageReader:
    """Bytes in as they come, whole messages out. Holds one unfinished message at most."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """What is whole now, in order.

        Raises:
            FramingError: a message would be longer than any of ours.
        """
        held = self._held
        held += data
        start, messages = 0, []
        while len(held) - start >= _LENGTH_BYTES:
            begin = start + _LENGTH_BYTES
            end = begin + int.from_bytes(held[start:begin])
            if end - begin > MESSAGE_BYTES_MAX:
                raise FramingError(f"a message of {end - begin} bytes")
            if end > len(held):
                break
            messages.append(bytes(held[begin:end]))
            start = end
        del held[:start]
        return messages
