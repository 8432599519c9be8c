"""What a function returned as an HTTP answer: payload format 2.0. Pure.

Source: lambda-behaviour 4.8. A value without statusCode is the body itself; with one it is status,
headers, cookies and body.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

JSON_TYPE = "application/json"
BYTES_TYPE = "application/octet-stream"

Headers: TypeAlias = tuple[tuple[str, str], ...]

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NOT_IN_A_VALUE = re.compile("[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
_OURS = frozenset(
    ("connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade")
)
"""How the answer travels is not the function's to say."""


class MalformedAnswerError(Exception):
    """What the function returned is no HTTP answer: its caller gets a 502."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlAnswer:
    """An HTTP answer."""

    status: int
    headers: Headers
    """Cookies among them."""
    body: bytes = field(default=b"", repr=False)


def answer_of(payload: bytes, content_type: str) -> UrlAnswer:
    """The answer that a function's whole result stands for.

    Args:
        payload: What it returned.
        content_type: What its runtime says that this is.

    Raises:
        MalformedAnswerError: it has a statusCode, but is no answer.
    """
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError):
        return UrlAnswer(status=200, headers=typed(content_type), body=payload)
    if isinstance(value, dict) and "statusCode" in value:
        headers = head_of(value)
        body = _body_of(value)
        return UrlAnswer(status=status_of(value), headers=headers, body=body)
    body = value.encode(errors="replace") if isinstance(value, str) else _compact(value)
    return UrlAnswer(status=200, headers=typed(JSON_TYPE), body=body)


def typed(content_type: str) -> Headers:
    """The header that says what a body is; a runtime that knows no better says unknown."""
    known = content_type not in ("", "application/unknown")
    return (("Content-Type", content_type if known else BYTES_TYPE),)


def status_of(value: Mapping[str, object]) -> int:
    """The status that a function sets; 200 when it sets none.

    Raises:
        MalformedAnswerError: it is no status of an answer.
    """
    given = value.get("statusCode", 200)
    if isinstance(given, str) and given.isascii() and given.isdigit():
        given = int(given[:4])
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    if not isinstance(given, int) or isinstance(given, bool) or not 200 <= given <= 599:
        raise MalformedAnswerError("statusCode is no status from 200 to 599")
    return given


def head_of(value: Mapping[str, object], default_type: str = JSON_TYPE) -> Headers:
    """The headers and cookies that a function sets, with a content type in any case.

    Raises:
        MalformedAnswerError: one of them is none.
    """
    given = value.get("headers") or {}
    cookies = value.get("cookies") or []
    if not isinstance(given, dict) or not isinstance(cookies, list):
        raise MalformedAnswerError("headers is no object, or cookies is no list")
    headers = [
        (_name(name), _value(each)) for name, each in given.items() if name.lower() not in _OURS
    ]
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", default_type))
    return (*headers, *(("Set-Cookie", _value(cookie)) for cookie in cookies))


def _name(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise MalformedAnswerError("the name of a header is none")
    return name


def _value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_value(each) for each in value)
    text = value if isinstance(value, str) else _compact(value).decode()
    if _NOT_IN_A_VALUE.search(text):
        raise MalformedAnswerError("the value of a header has characters that none may have")
    return text


def _body_of(value: Mapping[str, object]) -> bytes:
    body = value.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        return _compact(body)
    if not value.get("isBase64Encoded"):
        return body.encode(errors="replace")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedAnswerError("body is said to be base64 and is not") from None


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")
