"""A handler that is a generator: each thing it yields goes to the caller at once.

Our extension: Lambda's own Python runtime cannot stream. On the wire it is what Lambda's Node.js
runtime does, so callers need nothing of ours. Imported when the first generator comes.
"""

from __future__ import annotations

from binascii import b2a_base64

from . import Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from .api import Invocation, RuntimeApi
    from .faults import Failure
    from .marshal import Marshaller

PLAIN = "application/octet-stream"
WITH_PRELUDE = "application/vnd.awslambda.http-integration-response"
"""JSON with status, headers and cookies, eight NULs, then the body."""

_PRELUDE_KEYS = frozenset(("statusCode", "headers", "cookies"))
_END_OF_PRELUDE = bytes(8)
_TRAILER_BODY_BYTES_MAX = 32 * 1024
"""An error travels behind the answer in a trailer, and trailers are small."""


def answer(
    api: RuntimeApi, marshaller: Marshaller, invocation: Invocation, results: Iterator[object]
) -> None:
    """Send what a generator yields, as it does. What it raises later goes into the trailers.

    Raises:
        Exception: it failed before its first piece, so an ordinary error can still be posted.
    """
    first = next(results, b"")
    if isinstance(first, dict):
        piece, content_type = _prelude(marshaller, first), WITH_PRELUDE
    else:
        piece, content_type = _bytes_of(first), PLAIN
    api.begin_stream(invocation, content_type)
    try:
        # A status and headers leave before the first byte of the body is known.
        api.write(piece)
        for result in results:
            api.write(_bytes_of(result))
    except Exception as error:
        _fail(api, marshaller, invocation, error)
    else:
        api.end_stream()


def iterator_of(generator: object) -> Iterator[object]:
    """What a generator of either kind yields, one after the other."""
    if hasattr(generator, "__next__"):
        return generator  # type: ignore[return-value]  # the loop has compared its type
    return _Waiting(generator)  # type: ignore[arg-type]  # and so here


class _Waiting:
    """An asynchronous generator as an ordinary one; its loop lives as long as the process."""

    _loop = None

    def __init__(self, results: AsyncGenerator[object, None]) -> None:
        import asyncio

        self._results = results
        if _Waiting._loop is None:
            _Waiting._loop = asyncio.new_event_loop()
            asyncio.set_event_loop(_Waiting._loop)

    def __iter__(self) -> Iterator[object]:
        return self

    def __next__(self) -> object:
        assert _Waiting._loop is not None
        try:
            return _Waiting._loop.run_until_complete(self._results.__anext__())
        except StopAsyncIteration:
            raise StopIteration from None


def _prelude(marshaller: Marshaller, head: dict[str, object]) -> bytes:
    if not head or not _PRELUDE_KEYS.issuperset(head):
        raise Fault(
            "Runtime.MarshalError",
            "Unable to marshal response: a dict that a generator yields first may only have "
            f"statusCode, headers and cookies, not {sorted(map(str, head))}",
        )
    body, _ = marshaller.result(head)
    return body + _END_OF_PRELUDE


def _bytes_of(result: object) -> bytes:
    if isinstance(result, str):
        return result.encode("utf-8")
    if isinstance(result, (bytes, bytearray, memoryview)):
        return bytes(result)
    raise Fault(
        "Runtime.MarshalError",
        f"Unable to marshal response: a generator yields str or bytes, not {type(result).__name__}",
    )


def _fail(
    api: RuntimeApi, marshaller: Marshaller, invocation: Invocation, error: Exception
) -> None:
    from . import faults

    failure = faults.failure_of(error, invocation.headers["lambda-runtime-aws-request-id"])
    faults.log(failure, marshaller.error)
    api.end_stream(failure.error_type, b2a_base64(_small(marshaller, failure), newline=False))


def _small(marshaller: Marshaller, failure: Failure) -> bytes:
    """The error's JSON, without its trace when it would be too large."""
    body = marshaller.error(failure.payload).encode("utf-8", "backslashreplace")
    if len(body) <= _TRAILER_BODY_BYTES_MAX:
        return body
    cut = {**failure.payload, "errorMessage": failure.message[:1024], "stackTrace": []}
    return marshaller.error(cut).encode("utf-8", "backslashreplace")
