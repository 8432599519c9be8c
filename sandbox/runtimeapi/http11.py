"""HTTP/1.1 requests out of a byte stream. Pure: bytes go in with feed, pieces come out of pull.

Strict where it matters for framing (lengths, chunk sizes, one way to say where a body ends), and
with no wish to be a general server: the only clients are runtimes on the other end of the socket.
Written by hand because it is twice as fast as the ready-made server on this path (0.15 ms instead
of 0.30 for an answer and the next event), and because headers of up to a megabyte must pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

CHUNK_LINE_LIMIT_BYTES = 1024
TRAILER_LIMIT_BYTES = 64 * 1024
_HEXADECIMAL = b"0123456789abcdefABCDEF"


class BadRequestError(Exception):
    """The stream is not HTTP that we accept; nothing after it can be understood.

    Attributes:
        status: The HTTP status to answer before closing.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A request without its body."""

    method: str
    path: str
    """As sent, without the query."""
    headers: dict[str, str]
    """Names in lower case; of a repeated header the last."""
    length: int | None
    """Of the body; None when it comes in chunks."""
    keep_alive: bool

    def header(self, name: str) -> str:
        """A header's value, or the empty string."""
        return self.headers.get(name, "")


@dataclass(frozen=True, slots=True)
class BodyPart:
    """Some of the body; never empty."""

    data: bytes


@dataclass(frozen=True, slots=True)
class End:
    """The request is whole."""

    trailers: dict[str, str] = field(default_factory=dict)


_NO_TRAILERS = End()


class RequestParser:
    """Turns what arrives on one connection into heads, body parts and ends."""

    def __init__(self, head_limit_bytes: int) -> None:
        self._limit = head_limit_bytes
        self._buffer = bytearray()
        self._searched = 0
        """How far the buffer was searched for the end of a head."""
        self._step: Callable[[], Head | BodyPart | End | None] = self._head
        self._left = 0
        """What is missing of the body or the chunk."""

    def feed(self, data: bytes) -> None:
        """Take what arrived."""
        self._buffer += data

    def pull(self) -> Head | BodyPart | End | None:
        """The next piece, or None until more has arrived.

        Raises:
            BadRequestError: this is no HTTP; close the connection.
        """
        return self._step()

    @property
    def buffered_bytes(self) -> int:
        """How much has arrived and was not pulled yet."""
        return len(self._buffer)

    @property
    def head_bytes(self) -> int:
        """How much of an unfinished head is held."""
        return len(self._buffer) if self._step == self._head else 0

    def _head(self) -> Head | None:
        end = self._buffer.find(b"\r\n\r\n", self._searched)
        if end < 0:
            if len(self._buffer) > self._limit:
                raise BadRequestError(f"the head is larger than {self._limit} bytes", 431)
            self._searched = max(0, len(self._buffer) - 3)
            return None
        raw = bytes(self._buffer[:end])
        del self._buffer[: end + 4]
        self._searched = 0
        head = parse_head(raw)
        if head.length is None:
            self._step = self._chunk_size
        else:
            self._left = head.length
            self._step = self._sized_body
        return head

    def _sized_body(self) -> BodyPart | End | None:
        if not self._left:
            self._step = self._head
            return _NO_TRAILERS
        return self._take()

    def _take(self) -> BodyPart | None:
        if not self._buffer:
            return None
        data = bytes(self._buffer[: self._left])
        del self._buffer[: len(data)]
        self._left -= len(data)
        return BodyPart(data)

    def _chunk_size(self) -> Head | BodyPart | End | None:
        line = self._line(CHUNK_LINE_LIMIT_BYTES)
        if line is None:
            return None
        digits = line.split(b";", 1)[0].strip()
        if (
            not digits
            or len(digits) > 15
            or not all(c in b"0123456789abcdefABCDEF" for c in digits)
        ):
            raise BadRequestError("a chunk's size is not hexadecimal")
        self._left = int(digits, 16)
        self._step = self._chunk if self._left else self._trailers
        return self._step()

    def _chunk(self) -> Head | BodyPart | End | None:
        if self._left:
            return self._take()
        if len(self._buffer) < 2:
            return None
        if self._buffer[:2] != b"\r\n":
            raise BadRequestError("a chunk is longer than its size says")
        del self._buffer[:2]
        self._step = self._chunk_size
        return self._step()

    def _trailers(self) -> End | None:
        if self._buffer.startswith(b"\r\n"):
            del self._buffer[:2]
            self._step = self._head
            return _NO_TRAILERS
        end = self._buffer.find(b"\r\n\r\n", self._searched)
        if end < 0:
            if len(self._buffer) > TRAILER_LIMIT_BYTES:
                raise BadRequestError("the trailers are too large", 431)
            self._searched = max(0, len(self._buffer) - 3)
            return None
        raw = bytes(self._buffer[:end])
        del self._buffer[: end + 4]
        self._searched = 0
        self._step = self._head
        return End(parse_fields(raw.split(b"\r\n")))

    def _line(self, limit: int) -> bytes | None:
        end = self._buffer.find(b"\r\n", 0, limit)
        if end < 0:
            if len(self._buffer) >= limit:
                raise BadRequestError("a chunk's size line is too long")
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line


def parse_head(raw: bytes) -> Head:
    """The request line and the headers, without the empty line after them.

    Raises:
        BadRequestError: something in it is malformed.
    """
    lines = raw.lstrip(b"\r\n").split(b"\r\n")
    try:
        method, target, version = lines[0].decode("ascii").split(" ")
    except ValueError:
        raise BadRequestError("the request line is malformed") from None
    if version not in ("HTTP/1.1", "HTTP/1.0"):
        raise BadRequestError("only HTTP/1.1 and HTTP/1.0 are spoken here")
    headers = parse_fields(lines[1:])
    connection = headers.get("connection", "").lower()
    return Head(
        method=method,
        path=target.split("?", 1)[0],
        headers=headers,
        length=_length_of(headers),
        keep_alive=connection != "close" and (version == "HTTP/1.1" or connection == "keep-alive"),
    )


def parse_fields(lines: list[bytes]) -> dict[str, str]:
    """Header lines as a dict.

    Raises:
        BadRequestError: a line is no header, or two lengths contradict each other.
    """
    fields: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not name or name != name.strip():
            raise BadRequestError("a header line is malformed")
        key = name.decode("latin-1").lower()
        text = value.decode("utf-8", "surrogateescape").strip()
        if key in ("content-length", "transfer-encoding") and fields.get(key, text) != text:
            raise BadRequestError(f"two different {key} headers")
        fields[key] = text
    return fields


def _length_of(headers: dict[str, str]) -> int | None:
    length, encoding = headers.get("content-length"), headers.get("transfer-encoding")
    if encoding is not None:
        if length is not None:
            raise BadRequestError("both content-length and transfer-encoding are set")
        if encoding.lower() != "chunked":
            raise BadRequestError("the only transfer-encoding is chunked")
        return None
    if length is None:
        return 0
    if not length.isascii() or not length.isdigit() or len(length) > 15:
        raise BadRequestError("content-length is no number")
    return int(length)
