"""An answer that is still being written: from the runtime's connection to whoever reads it."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping

from emberd.wire.pipe import BytePipe
from sandbox.runtimeapi import answers
from sandbox.runtimeapi.events import (
    BrokenOff,
    FunctionFailure,
    OversizedResponse,
    StreamEnd,
    Whole,
    accepted_error_type,
)
from sandbox.runtimeapi.outcome import Outcome

_ERROR_TYPE = "lambda-runtime-function-error-type"
_ERROR_BODY = "lambda-runtime-function-error-body"


class ResponseStream:
    """What a runtime answers in streaming mode: the bytes as they come, then how it ended."""

    def __init__(self, content_type: str) -> None:
        self.content_type = content_type
        self.pipe = BytePipe()
        """Closed when the answer has ended, however it did."""
        self.ended: Outcome[StreamEnd] = Outcome()

    def end(self, how: StreamEnd) -> None:
        """No more bytes will come. Only the first end counts."""
        self.ended.set(how)
        self.pipe.close()


class StreamBody:
    """The body of one streamed answer, as its connection sees it."""

    def __init__(
        self, stream: ResponseStream, limit_bytes: int, finished: Callable[[], None]
    ) -> None:
        """finished is called once, however the body ends: the event is answered then."""
        self._stream = stream
        self._left = limit_bytes
        self._limit = limit_bytes
        self._finished = finished

    @property
    def is_full(self) -> bool:
        """Whether the runtime has to wait for the reader."""
        return self._stream.pipe.is_full

    def when_roomy(self, call: Callable[[], None]) -> None:
        """Say what to call when the reader has taken enough of a full pipe."""
        self._stream.pipe.on_room = call

    def write(self, data: bytes) -> bytes:
        """Pass some bytes on. Anything but an empty return refuses them and what follows."""
        if len(data) > self._left:
            self._stream.pipe.write(data[: self._left])
            self._end(OversizedResponse(limit_bytes=self._limit))
            return answers.too_large(self._limit)
        self._left -= len(data)
        self._stream.pipe.write(data)
        return b""

    def finish(self, trailers: Mapping[str, str]) -> bytes:
        """The body is whole; its trailers may still say that the function failed."""
        error_type = trailers.get(_ERROR_TYPE)
        self._end(Whole() if error_type is None else failure_in(trailers))
        return answers.ACCEPTED

    def break_off(self) -> None:
        """The connection went before the body was whole. What was passed on stays passed on."""
        self._end(BrokenOff())

    def _end(self, how: StreamEnd) -> None:
        self._finished()
        self._stream.end(how)


def failure_in(trailers: Mapping[str, str]) -> FunctionFailure:
    """The error that a runtime tells behind an answer which it had begun."""
    return FunctionFailure(
        payload=_from_base64(trailers.get(_ERROR_BODY, "")),
        error_type=accepted_error_type(trailers.get(_ERROR_TYPE, ""), "Function.Unknown"),
    )


def _from_base64(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return b""
