"""Requests signed by botocore's own signers, as the side that checks them sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from controlplane.identity.request import SignedRequest

KEY_ID = "AKIA" + "EXAMPLE0EXAMPLE0"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
HOST = "127.0.0.1:4600"


def signed(
    method: str = "POST",
    target: str = "/2015-03-31/functions/hello/invocations",
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b'{"a": 1}',
    key_id: str = KEY_ID,
    secret: str = SECRET,
    token: str | None = None,
    region: str = "us-east-1",
    service: str = "lambda",
) -> SignedRequest:
    """A request with botocore's signature in its headers, received when it was signed."""
    request = AWSRequest(
        method=method, url=f"http://{HOST}{target}", data=body, headers=dict(headers or {})
    )
    credentials = Credentials(key_id, secret, token)
    botocore.auth.SigV4Auth(credentials, service, region).add_auth(request)
    return received(request, request.headers["X-Amz-Date"])


def presigned(
    method: str = "GET",
    target: str = "/2015-03-31/functions/hello",
    *,
    key_id: str = KEY_ID,
    secret: str = SECRET,
    token: str | None = None,
    expires_s: int = 60,
) -> SignedRequest:
    """A request with botocore's signature in its query, received when it was signed."""
    request = AWSRequest(method=method, url=f"http://{HOST}{target}")
    credentials = Credentials(key_id, secret, token)
    botocore.auth.SigV4QueryAuth(credentials, "lambda", "us-east-1", expires=expires_s).add_auth(
        request
    )
    (time,) = parse_qs(urlsplit(request.url).query)["X-Amz-Date"]
    return received(request, time)


def received(request: AWSRequest, time: str) -> SignedRequest:
    """What arrives, host header included, as an HTTP client adds it."""
    prepared = request.prepare()
    parts = urlsplit(prepared.url)
    signed_at = datetime.strptime(time, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return SignedRequest(
        method=request.method,
        raw_path=parts.path or "/",
        raw_query=parts.query,
        headers=(("Host", HOST), *((name, _text(v)) for name, v in prepared.headers.items())),
        body=prepared.body or b"",
        now_ns=int(signed_at.timestamp()) * 1_000_000_000,
    )


def later(request: SignedRequest, seconds: float) -> SignedRequest:
    """The same request, received so much later."""
    return replace(request, now_ns=request.now_ns + int(seconds * 1_000_000_000))


def with_header(request: SignedRequest, name: str, value: str) -> SignedRequest:
    """The same request with one header replaced, or added at its end."""
    others = tuple(each for each in request.headers if each[0].lower() != name.lower())
    return replace(request, headers=(*others, (name, value)))


def header(request: SignedRequest, name: str) -> str:
    """One header's value."""
    return next(value for each, value in request.headers if each.lower() == name.lower())


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
