"""The Runtime API over one raw keep-alive connection.

The built-in _socket is used directly: the socket module around it imports enum and selectors,
http.client imports email and ssl; together they would double the time of a cold start.
"""

from __future__ import annotations

import sys
from _socket import AF_INET, IPPROTO_TCP, SOCK_STREAM, TCP_NODELAY
from _socket import socket as Socket

_HEAD_BYTES = 16 * 1024
_BODY_PART_BYTES = 1024 * 1024
"""How much is received at once; a large buffer for a small event costs page faults."""

_SMALL_BYTES = 64 * 1024
"""Up to here it is cheaper to copy a body behind its head than to send twice."""

_ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
_ERROR_BODY = "Lambda-Runtime-Function-Error-Body"


class RuntimeApiError(Exception):
    """The Runtime API refused a call or went away; the process has no reason to go on."""


class Invocation:
    """One event as it came."""

    __slots__ = ("body", "headers")

    def __init__(self, headers: dict[str, str], body: bytes) -> None:
        self.headers = headers
        self.body = body

    def header(self, name: str) -> str | None:
        """A header by its lower-case name."""
        return self.headers.get(name)


class RuntimeApi:
    """Fetches events and posts answers, one after the other."""

    def __init__(self, address: str, connection: Socket | None = None) -> None:
        host, _, port = address.rpartition(":")
        self._peer = (host, int(port))
        version = ".".join(str(part) for part in sys.version_info[:3])
        self._common = f"Host: {address}\r\nUser-Agent: aws-lambda-python/{version}-emberd\r\n"
        self._next = f"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n{self._common}\r\n"
        self._socket = connection
        self._received = bytearray()
        self._answer: tuple[bytes, bytes] | None = None
        self._unsent = b""
        """The head of a streamed answer that has no piece yet."""

    def next(self) -> Invocation:
        """Post the answer that waits, if one does, and wait for the next event.

        Both requests leave together: the sandbox is ready for its next event one round trip
        earlier.
        """
        request = self._next.encode("utf-8")
        answer, self._answer = self._answer, None
        if answer is None:
            self._send(request)
        elif len(answer[1]) <= _SMALL_BYTES:
            self._send(answer[0] + answer[1] + request)
        else:
            self._send(answer[0])
            self._send(answer[1])
            self._send(request)
        # 413: the caller was told that its answer is too large, and that settles the event.
        # 403: the function had answered it past us. Lambda's runtime ends then and is started
        # again for the next event, which here is on its way to this process already.
        if answer is not None and self._expect_acceptance("the answer", 413, 403) == 403:
            sys.stderr.write("the result is lost: the function had posted an answer itself\n")
        status, headers, body = self._receive()
        if status != 200:
            raise RuntimeApiError(f"asking for the next event got {status}: {body!r}")
        return Invocation(headers, body)

    def respond(self, invocation: Invocation, body: bytes, content_type: str) -> None:
        """Hold the result of an event; it goes out with the question for the next one."""
        self._hold(invocation, "response", body, content_type, "")

    def fail(self, invocation: Invocation, body: bytes, error_type: str, cause: str) -> None:
        """Hold the error of an event.

        Args:
            invocation: What failed.
            body: The error's JSON.
            error_type: Its name; Lambda records Runtime.X and Function.X, others as unknown.
            cause: X-Ray's cause as one line of ASCII JSON; may be empty.
        """
        extra = f"{_ERROR_TYPE}: {_one_line(error_type)}\r\n"
        if cause:
            extra += f"Lambda-Runtime-Function-XRay-Error-Cause: {cause}\r\n"
        self._hold(invocation, "error", body, "application/json", extra)

    def begin_stream(self, invocation: Invocation, content_type: str) -> None:
        """Begin an answer whose length nobody knows; its head leaves with its first piece."""
        extra = (
            "Lambda-Runtime-Function-Response-Mode: streaming\r\n"
            "Transfer-Encoding: chunked\r\n"
            f"Trailer: {_ERROR_TYPE}, {_ERROR_BODY}\r\n"
        )
        self._unsent = self._head(
            _path(invocation, "response"), content_type, _echo(invocation) + extra
        )

    def write(self, piece: bytes) -> None:
        """Send a piece of the answer at once; waits while its reader is slow."""
        if not piece:
            return  # an empty chunk would end the answer
        head, self._unsent = self._unsent + b"%x\r\n" % len(piece), b""
        if len(piece) <= _SMALL_BYTES:
            self._send(head + piece + b"\r\n")
        else:
            self._send(head)
            self._send(piece)
            self._send(b"\r\n")

    def end_stream(self, error_type: str = "", error_body: bytes = b"") -> None:
        """Hold the end of the answer; with an error, the function failed after what it sent."""
        trailers = b""
        if error_type:
            trailers = f"{_ERROR_TYPE}: {_one_line(error_type)}\r\n{_ERROR_BODY}: ".encode(
                "utf-8", "backslashreplace"
            )
            trailers += error_body + b"\r\n"
        self._answer = (self._unsent + b"0\r\n" + trailers + b"\r\n", b"")
        self._unsent = b""

    def init_failed(self, body: bytes, error_type: str) -> None:
        """Post the error that ended the init phase."""
        extra = f"{_ERROR_TYPE}: {_one_line(error_type)}\r\nContent-Length: {len(body)}\r\n"
        head = self._head("/2018-06-01/runtime/init/error", "application/json", extra)
        self._send(head + body)
        self._expect_acceptance("the init error")

    def await_restore(self) -> None:
        """Say that init is done and that this process waits to be copied; nobody answers that."""
        self._send(f"GET /2018-06-01/runtime/restore/next HTTP/1.1\r\n{self._common}\r\n".encode())

    def refuse_snapshot(self, reason: str) -> None:
        """Say why this process cannot be copied (emberd's own call)."""
        body = reason.encode("utf-8", "backslashreplace")
        extra = f"Content-Length: {len(body)}\r\n"
        self._send(self._head("/2018-06-01/runtime/snapshot/refused", "text/plain", extra) + body)
        self._expect_acceptance("the snapshot's refusal")

    def restore_failed(self, body: bytes, error_type: str) -> None:
        """Post the error that ended the restore."""
        extra = f"{_ERROR_TYPE}: {_one_line(error_type)}\r\nContent-Length: {len(body)}\r\n"
        head = self._head("/2018-06-01/runtime/restore/error", "application/json", extra)
        self._send(head + body)
        self._expect_acceptance("the restore error")

    def await_seat(self) -> None:
        """Wait until the host wants one more connection of this process (emberd's own call)."""
        self._send(f"GET /2018-06-01/runtime/seat/next HTTP/1.1\r\n{self._common}\r\n".encode())
        status, _, body = self._receive()
        if status != 200:
            raise RuntimeApiError(f"waiting for a seat got {status}: {body!r}")

    def close(self) -> None:
        """Let go of the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _hold(
        self, invocation: Invocation, verb: str, body: bytes, content_type: str, extra: str
    ) -> None:
        extra += f"{_echo(invocation)}Content-Length: {len(body)}\r\n"
        self._answer = (self._head(_path(invocation, verb), content_type, extra), body)

    def _head(self, path: str, content_type: str, extra: str) -> bytes:
        return (
            f"POST {path} HTTP/1.1\r\n{self._common}Content-Type: {content_type}\r\n{extra}\r\n"
        ).encode("utf-8", "backslashreplace")

    def _send(self, data: bytes) -> None:
        if self._socket is None:
            self._socket = Socket(AF_INET, SOCK_STREAM, 0)
            self._socket.connect(self._peer)
            self._socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        self._socket.sendall(data)

    def _expect_acceptance(self, what: str, *settled: int) -> int:
        status, _, body = self._receive()
        if status != 202 and status not in settled:
            raise RuntimeApiError(f"{what} got {status}: {body!r}")
        return status

    def _receive(self) -> tuple[int, dict[str, str], bytes]:
        end = self._received.find(b"\r\n\r\n")
        while end < 0:
            self._fill(_HEAD_BYTES)
            end = self._received.find(b"\r\n\r\n")
        lines = self._received[:end].decode("utf-8", "replace").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = self._body(end + 4, int(headers.get("content-length", "0")))
        return int(lines[0].split(" ", 2)[1]), headers, body

    def _body(self, start: int, length: int) -> bytes:
        while len(self._received) < start + length:
            self._fill(start + length - len(self._received))
        body = bytes(self._received[start : start + length])
        del self._received[: start + length]
        return body

    def _fill(self, expected: int) -> None:
        assert self._socket is not None
        data = self._socket.recv(min(expected, _BODY_PART_BYTES))
        if not data:
            raise RuntimeApiError("the Runtime API closed the connection")
        self._received += data


def _path(invocation: Invocation, verb: str) -> str:
    request_id = invocation.headers["lambda-runtime-aws-request-id"]
    return f"/2018-06-01/runtime/invocation/{request_id}/{verb}"


def _echo(invocation: Invocation) -> str:
    """The header that says which delivery of the event is answered."""
    invocation_id = invocation.header("lambda-runtime-invocation-id")
    return "" if invocation_id is None else f"Lambda-Runtime-Invocation-Id: {invocation_id}\r\n"


def _one_line(text: str) -> str:
    return " ".join(text.split())
