"""AWS Signature Version 4, the checking side; pure.

    canonical request -> its hash, the time and the scope: the string to sign -> HMAC

The scope names a day, a region and a service, and the signing key is made for exactly that scope,
so it can be kept for a day. What a request claims about itself is read by `claims`.

Source: AWS General Reference, "Create a signed AWS API request". Paths are encoded once more than
on the wire, as every service but S3 has it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from controlplane.identity.request import SignedRequest
from emberd.wire.errors import DeniedError

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"

SIGNATURE_PARAMETER = "X-Amz-Signature"
"""The one parameter that a presigned query is not signed with."""

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your "
    "AWS Secret Access Key and signing method. Consult the service documentation for details."
)

_PLAIN_PATH = re.compile(r"[A-Za-z0-9\-._~/]*", re.ASCII)
_PLAIN_QUERY = re.compile(r"[A-Za-z0-9\-._~%=&]*", re.ASCII)
_UNRESERVED = "-._~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a signing key is good for."""

    date: str
    """YYYYMMDD."""
    region: str
    service: str

    def __str__(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/{TERMINATOR}"


def signing_key(secret_access_key: str, scope: Scope) -> bytes:
    """The key of one secret for one scope."""
    key = b"AWS4" + secret_access_key.encode()
    for part in (scope.date, scope.region, scope.service, TERMINATOR):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def signature(
    request: SignedRequest,
    headers: Mapping[str, str],
    *,
    payload_hash: str,
    signed_headers: str,
    time: str,
    scope: Scope,
    key: bytes,
    presigned: bool,
) -> str:
    """The signature that the request should carry, in lower-case hexadecimal.

    Args:
        request: What came in.
        headers: Its headers by lower-case name.
        payload_hash: SHA-256 of its body, in lower-case hexadecimal.
        signed_headers: The list as the caller wrote it, names separated by semicolons.
        time: ISO 8601 in its basic form, as the caller wrote it.
        scope: As the caller wrote it.
        key: What signing_key() made for this scope.
        presigned: Whether the signature itself stands in the query.

    Raises:
        DeniedError: a header that should be signed is not there.
    """
    canonical = "\n".join(
        (
            request.method,
            canonical_path(request.raw_path),
            canonical_query(request.raw_query, without_signature=presigned),
            _canonical_headers(headers, signed_headers),
            signed_headers,
            payload_hash,
        )
    )
    hashed = hashlib.sha256(canonical.encode(errors="surrogateescape")).hexdigest()
    to_sign = f"{ALGORITHM}\n{time}\n{scope}\n{hashed}"
    return hmac.digest(key, to_sign.encode(errors="surrogateescape"), "sha256").hex()


def same(expected: str, given: str) -> bool:
    """Compare two signatures in a time that does not tell where they differ."""
    return hmac.compare_digest(expected.encode(), given.encode(errors="surrogateescape"))


def mismatch() -> DeniedError:
    """What a wrong signature is answered with, whatever is wrong with it."""
    return DeniedError(MISMATCH, reason="INVALID_SIGNATURE")


def canonical_path(raw_path: str) -> str:
    """The path without empty and dot segments, encoded once more."""
    path = raw_path or "/"
    if "//" in path or "/." in path:
        path = _normalised(path)
    if _PLAIN_PATH.fullmatch(path):
        return path
    return quote(path, safe="/" + _UNRESERVED, errors="surrogateescape")


def canonical_query(raw_query: str, *, without_signature: bool = False) -> str:
    """The parameters in order, each with its equals sign.

    What is percent-encoded stays as the caller wrote it, letters' case included: another way to
    write the same query is another query to a signature.
    """
    if not raw_query:
        return ""
    if not _PLAIN_QUERY.fullmatch(raw_query):
        raw_query = quote(raw_query, safe="%=&" + _UNRESERVED, errors="surrogateescape")
    pairs = []
    for parameter in raw_query.split("&"):
        name, _, value = parameter.partition("=")
        if not (without_signature and name == SIGNATURE_PARAMETER):
            # An equals sign within a value is data.
            pairs.append((name, value.replace("=", "%3D")))
    pairs.sort()
    return "&".join([f"{name}={value}" for name, value in pairs])


def _canonical_headers(headers: Mapping[str, str], signed_headers: str) -> str:
    lines = []
    for name in signed_headers.split(";"):
        value = headers.get(name)
        if value is None:
            raise mismatch()
        if "  " in value:
            value = " ".join([word for word in value.split(" ") if word])
        lines.append(f"{name}:{value.strip(' ')}\n")
    return "".join(lines)


def _normalised(path: str) -> str:
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    return "/" + "/".join(kept) + ("/" if kept and path.endswith("/") else "")
