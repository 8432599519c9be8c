"""What a request says about who signed it, read from its headers or its query; pure.

Nothing here is proved yet: a claim says which key, which scope and which time the caller used, and
`sigv4` shows whether that is so. Each refusal is a 403 in AWS's words, as far as they are known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import unquote

from controlplane.identity.request import SignedRequest
from controlplane.identity.sigv4 import ALGORITHM, SIGNATURE_PARAMETER, TERMINATOR, Scope
from emberd.wire.errors import DeniedError

SKEW_S = 5 * 60
"""How far a caller's clock may be off, to either side."""

EXPIRES_MAX_S = 7 * 24 * 3_600
"""How long a presigned request may be good for."""

_CREDENTIAL_PARTS = 5
_TIME = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_EXPIRES = re.compile(r"[0-9]{1,6}")
_QUERY_PARAMETERS = (
    "X-Amz-Credential",
    "X-Amz-Date",
    SIGNATURE_PARAMETER,
    "X-Amz-SignedHeaders",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who is said to have signed a request, and how."""

    access_key_id: str
    scope: Scope
    signed_headers: str
    """Names separated by semicolons, as the caller wrote them."""
    signature: str = field(repr=False)
    time: str
    """YYYYMMDDTHHMMSSZ."""
    session_token: str = field(repr=False)
    """Empty where there is none."""
    expires_s: int | None
    """How long a presigned request is good for; None where the signature is in the header."""


def folded(request: SignedRequest) -> dict[str, str]:
    """Headers by lower-case name; repeated ones joined by commas.

    Raises:
        DeniedError: one that means something to us stands there twice: which one is meant?
    """
    headers: dict[str, str] = {}
    for name, value in request.headers:
        lower = name.lower()
        if lower not in headers:
            headers[lower] = value
        elif lower in ("host", "authorization") or lower.startswith("x-amz-"):
            raise incomplete(f"The header '{name}' must not be repeated.")
        else:
            headers[lower] += "," + value
    return headers


def read_claim(request: SignedRequest, headers: Mapping[str, str]) -> Claim:
    """Read who is said to have signed a request.

    Raises:
        DeniedError: nobody (MISSING_AUTHENTICATION_TOKEN), or it cannot be read
            (INCOMPLETE_SIGNATURE, INVALID_SIGNATURE).
    """
    presented = headers.get("authorization")
    in_query = f"{SIGNATURE_PARAMETER}=" in request.raw_query
    if presented is None and not in_query:
        raise DeniedError("Missing Authentication Token", reason="MISSING_AUTHENTICATION_TOKEN")
    if presented is not None and in_query:
        raise incomplete("Only one authentication mechanism is allowed: header or query string.")
    claim = _of_query(request) if presented is None else _of_header(presented, headers)
    _check_signed(claim.signed_headers.split(";"), headers)
    if claim.scope.date != claim.time[:8]:
        raise invalid(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
            f"HTTP: '{claim.scope.date}' != '{claim.time[:8]}', from '{claim.time}'."
        )
    return claim


def check_time(claim: Claim, now_s: float) -> None:
    """Refuse what was signed too long ago, or is signed for later.

    Raises:
        DeniedError: INVALID_SIGNATURE in AWS's words.
    """
    signed_s = _seconds(claim.time)
    good_for_s = SKEW_S if claim.expires_s is None else claim.expires_s
    if signed_s < now_s - good_for_s:
        raise invalid(
            f"Signature expired: {claim.time} is now earlier than {_iso(now_s - good_for_s)} "
            f"({_iso(now_s)} - {_minutes(good_for_s)})"
        )
    if signed_s > now_s + SKEW_S:
        raise invalid(
            f"Signature not yet current: {claim.time} is still later than "
            f"{_iso(now_s + SKEW_S)} ({_iso(now_s)} + {_minutes(SKEW_S)})"
        )


def incomplete(message: str) -> DeniedError:
    """A signature that lacks something or cannot be read."""
    return DeniedError(message, reason="INCOMPLETE_SIGNATURE")


def invalid(message: str) -> DeniedError:
    """A signature that can be read and is of no use."""
    return DeniedError(message, reason="INVALID_SIGNATURE")


def _of_header(presented: str, headers: Mapping[str, str]) -> Claim:
    algorithm, _, rest = presented.partition(" ")
    if algorithm != ALGORITHM:
        raise incomplete(f"Unsupported AWS 'algorithm': only {ALGORITHM} is accepted.")
    given: dict[str, str] = {}
    for part in rest.split(","):
        name, _, value = part.strip(" ").partition("=")
        if name in given:
            raise incomplete(f"Authorization header has more than one '{name}' parameter.")
        given[name] = value
    lacking = [
        f"Authorization header requires '{name}' parameter."
        for name in ("Credential", "Signature", "SignedHeaders")
        if not given.get(name)
    ]
    time = _header_time(headers)
    if not time:
        lacking.append(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        )
    if lacking:
        raise incomplete(" ".join(lacking))
    access_key_id, scope = _credential(given["Credential"])
    return Claim(
        access_key_id=access_key_id,
        scope=scope,
        signed_headers=given["SignedHeaders"],
        signature=given["Signature"],
        time=time,
        session_token=headers.get("x-amz-security-token", ""),
        expires_s=None,
    )


def _of_query(request: SignedRequest) -> Claim:
    given: dict[str, str] = {}
    for parameter in request.raw_query.split("&"):
        name, _, value = parameter.partition("=")
        if name.startswith("X-Amz-"):
            if name in given:
                raise incomplete(f"AWS query-string parameter '{name}' must not be repeated.")
            given[name] = unquote(value, errors="surrogateescape")
    if given.get("X-Amz-Algorithm") != ALGORITHM:
        raise incomplete(f"AWS query-string parameters must include 'X-Amz-Algorithm={ALGORITHM}'.")
    lacking = [name for name in _QUERY_PARAMETERS if not given.get(name)]
    if lacking:
        raise incomplete(
            " ".join(f"AWS query-string parameters must include '{name}'." for name in lacking)
        )
    access_key_id, scope = _credential(given["X-Amz-Credential"])
    return Claim(
        access_key_id=access_key_id,
        scope=scope,
        signed_headers=given["X-Amz-SignedHeaders"],
        signature=given[SIGNATURE_PARAMETER],
        time=_checked_time(given["X-Amz-Date"]),
        session_token=given.get("X-Amz-Security-Token", ""),
        expires_s=_expires(given.get("X-Amz-Expires", "")),
    )


@lru_cache(maxsize=1_024)
def _credential(text: str) -> tuple[str, Scope]:
    parts = text.split("/")
    if len(parts) != _CREDENTIAL_PARTS:
        raise incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g. "
            "keyid/date/region/service/term."
        )
    access_key_id, date, region, service, terminator = parts
    if terminator != TERMINATOR:
        raise invalid(f"Credential should be scoped with a valid terminator: '{TERMINATOR}'.")
    return access_key_id, Scope(date=date, region=region, service=service)


def _check_signed(signed: list[str], headers: Mapping[str, str]) -> None:
    """Refuse headers that steer an operation and that anybody on the way could have changed."""
    if "host" not in signed:
        raise invalid(
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization header."
        )
    for name in headers:
        if name.startswith("x-amz-") and name not in signed:
            raise invalid(f"'{name}' must be a 'SignedHeader' in the AWS Authorization header.")


def _header_time(headers: Mapping[str, str]) -> str:
    """X-Amz-Date, or Date in either of its forms; empty where there is neither."""
    time = headers.get("x-amz-date")
    if time is not None:
        return _checked_time(time)
    date = headers.get("date", "")
    if not date or _TIME.fullmatch(date):
        return date
    try:
        return parsedate_to_datetime(date).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    except (ValueError, OverflowError):
        return _checked_time(date)


def _checked_time(text: str) -> str:
    if not _TIME.fullmatch(text):
        raise incomplete(
            "Date must be in ISO-8601 'basic format'. Got a date that is not of the form "
            "YYYYMMDDTHHMMSSZ."
        )
    return text


def _expires(text: str) -> int:
    if not _EXPIRES.fullmatch(text) or not 1 <= int(text) <= EXPIRES_MAX_S:
        raise incomplete(f"X-Amz-Expires must be a number of seconds from 1 to {EXPIRES_MAX_S}.")
    return int(text)


@lru_cache(maxsize=64)
def _seconds(time: str) -> float:
    try:
        # Its digits are where the pattern says; slicing costs a third of what strptime does.
        return datetime(
            int(time[:4]),
            int(time[4:6]),
            int(time[6:8]),
            int(time[9:11]),
            int(time[11:13]),
            int(time[13:15]),
            tzinfo=UTC,
        ).timestamp()
    except ValueError:
        raise invalid(f"{time} is no time.") from None


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%SZ")


def _minutes(seconds: int) -> str:
    return f"{seconds // 60} min." if seconds % 60 == 0 else f"{seconds} sec."
