"""A request as the event that a function gets: payload format 2.0. Pure.

Source: lambda-behaviour 4.8 and trap 29: what a request does not have is left out of its event.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from controlplane.api.urls.addresses import Address
from controlplane.model.principal import Principal, PrincipalKind
from controlplane.model.trace import TraceContext

_OF_ONE_HOP = frozenset(
    (
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
"""About this connection, so no business of the function's."""
_CREDENTIALS = frozenset(("authorization", "x-amz-security-token"))
"""Of a signed request: they have proved who calls, and the function could only misuse them."""
_TEXT = frozenset(
    ("application/json", "application/javascript", "application/xml", "application/x-javascript")
)
_QUERY_FIELDS_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlRequest:
    """A request to a function URL."""

    method: str
    address: Address
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    """In order, with repetitions."""
    body: bytes = field(repr=False)
    source_ip: str
    protocol: str
    """HTTP/1.1"""
    port: int
    """Where it came in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the event says of the invocation beside the request."""

    request_id: str
    principal: Principal
    domain: str
    """The host name of the URL."""
    trace: TraceContext
    """What the function is told of it also stands in the event's headers, where SDKs look."""
    now_ns: int


def event_of(request: UrlRequest, circumstances: Circumstances) -> bytes:
    """The event as JSON."""
    address = request.address
    cookies = [
        each.strip()
        for name, value in request.headers
        if name.lower() == "cookie"
        for each in value.split(";")
        if each.strip()
    ]
    parameters = _joined(parse_qsl(address.raw_query, keep_blank_values=True), ",")
    headers = _headers(request, circumstances)
    event: dict[str, object] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": address.raw_path,
        "rawQueryString": address.raw_query,
    }
    if cookies:
        event["cookies"] = cookies
    event["headers"] = headers
    if parameters:
        event["queryStringParameters"] = parameters
    event["requestContext"] = _context(request, circumstances, headers.get("user-agent", ""))
    text = _text_of(request.body, headers.get("content-type", ""))
    if request.body:
        event["body"] = text if text is not None else base64.b64encode(request.body).decode("ascii")
    event["isBase64Encoded"] = bool(request.body) and text is None
    # What is no UTF-8 in a header or a path would make the event none.
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")


def too_many_parameters(raw_query: str) -> bool:
    """Whether a query would cost more than it could mean."""
    return raw_query.count("&") >= _QUERY_FIELDS_MAX


def _headers(request: UrlRequest, circumstances: Circumstances) -> dict[str, str]:
    signed = circumstances.principal.kind is not PrincipalKind.ANONYMOUS
    left_out = _OF_ONE_HOP | {"cookie"} | (_CREDENTIALS if signed else frozenset())
    kept = [
        (name.lower(), value) for name, value in request.headers if name.lower() not in left_out
    ]
    trace = circumstances.trace
    return _joined(kept, ",") | {
        "x-amzn-trace-id": trace.xray_header(),
        "traceparent": trace.traceparent(),
        "x-forwarded-for": request.source_ip,
        "x-forwarded-port": str(request.port),
        "x-forwarded-proto": "http",
    }


def _context(request: UrlRequest, circumstances: Circumstances, agent: str) -> dict[str, object]:
    moment = datetime.fromtimestamp(circumstances.now_ns / 1e9, tz=UTC)
    principal = circumstances.principal
    signed = principal.kind is not PrincipalKind.ANONYMOUS
    context: dict[str, object] = {
        "accountId": principal.account_id if signed else "anonymous",
        "apiId": request.address.url_id,
    }
    if signed:
        context["authorizer"] = {
            "iam": {
                "accessKey": principal.access_key_id,
                "accountId": principal.account_id,
                "callerId": principal.user_id,
                "cognitoIdentity": None,
                "principalOrgId": None,
                "userArn": principal.arn,
                "userId": principal.user_id,
            }
        }
    return context | {
        "domainName": circumstances.domain,
        "domainPrefix": request.address.url_id,
        "http": {
            "method": request.method,
            "path": request.address.raw_path,
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": agent,
        },
        "requestId": circumstances.request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": moment.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": circumstances.now_ns // 1_000_000,
    }


def _joined(pairs: Iterable[tuple[str, str]], separator: str) -> dict[str, str]:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {name: separator.join(each) for name, each in values.items()}


def _text_of(body: bytes, content_type: str) -> str | None:
    """The body as text, or None when it is none or its type does not say that it is."""
    kind = content_type.partition(";")[0].strip().lower()
    if not (kind.startswith("text/") or kind in _TEXT or kind.endswith(("+json", "+xml"))):
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
