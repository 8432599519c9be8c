"""What browsers of other origins are told."""

from __future__ import annotations

import pytest

from controlplane.api.urls.cors import (
    allowed_origin,
    is_preflight,
    preflight_headers,
    with_cors,
)
from controlplane.model.settings import Cors

SITE = "https://example.com"
CORS = Cors(
    allow_credentials=True,
    allow_headers=("x-a", "x-b"),
    allow_methods=("GET", "PUT"),
    allow_origins=(SITE, "https://*.example.org"),
    expose_headers=("x-c",),
    max_age_s=60,
)


def asks(method: str = "PUT", origin: str = SITE) -> dict[str, str]:
    return {"Origin": origin, "Access-Control-Request-Method": method}


def test_only_an_options_request_with_both_headers_is_a_preflight():
    assert is_preflight("OPTIONS", asks())
    assert not is_preflight("GET", asks())
    assert not is_preflight("OPTIONS", {"Origin": SITE})


def test_a_preflight_is_answered_by_the_configuration():
    assert dict(preflight_headers(CORS, asks())) == {
        "Access-Control-Allow-Origin": SITE,
        "Vary": "Origin",
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "GET,PUT",
        "Access-Control-Allow-Headers": "x-a,x-b",
        "Access-Control-Max-Age": "60",
    }


@pytest.mark.parametrize("asked", [asks("DELETE"), asks(origin="https://evil.com")])
def test_a_preflight_for_what_is_not_allowed_gets_no_word_of_it(asked):
    assert preflight_headers(CORS, asked) == (("Vary", "Origin"),)


@pytest.mark.parametrize(
    ("cors", "origin", "allowed"),
    [
        (CORS, "https://a.example.org", "https://a.example.org"),
        (CORS, "https://a.example.org.evil.com", ""),
        (CORS, "https://exampleXcom", ""),
        (Cors(allow_origins=("*",)), SITE, "*"),
        (Cors(allow_origins=("*",), allow_credentials=True), SITE, SITE),
        (Cors(), SITE, ""),
    ],
)
def test_an_origin_is_allowed_by_name_by_pattern_or_by_the_star(cors, origin, allowed):
    assert allowed_origin(cors, origin) == allowed


def test_the_functions_own_cors_headers_give_way_to_the_configurations():
    own = (("access-control-allow-origin", "*"), ("X", "y"))
    assert with_cors(CORS, SITE, own) == (
        ("X", "y"),
        ("Access-Control-Allow-Origin", SITE),
        ("Vary", "Origin"),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Expose-Headers", "x-c"),
    )
    assert with_cors(CORS, "", own) == (("X", "y"),)
    assert with_cors(None, SITE, own) == own
