"""Which function URL a request is for. Pure.

http://<id>.lambda-url.<region>.localhost:4600/rest     by the Host header, on any port
http://127.0.0.1:4600/emberd/urls/<id>/rest             for clients without wildcard names
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PREFIX = "/emberd/urls/"
MARK = ".lambda-url."

_HOST = re.compile(
    r"(?P<id>[a-z0-9]{1,64})\.lambda-url\.[a-z0-9.-]+(?::[0-9]{1,5})?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A function URL and what follows it."""

    url_id: str
    raw_path: str
    """As the function shall see it, percent-encoding and all."""
    raw_query: str
    """Without the question mark."""


def is_function_url(host: str, raw_path: str) -> bool:
    """Whether a request may be for a function URL. Quick, because every request is asked."""
    return MARK in host or raw_path.startswith(PREFIX)


def address_of(host: str, raw_target: str) -> Address:
    """What a request is for; the id is empty when it names none.

    Args:
        host: The Host header.
        raw_target: The request line's target, as sent.
    """
    if not raw_target.startswith("/"):
        # A client behind a proxy writes the whole URL on the request line.
        raw_target = "/" + raw_target.partition("://")[2].partition("/")[2]
    raw_path, _, raw_query = raw_target.partition("?")
    if raw_path.startswith(PREFIX):
        url_id, _, rest = raw_path.removeprefix(PREFIX).partition("/")
        return Address(url_id=url_id, raw_path="/" + rest, raw_query=raw_query)
    found = _HOST.fullmatch(host)
    url_id = found["id"].lower() if found else ""
    return Address(url_id=url_id, raw_path=raw_path, raw_query=raw_query)
