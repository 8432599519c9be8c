"""Headers and signatures that no client writes are answered, and never with a failure of ours."""

from __future__ import annotations

import json
import socket
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.aws_system import AwsSystem
from tests.fakes.requests import NAME, scope_of

EXAMPLES = 150
HEADER_BYTES = st.binary(max_size=40).map(
    lambda raw: raw.replace(b"\r", b"").replace(b"\n", b"").replace(b"\0", b"")
)
NAMES = st.sampled_from(
    [
        b"Authorization",
        b"X-Amz-Date",
        b"X-Amz-Security-Token",
        b"X-Amz-Content-Sha256",
        b"X-Amz-Target",
        b"X-Amzn-Trace-Id",
        b"traceparent",
        b"X-Amz-Client-Context",
        b"X-Amz-Invocation-Type",
        b"Content-Type",
        b"Cookie",
        b"Origin",
        b"Host",
        b"Expect",
        b"X-Odd",
    ]
)
PATHS = st.sampled_from(
    [
        b"/2015-03-31/functions/thumb/invocations",
        b"/2015-03-31/functions/?X-Amz-Credential=%2F%2F&X-Amz-Signature=x",
        b"/",
        b"/emberd/artifacts/x?expires=%FF&signature=%FF",
        b"/emberd/urls/nope/%FF?a=%FF&a=b",
        b"http://[::1/2015-03-31/functions",
        b"*",
        b"//",
        b"/%",
    ]
)
SCOPE = scope_of("lambda").encode()
AUTHORIZATIONS = HEADER_BYTES | st.builds(
    lambda cut, odd: SCOPE[:cut] + odd + SCOPE[cut:], st.integers(0, len(SCOPE)), HEADER_BYTES
)


def raw_answer(aws, method, path, headers, body=b"{}"):
    """The answer to a request that is written byte by byte, on a connection of its own."""
    host, port = urlsplit(aws.endpoint).netloc.split(":")
    lines = [b"%s %s HTTP/1.1" % (method, path)]
    lines += [b"%s: %s" % pair for pair in headers]
    lines += [b"Content-Length: %d" % len(body), b"Connection: close", b"", b""]
    with socket.create_connection((host, int(port)), timeout=20) as raw:
        raw.sendall(b"\r\n".join(lines) + body)
        answer = b""
        while piece := raw.recv(65536):
            answer += piece
    return int(answer.split(b" ", 2)[1]), answer


@pytest.fixture(scope="module", params=[False, True], ids=["open", "guarded"])
def aws(request, tmp_path_factory):
    """A port with a function, with doors that let everybody in and with the real ones."""
    with AwsSystem(tmp_path_factory.mktemp("headers"), guarded=request.param) as system:
        system.create_function(NAME, publish=True)
        urls = system.registry.settings.urls
        view = system.run(urls.create(NAME, "", auth_type="NONE"))
        yield system, view.config.url_id


@settings(max_examples=EXAMPLES, deadline=None, database=None)
@given(
    path=PATHS,
    headers=st.lists(st.tuples(NAMES, HEADER_BYTES), max_size=4),
    authorization=st.none() | AUTHORIZATIONS,
)
def test_no_header_is_our_mistake(aws, path, headers, authorization):
    system, _ = aws
    if authorization is not None:
        headers = [*headers, (b"Authorization", authorization)]
    status, answer = raw_answer(system, b"POST", path, headers)
    assert status < 500, answer


@settings(max_examples=EXAMPLES, deadline=None, database=None)
@given(
    method=st.sampled_from([b"GET", b"POST", b"OPTIONS", b"HEAD"]),
    path=HEADER_BYTES.map(lambda raw: raw.replace(b" ", b"")),
    headers=st.lists(st.tuples(NAMES, HEADER_BYTES), max_size=4),
    body=st.binary(max_size=50),
)
def test_no_visit_of_a_function_url_is_our_mistake(aws, method, path, headers, body):
    system, url_id = aws
    target = b"/emberd/urls/%s/%s" % (url_id.encode(), path)
    status, answer = raw_answer(system, method, target, headers, body)
    assert status < 500, answer


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10) | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELD = st.text(max_size=12) | st.sampled_from(["a\r\nX-Injected: 1", "\0", "é", "a=1; Path=/"])
REPLIES = JSON | st.fixed_dictionaries(
    {"statusCode": st.integers(-1, 1000) | JSON},
    optional={
        "headers": st.dictionaries(FIELD, FIELD | JSON, max_size=3) | JSON,
        "cookies": st.lists(FIELD, max_size=3) | JSON,
        "body": st.text(max_size=20) | JSON,
        "isBase64Encoded": st.booleans() | JSON,
    },
)


@pytest.mark.parametrize("aws", [False], indirect=True, ids=["open"])
@settings(max_examples=EXAMPLES, deadline=None, database=None)
@given(reply=REPLIES)
def test_no_reply_of_a_function_writes_headers_of_its_own_or_breaks_us(aws, reply):
    system, url_id = aws
    system.host.answer = lambda _: json.dumps(reply).encode()
    target = b"/emberd/urls/%s/" % url_id.encode()
    status, answer = raw_answer(system, b"GET", target, [], b"")
    assert status != 500, answer
    assert b"\r\nX-Injected" not in answer.partition(b"\r\n\r\n")[0]
