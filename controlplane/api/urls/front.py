"""Function URLs on the HTTP port: whose, may you, what do you ask, what does it answer."""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Protocol

from aiohttp import web

from controlplane.api.urls import cors, refusals
from controlplane.api.urls.addresses import Address, address_of, is_function_url
from controlplane.api.urls.answers import (
    UrlAnswer,
)
from controlplane.api.urls.events import Circumstances, UrlRequest, event_of, too_many_parameters
from controlplane.api.urls.replies import Visit, pass_on, respond, whole
from controlplane.dispatch.dispatcher import Dispatcher
from controlplane.identity.request import SignedRequest
from controlplane.model.invocation import InvocationRequest
from controlplane.model.principal import Principal, PrincipalKind
from controlplane.model.trace import trace_headers_of
from controlplane.registry.settings.index import UrlTarget
from emberd.wire import PAYLOAD_BYTES_MAX
from emberd.wire.errors import EmberdError, InvalidArgumentError

URL_PATH_MAX = 256
"""What a trace keeps of a path."""

NOBODY = Principal(kind=PrincipalKind.ANONYMOUS, account_id="", arn="", user_id="")


ReadBody = Callable[[web.BaseRequest, int, Callable[[], EmberdError]], Awaitable[bytes]]
"""Reads a body of at most so many bytes, or raises what is made for a larger one."""


class Authenticator(Protocol):
    """Proves who sends a request."""

    def authenticate(self, request: SignedRequest, service: str) -> Principal:
        """Who it is.

        Raises:
            DeniedError: it is not proved.
        """


class UrlDoor(Protocol):
    """Decides who may use a function URL."""

    def check_url(
        self, principal: Principal, function_name: str, qualifier: str, auth_type: str, now_ns: int
    ) -> None:
        """Return for yes.

        Raises:
            DeniedError: no.
        """


Measure = Callable[[str, str, int, float], None]
"""Takes function, qualifier, status and seconds of a request that has been answered."""

TargetOf = Callable[[str], UrlTarget | None]
"""From a URL's id to the function behind it."""


class FunctionUrls:
    """The front of the port that answers function URLs."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        target_of: TargetOf,
        authenticator: Authenticator,
        door: UrlDoor,
        read_body: ReadBody,
        *,
        region: str,
        measure: Measure = lambda _name, _qualifier, _status, _taken_s: None,
    ) -> None:
        """Measure is told of every request to a URL that exists."""
        self._measure = measure
        self._dispatcher = dispatcher
        self._target_of = target_of
        self._authenticator = authenticator
        self._door = door
        self._region = region
        self._read_body = read_body

    def takes(self, request: web.BaseRequest) -> bool:
        """Whether it is for a function URL."""
        return is_function_url(request.headers.get("Host", ""), request.raw_path)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer it."""
        address = address_of(request.headers.get("Host", ""), request.raw_path)
        target = self._target_of(address.url_id)
        if target is None:
            return respond(refusals.unknown_url())
        begun_s = time.monotonic()
        response = await self._answer(request, address, target)
        taken_s = time.monotonic() - begun_s
        self._measure(target.function_name, target.qualifier, response.status, taken_s)
        return response

    async def _answer(
        self, request: web.BaseRequest, address: Address, target: UrlTarget
    ) -> web.StreamResponse:
        settings = target.config.cors
        if settings is not None and cors.is_preflight(request.method, request.headers):
            headers = cors.preflight_headers(settings, request.headers)
            return respond(UrlAnswer(status=200, headers=headers))
        request_id, now_ns = str(uuid.uuid4()), time.time_ns()
        visit = Visit(
            target=target,
            address=address,
            origin=request.headers.get("Origin", ""),
            request_id=request_id,
            trace=self._dispatcher.new_trace(trace_headers_of(request.headers)),
            now_ns=now_ns,
        )
        try:
            invocation = await self._invocation(request, visit)
            if target.config.invoke_mode == "RESPONSE_STREAM":
                async with self._dispatcher.stream(invocation) as streamed:
                    return await pass_on(request, visit, streamed)
            result = await self._dispatcher.invoke(invocation)
            answer = whole(result.attempt)
        except EmberdError as error:
            answer = refusals.refusal_of(error)
        return respond(answer, visit)

    async def _invocation(self, request: web.BaseRequest, visit: Visit) -> InvocationRequest:
        """What is asked of dispatch, once the caller may ask it.

        Raises:
            EmberdError: it may not, or asks too much.
        """
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await self._read_body(request, PAYLOAD_BYTES_MAX, _too_large)
        target = visit.target
        principal = self._principal(request, body, visit)
        auth_type = target.config.auth_type
        self._door.check_url(
            principal, target.function_name, target.qualifier, auth_type, visit.now_ns
        )
        if too_many_parameters(visit.address.raw_query):
            raise InvalidArgumentError("too many query parameters", reason="VALIDATION")
        payload = event_of(
            _read(request, visit.address, body), self._circumstances(visit, principal)
        )
        if len(payload) > PAYLOAD_BYTES_MAX:
            raise _too_large()
        return InvocationRequest(
            request_id=visit.request_id,
            function_name=target.function_name,
            qualifier=target.qualifier,
            payload=payload,
            client_context="",
            want_log_tail=False,
            trace=visit.trace,
            arrival_ns=visit.now_ns,
            said={
                "faas.trigger": "http",
                "http.request.method": request.method,
                "url.path": visit.address.raw_path[:URL_PATH_MAX],
                "url.scheme": "http",
            },
        )

    def _principal(self, request: web.BaseRequest, body: bytes, visit: Visit) -> Principal:
        if visit.target.config.auth_type == "NONE":
            return NOBODY
        raw_path, _, raw_query = request.raw_path.partition("?")
        signed = SignedRequest(
            method=request.method,
            raw_path=raw_path,
            raw_query=raw_query,
            headers=tuple(request.headers.items()),
            body=body,
            now_ns=visit.now_ns,
        )
        return self._authenticator.authenticate(signed, "lambda")

    def _circumstances(self, visit: Visit, principal: Principal) -> Circumstances:
        return Circumstances(
            request_id=visit.request_id,
            principal=principal,
            domain=f"{visit.address.url_id}.lambda-url.{self._region}.localhost",
            trace=visit.trace,
            now_ns=visit.now_ns,
        )


def _read(request: web.BaseRequest, address: Address, body: bytes) -> UrlRequest:
    transport = request.transport
    ours = transport.get_extra_info("sockname") if transport is not None else None
    return UrlRequest(
        method=request.method,
        address=address,
        headers=tuple(request.headers.items()),
        body=body,
        source_ip=request.remote or "",
        protocol=f"HTTP/{request.version.major}.{request.version.minor}",
        port=ours[1] if isinstance(ours, tuple) else 0,
    )


def _too_large() -> EmberdError:
    return InvalidArgumentError("the request is too large", reason="REQUEST_TOO_LARGE")
