"""The application of the HTTP port: from a request to an operation and back.

    front or service -> operation -> body -> who are you -> input -> may you -> operation -> answer

Several services share the port, as they share AWS's client: the signature's scope says which one a
request is for, or without a signature its target header or form.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Protocol

from aiohttp import web

from controlplane.api.aws.answer import Answer
from controlplane.api.aws.bodies import Bodies
from controlplane.api.aws.codec import Codec, Head, Reading
from controlplane.api.aws.doors import Doors, SignedRequest
from controlplane.api.aws.errors import INTERNAL_MESSAGE
from controlplane.api.aws.operation import Call, Handler
from controlplane.api.aws.services import Services
from controlplane.model.audit import AuditEvent
from controlplane.model.principal import Principal
from controlplane.model.trace import trace_headers_of
from emberd.wire.errors import EmberdError, UnavailableError

logger = logging.getLogger(__name__)

HEALTH_PATHS = ("/health", "/healthz")
"""Our own, and the one that probes try by habit."""
LARGE_BODY_BYTES = 1024 * 1024
"""Larger ones are read in a thread: a package of 50 MB would keep everybody waiting."""
SERVER = "emberd"
"""Without versions, which only help those who look for weaknesses."""
IDLE_CONNECTION_S = 120.0
"""How long a connection may stay open between two requests."""
REQUEST_LINE_BYTES = 16 * 1024
"""Of the request line and of each header; session tokens and presigned queries are long."""

RESOURCES = (
    *("FunctionName", "LayerName", "CodeSigningConfigArn", "Resource", "ResourceArn", "UUID"),
    *("RoleName", "PolicyArn", "PolicyName", "RoleArn", "logGroupName", "resourceArn"),
)
"""Members that name what a call is about, the most telling first."""

_SCOPE = re.compile(r"Credential=[^/,\s]+/[0-9]{8}/[^/,\s]+/(?P<service>[a-z0-9-]+)/aws4_request")
_SCOPE_IN_QUERY = re.compile(
    r"X-Amz-Credential=[^/&%]+(?:/|%2F)[0-9]{8}(?:/|%2F)[^/&%]+(?:/|%2F)(?P<service>[a-z0-9-]+)",
    re.IGNORECASE,
)
_HOST = re.compile(r"[A-Za-z0-9._\-]+(:[0-9]{1,5})?|\[[0-9a-fA-F:.]+\](:[0-9]{1,5})?")


class Front(Protocol):
    """Something on the port that is no AWS service: function URLs, downloads."""

    def takes(self, request: web.BaseRequest) -> bool:
        """Whether it answers this request; asked of every request, so it must be quick."""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A service on the port: its protocol and its operations."""

    codec: Codec
    operations: Mapping[str, Handler]


@dataclass(slots=True, kw_only=True)
class _Seen:
    """What is known of a call while it is answered, for the audit log."""

    request_id: str
    arrival_ns: int
    peer: str
    principal: Principal | None = None
    operation: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    error: str = ""
    answer_headers: dict[str, str] = field(default_factory=dict)
    """What the answer carries besides its own; set by operations."""

    def event(self, service: str) -> AuditEvent:
        """Once it has ended."""
        who = self.principal
        named = (self.values.get(name) for name in RESOURCES)
        return AuditEvent(
            time_ns=self.arrival_ns,
            request_id=self.request_id,
            service=service,
            operation=self.operation,
            principal_kind=who.kind.value if who else "",
            principal_arn=who.arn if who else "",
            access_key_id=who.access_key_id if who else "",
            source=self.peer,
            resource=next((each for each in named if isinstance(each, str)), ""),
            error=self.error,
        )


class AwsApplication:
    """Answers every request of the port."""

    def __init__(
        self,
        services: Services,
        doors: Doors,
        neighbours: Sequence[Neighbour],
        *,
        hosts_attached: Callable[[], int],
        fronts: Sequence[Front] = (),
        bodies: Bodies | None = None,
        audit: Callable[[AuditEvent], None] = lambda _event: None,
    ) -> None:
        """The first neighbour gets what names no other; audit is told of every call."""
        self._audit = audit
        self._services = services
        self._doors = doors
        self._neighbours = {each.codec.service: each for each in neighbours}
        self._default = neighbours[0]
        self._hosts_attached = hosts_attached
        self._fronts = tuple(fronts)
        self._bodies = bodies or Bodies()

    def server(self) -> web.Server:
        """The application as aiohttp serves it."""
        return web.Server(
            self.handle,
            access_log=None,
            keepalive_timeout=IDLE_CONNECTION_S,
            auto_decompress=False,
            max_line_size=REQUEST_LINE_BYTES,
            max_field_size=REQUEST_LINE_BYTES,
        )

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        head = _head_of(request)
        if head.raw_path in HEALTH_PATHS and request.method in ("GET", "HEAD"):
            return self._health()
        for front in self._fronts:
            if front.takes(request):
                return await front.handle(request)
        request_id = str(uuid.uuid4())
        neighbour = self._neighbour_of(head)
        seen = _Seen(request_id=request_id, arrival_ns=time.time_ns(), peer=request.remote or "")
        try:
            answer = await self._answer(neighbour, request, head, seen)
        except EmberdError as error:
            seen.error = error.reason
            answer = neighbour.codec.refuse(error, request_id)
        except Exception:
            seen.error = "SERVICE"
            # Supervised here: one request's failure is our mistake and must not reach another.
            logger.exception("a request failed inside", extra={"request_id": request_id})
            answer = neighbour.codec.refuse(
                UnavailableError(INTERNAL_MESSAGE, reason="SERVICE"), request_id
            )
        self._audit(seen.event(neighbour.codec.service))
        headers = {**seen.answer_headers, "x-amzn-RequestId": request_id}
        return await _send(request, answer, headers)

    async def _answer(
        self, neighbour: Neighbour, request: web.BaseRequest, head: Head, seen: _Seen
    ) -> Answer:
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        reading = neighbour.codec.begin(head)
        async with self._bodies.hold(request, reading.body_limit_bytes, reading.too_large) as body:
            signed = SignedRequest(
                method=head.method,
                raw_path=head.raw_path,
                raw_query=head.raw_query,
                headers=tuple(request.headers.items()),
                body=body,
                now_ns=time.time_ns(),
                peer=request.remote or "",
            )
            return await self._carry_out(neighbour, head, reading, signed, seen)

    async def _carry_out(
        self,
        neighbour: Neighbour,
        head: Head,
        reading: Reading,
        signed: SignedRequest,
        seen: _Seen,
    ) -> Answer:
        codec, request_id = neighbour.codec, seen.request_id
        principal = self._doors.authenticator.authenticate(signed, codec.service)
        seen.principal = principal
        if len(signed.body) > LARGE_BODY_BYTES:
            operation, values = await asyncio.to_thread(reading.read, signed)
        else:
            operation, values = reading.read(signed)
        seen.operation, seen.values = operation.name, values
        call = Call(
            request_id=request_id,
            principal=principal,
            endpoint=_endpoint(head),
            arrival_ns=signed.now_ns,
            trace_headers=trace_headers_of(head.headers),
            answer_headers=seen.answer_headers,
        )
        self._doors.authorise(call, codec.service, operation.name, values)
        handler = neighbour.operations.get(operation.name)
        if handler is None:
            raise UnavailableError(
                f"{operation.name} is not built yet; docs/compatibility.md lists what is",
                reason="NOT_IMPLEMENTED",
                operation=operation.name,
            )
        output = await handler(self._services, call, values)
        return await _started(codec.write(operation, output, request_id))

    def _neighbour_of(self, head: Head) -> Neighbour:
        authorization = head.headers.get("Authorization")
        scope = (
            _SCOPE.search(authorization)
            if authorization is not None
            else _SCOPE_IN_QUERY.search(head.raw_query)
        )
        if scope is not None:
            return self._neighbours.get(scope["service"], self._default)
        every = self._neighbours.values()
        return next((each for each in every if each.codec.recognises(head)), self._default)

    def _health(self) -> web.Response:
        hosts = self._hosts_attached()
        body = {"status": "ok" if hosts else "no host attached", "hosts": hosts}
        return web.Response(
            text=json.dumps(body), status=200 if hosts else 503, content_type="application/json"
        )


def _head_of(request: web.BaseRequest) -> Head:
    raw = request.raw_path
    if not raw.startswith("/"):
        # A client behind a proxy writes the whole URL on the request line.
        raw = "/" + raw.partition("://")[2].partition("/")[2]
    raw_path, _, raw_query = raw.partition("?")
    return Head(
        method=request.method, raw_path=raw_path, raw_query=raw_query, headers=request.headers
    )


def _endpoint(head: Head) -> str:
    host = head.headers.get("Host", "")
    return f"http://{host}" if _HOST.fullmatch(host) else "http://localhost"


async def _started(answer: Answer) -> Answer:
    """The answer with the first piece of its stream there, while an error can still be told."""
    if answer.stream is None:
        return answer
    stream = answer.stream
    first = await anext(stream, b"")

    async def whole() -> AsyncGenerator[bytes, None]:
        async with aclosing(stream):
            yield first
            async for chunk in stream:
                yield chunk

    return replace(answer, stream=whole())


async def _send(
    request: web.BaseRequest, answer: Answer, extra: Mapping[str, str]
) -> web.StreamResponse:
    headers = {**answer.headers, **extra, "Server": SERVER}
    if answer.stream is None:
        return web.Response(body=answer.body, status=answer.status, headers=headers)
    response = web.StreamResponse(status=answer.status, headers=headers)
    await response.prepare(request)
    try:
        async with aclosing(answer.stream) as stream:
            async for chunk in stream:
                await response.write(chunk)
        await response.write_eof()
    except ConnectionError:
        pass  # the caller has gone; closing the stream has told whoever fills it
    except Exception:
        # Supervised here as above. The head is out: only a connection that breaks says it failed.
        logger.exception("a streamed answer broke off", extra={"head": dict(extra)})
        if request.transport is not None:
            request.transport.abort()
    return response
