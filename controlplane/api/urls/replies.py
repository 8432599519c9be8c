"""Answers on their way out: whole, or while the function still writes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from aiohttp import web

from controlplane.api.urls import refusals
from controlplane.api.urls.addresses import Address
from controlplane.api.urls.answers import (
    Headers,
    MalformedAnswerError,
    UrlAnswer,
    answer_of,
    typed,
)
from controlplane.api.urls.cors import with_cors
from controlplane.api.urls.preludes import WITH_PRELUDE, PreludeReader
from controlplane.dispatch.running import StreamedAnswer
from controlplane.model.invocation import AttemptResult
from controlplane.model.trace import TraceContext
from controlplane.registry.settings.index import UrlTarget
from emberd.wire.errors import EmberdError

STALL_S = 60.0
"""How long a reader may take nothing before it is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request to a function URL that exists."""

    target: UrlTarget
    address: Address
    origin: str
    request_id: str
    trace: TraceContext
    now_ns: int

    def headers(self, headers: Headers) -> Headers:
        """An answer's headers with those that every answer has."""
        own = {"x-amzn-RequestId": self.request_id, **self.trace.answer_headers()}
        return (*with_cors(self.target.config.cors, self.origin, headers), *own.items())


def respond(answer: UrlAnswer, visit: Visit | None = None) -> web.Response:
    """A whole answer; without a visit, of a request that got no further."""
    response = web.Response(status=answer.status, body=answer.body)
    # Of what aiohttp would say by itself, the type of the body is not its to say.
    response.headers.popall("Content-Type", None)
    response.headers.extend(visit.headers(answer.headers) if visit else answer.headers)
    return response


async def pass_on(
    request: web.BaseRequest, visit: Visit, answer: StreamedAnswer
) -> web.StreamResponse:
    """Send an answer while the function writes it."""
    async with aclosing(answer.chunks()) as chunks:
        try:
            head = await _head_of(answer, chunks)
        except MalformedAnswerError:
            return respond(refusals.failed(), visit)
        response = web.StreamResponse(status=head.status)
        response.headers.extend(visit.headers(head.headers))
        await response.prepare(request)
        try:
            await _write(response, head.body)
            async for chunk in chunks:
                await _write(response, chunk)
            failed = bool((await answer.result()).attempt.function_error)
        except (EmberdError, TimeoutError, ConnectionError):
            failed = True
        if failed and request.transport is not None:
            # The status is out, so the missing end is all that can still tell of it.
            request.transport.close()
        return response


async def _head_of(answer: StreamedAnswer, chunks: AsyncGenerator[bytes, None]) -> UrlAnswer:
    """Status and headers of a streamed answer, and what has come of its body meanwhile.

    Raises:
        MalformedAnswerError: the function failed before its first byte, or began with no head.
    """
    if answer.content_type == WITH_PRELUDE:
        reader = PreludeReader()
        async for chunk in chunks:
            read = reader.feed(chunk)
            if read is not None:
                prelude, body = read
                return UrlAnswer(status=prelude.status, headers=prelude.headers, body=body)
        raise MalformedAnswerError("the answer ended within its prelude")
    if not answer.is_streamed and (await answer.result()).attempt.function_error:
        raise MalformedAnswerError("the function failed")
    return UrlAnswer(status=200, headers=typed(answer.content_type))


def whole(attempt: AttemptResult) -> UrlAnswer:
    """The answer that a function's whole result stands for."""
    if attempt.function_error:
        return refusals.failed()
    try:
        if attempt.content_type != WITH_PRELUDE:
            return answer_of(attempt.payload, attempt.content_type)
        read = PreludeReader().feed(attempt.payload)
    except MalformedAnswerError:
        return refusals.failed()
    if read is None:
        return refusals.failed()
    prelude, body = read
    return UrlAnswer(status=prelude.status, headers=prelude.headers, body=body)


async def _write(response: web.StreamResponse, chunk: bytes) -> None:
    if chunk:
        async with asyncio.timeout(STALL_S):
            await response.write(chunk)
