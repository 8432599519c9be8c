"""What --no-auth opens, and what it leaves closed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controlplane.identity.callers import root
from controlplane.identity.no_auth import LoopbackAuthenticator
from controlplane.identity.request import SignedRequest
from controlplane.model.principal import Principal
from emberd.wire.errors import DeniedError

ROOT = root("000000000000")
SIGNER = root("111111111111")
REQUEST = SignedRequest(
    method="GET",
    raw_path="/2015-03-31/functions",
    raw_query="",
    headers=(("Host", "127.0.0.1:4600"),),
    body=b"",
    now_ns=0,
    peer="127.0.0.1",
)


class Signatures:
    """Knows one signer."""

    def authenticate(self, request: SignedRequest, service: str) -> Principal:
        return SIGNER


AUTHENTICATOR = LoopbackAuthenticator(ROOT, Signatures())


def caller(request: SignedRequest) -> Principal:
    return AUTHENTICATOR.authenticate(request, "lambda")


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.9.9.9", "::1"])
@pytest.mark.parametrize("host", ["127.0.0.1:4600", "localhost:4600", "[::1]:4600", "x.localhost"])
def test_whoever_is_on_this_machine_is_the_account_itself(peer: str, host: str) -> None:
    assert caller(replace(REQUEST, peer=peer, headers=(("Host", host),))) is ROOT


@pytest.mark.parametrize("peer", ["", "10.0.0.1", "unknown"])
def test_functions_and_others_sign_as_ever(peer: str) -> None:
    assert caller(replace(REQUEST, peer=peer)) is SIGNER


@pytest.mark.parametrize(
    "header",
    [("Origin", "http://evil.example"), ("origin", "null"), ("Sec-Fetch-Site", "cross-site")],
)
def test_a_page_in_a_browser_is_not_let_in(header: tuple[str, str]) -> None:
    with pytest.raises(DeniedError):
        caller(replace(REQUEST, headers=(*REQUEST.headers, header)))


@pytest.mark.parametrize("host", ["", "evil.example:4600", "localhost.evil.example", "127.0.0.1.x"])
def test_a_name_that_somebody_lets_point_here_is_not_let_in(host: str) -> None:
    with pytest.raises(DeniedError):
        caller(replace(REQUEST, headers=(("Host", host),)))
