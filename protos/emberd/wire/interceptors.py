"""Every RPC passes here: tokens are checked, and our errors become statuses.

The table of services says which token opens which door; a method that is not in it is refused.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import grpc

from emberd.wire.errors import DeniedError, EmberdError
from emberd.wire.status import DETAILS_KEY, code_of, details_of, text_of

logger = logging.getLogger(__name__)

AUTHORIZATION = "authorization"

OPEN_SERVICES = frozenset({"grpc.health.v1.Health"})
"""Services that need no token."""

# grpcio ships no types, so these two names stand for what it passes around.
_Handler: TypeAlias = Any
_Context: TypeAlias = Any
_Continuation = Callable[[grpc.HandlerCallDetails], Awaitable[_Handler]]


@dataclass(frozen=True, slots=True)
class TokenTable:
    """Which bearer token opens which gRPC service.

    Attributes:
        tokens: Token by service name, for example {"emberd.fleet.v1.FleetService": "..."}.
    """

    tokens: Mapping[str, str]

    def check(self, method: str, presented: str) -> None:
        """Raise DeniedError unless the presented authorization header opens the method."""
        service = service_of(method)
        if service in OPEN_SERVICES:
            return
        expected = self.tokens.get(service)
        if expected is None:
            raise DeniedError(f"{method} is not open to anyone", reason="ACCESS_DENIED")
        if not hmac.compare_digest(f"Bearer {expected}".encode(), presented.encode()):
            raise DeniedError(
                "a valid token is needed: send the metadata 'authorization: Bearer <token>' "
                "(emberd env --data DIR prints it)",
                reason="UNAUTHENTICATED",
            )


def service_of(method: str) -> str:
    """The service in a full method name: /package.Service/Method."""
    return method.lstrip("/").partition("/")[0]


class Witness(Protocol):
    """Is told of calls that have ended."""

    def __call__(self, method: str, request: object, peer: Callable[[], str], error: str) -> None:
        """A method by its full name; request is None where it was refused unread.

        Error is the reason of our error, INTERNAL for a surprise, empty on success.
        """


def _nobody(method: str, request: object, peer: Callable[[], str], error: str) -> None:
    """The witness that looks away."""


class ServerInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # grpc has no types
    """Checks the token of every RPC before anything of it is read, then supervises the handler."""

    def __init__(self, tokens: TokenTable, witness: Witness = _nobody) -> None:
        """The witness sees calls with one request, and every call that a token does not open."""
        self._tokens = tokens
        self._witness = witness
        self._supervised: dict[str, _Handler] = {}

    async def intercept_service(
        self, continuation: _Continuation, details: grpc.HandlerCallDetails
    ) -> _Handler:
        """Return the method's supervised handler, or one that refuses."""
        presented = ""
        for key, value in details.invocation_metadata:
            if key == AUTHORIZATION:
                presented = value
        try:
            self._tokens.check(details.method, presented)
        except DeniedError as error:
            return await self._refusing(continuation, details, error)
        handler = self._supervised.get(details.method)
        if handler is None:
            handler = await continuation(details)
            if handler is None or service_of(details.method) in OPEN_SERVICES:
                return handler
            handler = _supervise(handler, details.method, self._witness)
            self._supervised[details.method] = handler
        return handler

    async def _refusing(
        self, continuation: _Continuation, details: grpc.HandlerCallDetails, error: EmberdError
    ) -> _Handler:
        handler = await continuation(details)
        if handler is None:
            return handler

        async def refuse_unary(_request: object, context: _Context) -> None:
            self._witness(details.method, None, context.peer, error.reason)
            await abort(context, error)

        async def refuse_stream(_request: object, context: _Context) -> AsyncIterator[None]:
            self._witness(details.method, None, context.peer, error.reason)
            await abort(context, error)
            yield  # makes this an async generator, as a streaming handler must be

        return _rebuild(handler, refuse_unary, refuse_stream)


async def abort(context: _Context, error: EmberdError) -> None:
    """End the RPC with the error's status and details, beside what the handler has set."""
    details = (DETAILS_KEY, details_of(error))
    trailing = (*(context.trailing_metadata() or ()), details)
    await context.abort(code_of(error), text_of(error), trailing_metadata=trailing)


def _supervise(handler: _Handler, method: str, witness: Witness) -> _Handler:
    """Wrap a handler so that our errors become statuses and nothing else leaks its text."""
    behaviour = handler.unary_unary or handler.stream_unary
    streaming = handler.unary_stream or handler.stream_stream

    async def unary(request: object, context: _Context) -> object:
        try:
            response = await behaviour(request, context)
        except EmberdError as error:
            witness(method, request, context.peer, error.reason)
            await abort(context, error)
            raise
        except grpc.aio.AbortError:
            raise
        except Exception:
            witness(method, request, context.peer, "INTERNAL")
            await _abort_internal(context)
            raise
        witness(method, request, context.peer, "")
        return response

    async def stream(request: object, context: _Context) -> AsyncIterator[object]:
        try:
            async for response in streaming(request, context):
                yield response
        except EmberdError as error:
            await abort(context, error)
        except grpc.aio.AbortError:
            raise
        except Exception:
            await _abort_internal(context)

    return _rebuild(handler, unary, stream)


async def _abort_internal(context: _Context) -> None:
    logger.exception("an RPC failed unexpectedly")
    await context.abort(
        grpc.StatusCode.INTERNAL, "internal error; the control plane's log has the cause"
    )


def _rebuild(
    handler: _Handler, unary: Callable[..., object], stream: Callable[..., object]
) -> _Handler:
    """A copy of the handler with another behaviour and the same codecs."""
    codecs = (handler.request_deserializer, handler.response_serializer)
    if handler.unary_unary:
        return grpc.unary_unary_rpc_method_handler(unary, *codecs)
    if handler.stream_unary:
        return grpc.stream_unary_rpc_method_handler(unary, *codecs)
    if handler.unary_stream:
        return grpc.unary_stream_rpc_method_handler(stream, *codecs)
    return grpc.stream_stream_rpc_method_handler(stream, *codecs)
