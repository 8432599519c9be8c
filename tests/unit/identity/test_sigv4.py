"""Signature checking against botocore's signers: what they sign passes, any change of it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.identity.authentication import Caller, SignatureAuthenticator
from controlplane.identity.claims import SKEW_S
from controlplane.identity.request import SignedRequest
from controlplane.identity.sigv4 import MISMATCH
from controlplane.model.principal import Principal, PrincipalKind
from emberd.wire.errors import DeniedError
from tests.unit.identity.signing import (
    KEY_ID,
    SECRET,
    header,
    later,
    presigned,
    signed,
    with_header,
)

SOMEBODY = Principal(
    kind=PrincipalKind.ROOT,
    account_id="000000000000",
    arn="arn:aws:iam::000000000000:root",
    user_id="000000000000",
    access_key_id=KEY_ID,
)


def recognise(access_key_id: str, session_token: str) -> Caller:
    if (access_key_id, session_token) != (KEY_ID, ""):
        raise DeniedError(
            "The security token included in the request is invalid.", reason="UNRECOGNIZED_CLIENT"
        )
    return Caller(principal=SOMEBODY, secret_access_key=SECRET, expires_s=None)


AUTHENTICATOR = SignatureAuthenticator("us-east-1", recognise)


def accepted(request: SignedRequest, service: str = "lambda") -> bool:
    return AUTHENTICATOR.authenticate(request, service) is SOMEBODY


def refusal(request: SignedRequest, service: str = "lambda") -> DeniedError:
    with pytest.raises(DeniedError) as refused:
        AUTHENTICATOR.authenticate(request, service)
    return refused.value


names = st.text(st.sampled_from("abcXYZ09"), min_size=1, max_size=8)


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    segments=st.lists(st.text(min_size=1, max_size=12), max_size=4),
    parameters=st.lists(st.tuples(names, st.text(max_size=12)), max_size=4),
    body=st.binary(max_size=200),
    content_type=st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126)),
)
def test_whatever_botocore_signs_is_accepted(
    method: str,
    segments: list[str],
    parameters: list[tuple[str, str]],
    body: bytes,
    content_type: str,
) -> None:
    path = "/" + "/".join(quote(each, safe="-._~") for each in segments)
    query = "&".join(f"{name}={quote(value, safe='-._~')}" for name, value in parameters)
    target = f"{path}?{query}" if query else path
    request = signed(method, target, headers={"Content-Type": content_type}, body=body)
    assert accepted(request)


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/2015-03-31/functions/",
        "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af",
        "/a//b/../c/./d/",
        "/with%20space/%C3%A4/100%25",
        "/2015-03-31/functions?Marker=a%2Fb%3D&MaxItems=2",
        "/2017-03-31/tags/x?tagKeys=b&tagKeys=a",
        "/x?flag",
        "/x?b=2&a=1&a=0",
    ],
)
def test_odd_targets_are_canonical_in_the_same_way_on_both_sides(target: str) -> None:
    assert accepted(signed(target=target))


def test_spaces_within_a_header_count_once() -> None:
    request = signed(headers={"X-Amz-Client-Context": "a   b  c"})
    assert accepted(request)
    assert accepted(with_header(request, "X-Amz-Client-Context", "a b c"))


def test_a_header_may_be_written_in_any_case() -> None:
    request = signed()
    shouted = tuple((name.upper(), value) for name, value in request.headers)
    assert accepted(replace(request, headers=shouted))


def test_a_presigned_query_is_accepted_until_it_expires() -> None:
    request = presigned(expires_s=60)
    assert accepted(request)
    assert accepted(later(request, 60))
    assert refusal(later(request, 61)).message.startswith("Signature expired: ")


def test_a_request_may_be_five_minutes_old_or_early_and_no_more() -> None:
    request = signed()
    assert accepted(later(request, SKEW_S))
    assert accepted(later(request, -SKEW_S))
    assert refusal(later(request, SKEW_S + 1)).message.startswith("Signature expired: ")
    early = refusal(later(request, -SKEW_S - 1))
    assert early.message.startswith("Signature not yet current: ")
    assert early.reason == "INVALID_SIGNATURE"


def test_an_expired_signature_is_told_in_awss_words() -> None:
    request = replace(signed(), now_ns=0)
    time = "20150830T123600Z"
    request = with_header(request, "X-Amz-Date", time)
    credential = header(request, "Authorization").replace(
        header(signed(), "Authorization").split("/")[1], "20150830"
    )
    request = with_header(request, "Authorization", credential)
    at_s = 1_440_939_660  # 2015-08-30T13:01:00Z
    assert refusal(replace(request, now_ns=at_s * 1_000_000_000)).message == (
        "Signature expired: 20150830T123600Z is now earlier than 20150830T125600Z "
        "(20150830T130100Z - 5 min.)"
    )


def _changed(text: str, at: int, byte: int) -> str:
    old = text.encode("latin-1")
    place = at % len(old)
    new = old[:place] + bytes([byte]) + old[place + 1 :]
    return new.decode("latin-1")


def _change_path(request: SignedRequest, at: int, byte: int) -> SignedRequest:
    return replace(request, raw_path=_changed(request.raw_path, at, byte))


def _change_query(request: SignedRequest, at: int, byte: int) -> SignedRequest:
    return replace(request, raw_query=_changed(request.raw_query, at, byte))


def _change_method(request: SignedRequest, at: int, byte: int) -> SignedRequest:
    return replace(request, method=_changed(request.method, at, byte))


def _change_body(request: SignedRequest, at: int, byte: int) -> SignedRequest:
    body = bytearray(request.body)
    body[at % len(body)] = byte
    return replace(request, body=bytes(body))


def _change_header(name: str) -> Callable[[SignedRequest, int, int], SignedRequest]:
    def change(request: SignedRequest, at: int, byte: int) -> SignedRequest:
        value = _changed(header(request, name), at, byte)
        # The same byte again is no change, and must not pass for one by standing elsewhere.
        return request if value == header(request, name) else with_header(request, name, value)

    return change


def _change_header_name(request: SignedRequest, at: int, byte: int) -> SignedRequest:
    names = [name for name, _ in request.headers if name in ("X-Amz-Log-Type", "X-Amz-Date")]
    name = names[at % len(names)]
    headers = tuple(
        (_changed(each, at, byte) if each == name else each, value)
        for each, value in request.headers
    )
    if {each.lower() for each, _ in headers} == {each.lower() for each, _ in request.headers}:
        return request  # only its case changed, which means nothing in HTTP
    return replace(request, headers=headers)


IN_HEADER = signed(
    target="/2015-03-31/functions/arn%3Aaws%3Alambda/invocations?Qualifier=l%2Fve&b=2",
    headers={"X-Amz-Log-Type": "Tail", "Content-Type": "application/json"},
)
IN_QUERY = presigned(target="/2015-03-31/functions/hello?Qualifier=l%2Fve")
EVERYWHERE = [
    _change_method,
    _change_path,
    _change_query,
    _change_body,
    _change_header("Host"),
    _change_header("X-Amz-Log-Type"),
    _change_header("X-Amz-Date"),
    _change_header("Content-Type"),
    _change_header("Authorization"),
    _change_header_name,
]


@settings(max_examples=600)
@given(change=st.sampled_from(EVERYWHERE), at=st.integers(0, 1_000), byte=st.integers(0, 255))
def test_any_single_changed_byte_is_refused(
    change: Callable[[SignedRequest, int, int], SignedRequest], at: int, byte: int
) -> None:
    changed = change(IN_HEADER, at, byte)
    if changed != IN_HEADER:
        refusal(changed)


@settings(max_examples=400)
@given(
    change=st.sampled_from([_change_method, _change_path, _change_query, _change_header("Host")]),
    at=st.integers(0, 1_000),
    byte=st.integers(0, 255),
)
def test_any_single_changed_byte_of_a_presigned_request_is_refused(
    change: Callable[[SignedRequest, int, int], SignedRequest], at: int, byte: int
) -> None:
    changed = change(IN_QUERY, at, byte)
    if changed != IN_QUERY:
        refusal(changed)


def test_a_body_added_to_a_presigned_request_is_refused() -> None:
    assert refusal(replace(IN_QUERY, body=b"x")).message == MISMATCH


def test_another_secret_gives_the_one_answer_that_every_wrong_signature_gets() -> None:
    refused = refusal(signed(secret="another"))
    assert (refused.reason, refused.message) == ("INVALID_SIGNATURE", MISMATCH)


def test_a_key_that_does_not_exist_is_an_unrecognised_client() -> None:
    assert refusal(signed(key_id="AKIA" + "A" * 16)).reason == "UNRECOGNIZED_CLIENT"


def test_a_session_token_beside_a_lasting_key_is_no_better() -> None:
    assert refusal(signed(token="token")).reason == "UNRECOGNIZED_CLIENT"


def test_no_signature_is_a_missing_token() -> None:
    request = signed()
    bare = tuple(each for each in request.headers if each[0] != "Authorization")
    refused = refusal(replace(request, headers=bare))
    assert (refused.reason, refused.message) == (
        "MISSING_AUTHENTICATION_TOKEN",
        "Missing Authentication Token",
    )


def test_an_expired_session_is_told_apart_from_a_wrong_one() -> None:
    request = signed(token="token")
    ended_s = request.now_ns // 1_000_000_000

    def expired(access_key_id: str, session_token: str) -> Caller:
        return Caller(principal=SOMEBODY, secret_access_key=SECRET, expires_s=ended_s)

    with pytest.raises(DeniedError) as refused:
        SignatureAuthenticator("us-east-1", expired).authenticate(request, "lambda")
    assert refused.value.reason == "EXPIRED_TOKEN"
    early = later(request, -1)
    assert SignatureAuthenticator("us-east-1", expired).authenticate(early, "lambda") is SOMEBODY


@pytest.mark.parametrize(
    ("presented", "words"),
    [
        ("Bearer token", "Unsupported AWS 'algorithm'"),
        ("AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request", "requires 'Signature' parameter"),
        ("AWS4-HMAC-SHA256 Signature=00, SignedHeaders=host", "requires 'Credential' parameter"),
        (
            "AWS4-HMAC-SHA256 Credential=a/b, Signature=00, SignedHeaders=host",
            "exactly 5 slash-delimited elements",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, Credential=f, Signature=0, SignedHeaders=host",
            "more than one 'Credential'",
        ),
    ],
)
def test_a_header_that_cannot_be_read_is_incomplete(presented: str, words: str) -> None:
    refused = refusal(with_header(signed(), "Authorization", presented))
    assert refused.reason == "INCOMPLETE_SIGNATURE"
    assert words in refused.message


def test_a_refusal_never_repeats_the_header_that_it_refuses() -> None:
    refused = refusal(with_header(signed(), "Authorization", "Basic c2VjcmV0"))
    assert "c2VjcmV0" not in refused.message


@pytest.mark.parametrize("lacking", ["X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders"])
def test_a_presigned_query_lacks_nothing(lacking: str) -> None:
    kept = [each for each in IN_QUERY.raw_query.split("&") if not each.startswith(lacking)]
    refused = refusal(replace(IN_QUERY, raw_query="&".join(kept)))
    assert refused.reason == "INCOMPLETE_SIGNATURE"
    assert lacking in refused.message


def test_what_only_looks_like_a_presigned_query_is_refused() -> None:
    query = IN_QUERY.raw_query.replace("X-Amz-Signature=", "fooX-Amz-Signature=")
    assert refusal(replace(IN_QUERY, raw_query=query)).reason == "INCOMPLETE_SIGNATURE"


def test_a_presigned_request_is_good_for_a_week_at_most() -> None:
    assert refusal(presigned(expires_s=7 * 24 * 3_600 + 1)).reason == "INCOMPLETE_SIGNATURE"


def test_two_mechanisms_at_once_are_refused() -> None:
    both = with_header(IN_QUERY, "Authorization", header(signed(), "Authorization"))
    assert refusal(both).reason == "INCOMPLETE_SIGNATURE"


@pytest.mark.parametrize("name", ["Host", "Authorization", "X-Amz-Date"])
def test_headers_that_decide_must_not_be_repeated(name: str) -> None:
    request = signed()
    twice = (*request.headers, (name, header(request, name)))
    assert refusal(replace(request, headers=twice)).reason == "INCOMPLETE_SIGNATURE"


def test_a_header_that_steers_lambda_must_be_signed() -> None:
    added = with_header(signed(), "X-Amz-Invocation-Type", "DryRun")
    assert "'x-amz-invocation-type' must be a 'SignedHeader'" in refusal(added).message


def test_another_region_or_service_is_another_scope() -> None:
    assert "valid region" in refusal(signed(region="eu-west-1")).message
    assert "correct service: 'lambda'" in refusal(signed(service="logs")).message
    assert accepted(signed(service="iam", region="eu-west-1"), "iam")


@pytest.mark.parametrize("declared", ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"])
def test_a_payload_without_protection_is_refused(declared: str) -> None:
    request = signed(headers={"X-Amz-Content-SHA256": declared})
    assert "payload must be signed" in refusal(request).message


def test_a_declared_hash_must_be_the_bodys() -> None:
    request = signed(headers={"X-Amz-Content-SHA256": "0" * 64})
    assert "does not match the body" in refusal(request).message


def test_a_time_that_no_calendar_has_is_refused() -> None:
    request = with_header(signed(), "X-Amz-Date", "20261399T999999Z")
    scoped = header(request, "Authorization").split("/")
    scoped[1] = "20261399"
    refused = refusal(with_header(request, "Authorization", "/".join(scoped)))
    assert refused.reason == "INVALID_SIGNATURE"


@given(
    path=st.text(max_size=60),
    query=st.text(max_size=60),
    headers=st.lists(st.tuples(st.text(max_size=20), st.text(max_size=60)), max_size=4),
    presented=st.text(max_size=120),
)
def test_no_request_whatever_raises_anything_but_a_refusal(
    path: str, query: str, headers: list[tuple[str, str]], presented: str
) -> None:
    given = (*headers, ("Authorization", "AWS4-HMAC-SHA256 " + presented))
    refusal(
        SignedRequest(
            method="GET", raw_path=path, raw_query=query, headers=given, body=b"", now_ns=10**18
        )
    )
