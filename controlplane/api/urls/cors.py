"""What browsers of other origins are told, by a function URL's configuration. Pure.

The service answers preflight requests by itself; of the function's own answer every CORS header is
replaced (lambda-behaviour 4.8).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from controlplane.api.urls.answers import Headers
from controlplane.model.settings import Cors

ANY = "*"
_PREFIX = "access-control-"


def is_preflight(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a browser asks for permission. Names of headers in any case."""
    return (
        method == "OPTIONS" and "Origin" in headers and "Access-Control-Request-Method" in headers
    )


def preflight_headers(cors: Cors, headers: Mapping[str, str]) -> Headers:
    """The answer to a browser that asks; what is not allowed gets no word of it."""
    origin, method = headers["Origin"], headers["Access-Control-Request-Method"]
    allowed = allowed_origin(cors, origin)
    if not allowed or not (ANY in cors.allow_methods or method in cors.allow_methods):
        return (("Vary", "Origin"),)
    answer = _origin_headers(cors, allowed)
    answer += (("Access-Control-Allow-Methods", ",".join(cors.allow_methods)),)
    if cors.allow_headers:
        answer += (("Access-Control-Allow-Headers", ",".join(cors.allow_headers)),)
    if cors.max_age_s is not None:
        answer += (("Access-Control-Max-Age", str(cors.max_age_s)),)
    return answer


def with_cors(cors: Cors | None, origin: str, headers: Headers) -> Headers:
    """The headers of an answer with those of CORS, by the configuration and nobody else."""
    if cors is None:
        return headers
    own = tuple((name, value) for name, value in headers if not name.lower().startswith(_PREFIX))
    allowed = allowed_origin(cors, origin) if origin else ""
    if not allowed:
        return own
    answer = _origin_headers(cors, allowed)
    if cors.expose_headers:
        answer += (("Access-Control-Expose-Headers", ",".join(cors.expose_headers)),)
    return own + answer


def allowed_origin(cors: Cors, origin: str) -> str:
    """What Access-Control-Allow-Origin says to an origin; empty when it is not allowed."""
    for pattern in cors.allow_origins:
        if pattern == ANY:
            # With credentials browsers do not take a star for an answer.
            return origin if cors.allow_credentials else ANY
        if re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), origin, re.IGNORECASE):
            return origin
    return ""


def _origin_headers(cors: Cors, allowed: str) -> Headers:
    answer: Headers = (("Access-Control-Allow-Origin", allowed),)
    if allowed != ANY:
        answer += (("Vary", "Origin"),)
    if cors.allow_credentials:
        answer += (("Access-Control-Allow-Credentials", "true"),)
    return answer
