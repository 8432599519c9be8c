"""Function URLs over real HTTP: both forms of address, both modes, every refusal."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from controlplane.dispatch.ports import Placement
from controlplane.model.principal import PrincipalKind
from controlplane.model.settings import Cors
from controlplane.scheduler import RefusalReason
from tests.fakes.aws_system import AwsSystem, attempt_result

STREAM = "RESPONSE_STREAM"


class Url:
    """A function URL, visited by its Host header."""

    def __init__(self, aws: AwsSystem, url_id: str) -> None:
        self.aws = aws
        self.id = url_id
        self.host = f"{url_id}.lambda-url.us-east-1.localhost"

    @contextmanager
    def opened(
        self, method: str = "GET", path: str = "/", body: bytes | None = None, **headers: str
    ) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(urlsplit(self.aws.endpoint).netloc, timeout=10)
        try:
            connection.request(method, path, body, {"Host": self.host, **headers})
            yield connection.getresponse()
        finally:
            connection.close()

    def visit(self, *arguments, **headers):
        with self.opened(*arguments, **headers) as answer:
            return answer.status, answer.headers, answer.read()

    @property
    def event(self) -> dict[str, object]:
        """The newest event that the function got."""
        return json.loads(self.aws.host.seen[-1].request.payload)


def made(aws: AwsSystem, *, mode: str = "BUFFERED", auth: str = "NONE", cors=None) -> Url:
    aws.create_function("web")
    urls = aws.registry.settings.urls
    view = aws.run(urls.create("web", "", auth_type=auth, invoke_mode=mode, cors=cors))
    return Url(aws, view.config.url_id)


def returns(aws: AwsSystem, value: object, **changes) -> None:
    aws.host.answer = lambda _: attempt_result(json.dumps(value).encode(), **changes)


def test_a_request_becomes_an_event_and_the_result_an_answer(aws):
    url = made(aws)
    returns(aws, {"statusCode": 201, "headers": {"X-A": "b"}, "cookies": ["a=1"], "body": "hi"})
    status, headers, body = url.visit(
        "POST", "/a%2Fb?x=1", b'{"k":1}', **{"Content-Type": "text/json"}
    )
    assert (status, body) == (201, b"hi")
    assert (headers["X-A"], headers["Set-Cookie"]) == ("b", "a=1")
    assert headers["Content-Type"] == "application/json"
    assert headers["x-amzn-RequestId"] == aws.host.seen[0].request.request_id
    event = url.event
    assert (event["rawPath"], event["rawQueryString"], event["body"]) == (
        "/a%2Fb",
        "x=1",
        '{"k":1}',
    )
    assert event["requestContext"]["domainPrefix"] == url.id
    assert event["requestContext"]["requestId"] == headers["x-amzn-RequestId"]
    assert event["headers"]["host"] == url.host


def test_requests_are_counted_with_the_status_of_their_answer(aws):
    url = made(aws)
    returns(aws, {"statusCode": 404, "body": "no"})
    url.visit()
    url.visit("GET", "/" + "a" * 10)
    Url(aws, "nobodys").visit()
    ((key, tally),) = aws.url_tallies
    assert key == ("web", "web")
    assert (tally.requests, tally.client_errors, tally.server_errors) == (2, 2, 0)
    assert tally.latency.count == 2


def test_the_path_form_works_without_a_wildcard_name(aws):
    url = made(aws)
    returns(aws, "ok")
    url.host = "127.0.0.1"
    status, _, body = url.visit("GET", f"/emberd/urls/{url.id}/some/path?q")
    assert (status, body) == (200, b"ok")
    assert (url.event["rawPath"], url.event["rawQueryString"]) == ("/some/path", "q")
    assert url.visit("GET", f"/emberd/urls/{url.id}")[0] == 200
    assert url.event["rawPath"] == "/"


def test_a_binary_body_goes_both_ways(aws):
    url = made(aws)
    data = bytes(range(256))
    answer = {"statusCode": 200, "body": base64.b64encode(data).decode(), "isBase64Encoded": True}
    returns(aws, answer | {"headers": {"Content-Type": "image/png"}})
    _, headers, body = url.visit("PUT", "/", data)
    assert (body, headers["Content-Type"]) == (data, "image/png")
    assert base64.b64decode(url.event["body"]) == data


def test_the_door_is_asked_for_the_function_behind_the_url(aws):
    url = made(aws, auth="AWS_IAM")
    returns(aws, 1)
    url.visit()
    assert aws.doors.visitors == [(PrincipalKind.ROOT, "web", "", "AWS_IAM")]
    assert url.event["requestContext"]["authorizer"]["iam"]["accountId"] == "000000000000"


def test_whoever_may_not_gets_awss_words_and_nothing_runs(aws):
    url = made(aws)
    aws.doors.closed = True
    status, headers, body = url.visit()
    assert (status, headers["x-amzn-ErrorType"]) == (403, "AccessDeniedException")
    assert json.loads(body) == {
        "Message": "Forbidden. For troubleshooting Function URL authorization issues, see: "
        "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
    }
    assert aws.doors.visitors == [(PrincipalKind.ANONYMOUS, "web", "", "NONE")]
    assert aws.host.seen == []


def test_a_url_of_no_function_is_a_403_without_a_message(aws):
    status, headers, body = Url(aws, "0" * 32).visit()
    assert (status, headers["x-amzn-ErrorType"]) == (403, "AccessDeniedException")
    assert json.loads(body) == {"Message": None}


@pytest.mark.parametrize("mode", ["BUFFERED", STREAM])
def test_a_function_that_fails_is_a_502(aws, mode):
    url = made(aws, mode=mode)
    returns(aws, {"errorType": "E"}, function_error="Unhandled")
    status, _, body = url.visit()
    assert (status, body) == (502, b"Internal Server Error")


def test_a_result_that_is_no_answer_is_a_502(aws):
    url = made(aws)
    returns(aws, {"statusCode": 200, "headers": {"a": "b\r\nc: d"}})
    assert url.visit()[0] == 502


@pytest.mark.parametrize("mode", ["BUFFERED", STREAM])
def test_a_throttled_visitor_gets_a_429(aws, mode):
    url = made(aws, mode=mode)

    def refuse(placement: Placement) -> None:
        request_id = placement.request.request_id
        aws.call(aws.dispatcher.attempt_refused, aws.host, request_id, RefusalReason.MEMORY, "full")

    aws.host.answer = refuse
    status, headers, body = url.visit()
    assert (status, headers["Retry-After"]) == (429, "1")
    assert json.loads(body) == {
        "Reason": "ConcurrentInvocationLimitExceeded",
        "Type": "User",
        "message": "Rate Exceeded.",
    }


def test_a_request_over_six_megabytes_is_a_413(aws):
    url = made(aws)
    for size in (6 * 1024 * 1024 + 1, 5 * 1024 * 1024):
        # The second is within the limit, but not as an event in base64.
        status, _, body = url.visit("POST", "/", b"x" * size)
        assert status == 413
        assert b"6291456 bytes" in body
    assert aws.host.seen == []


def test_browsers_are_answered_by_the_configuration_and_not_by_the_function(aws):
    cors = Cors(allow_origins=("https://a.com",), allow_methods=("POST",))
    url = made(aws, cors=cors)
    returns(
        aws,
        {"statusCode": 200, "body": "", "headers": {"Access-Control-Allow-Origin": "*"}},
    )
    asks = {"Origin": "https://a.com", "Access-Control-Request-Method": "POST"}
    status, headers, _ = url.visit("OPTIONS", "/", None, **asks)
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, "https://a.com")
    assert aws.host.seen == []
    _, headers, _ = url.visit("POST", "/", b"x", Origin="https://a.com")
    assert headers.get_all("Access-Control-Allow-Origin") == ["https://a.com"]
    _, headers, _ = url.visit("POST", "/", b"x", Origin="https://b.com")
    assert headers["Access-Control-Allow-Origin"] is None


def test_without_a_configuration_an_options_request_is_the_functions(aws):
    url = made(aws)
    returns(aws, {"statusCode": 204, "headers": {"Access-Control-Allow-Origin": "*"}})
    status, headers, _ = url.visit(
        "OPTIONS", "/", None, Origin="https://a.com", **{"Access-Control-Request-Method": "PUT"}
    )
    assert (status, headers["Access-Control-Allow-Origin"]) == (204, "*")


def test_a_head_request_gets_no_body(aws):
    url = made(aws)
    returns(aws, "hello")
    status, headers, body = url.visit("HEAD")
    assert (status, headers["Content-Length"], body) == (200, "5", b"")


def begins(aws: AwsSystem, content_type: str, *pieces: bytes) -> list:
    """Let the function begin to stream; the test ends it. Filled with pipe and placement."""
    begun: list = []

    def begin(placement: Placement) -> None:
        pipe = aws.dispatcher.transfers.stream_began(placement.request.request_id, content_type)
        for piece in pieces:
            pipe.write(piece)
        begun.append((pipe, placement))

    aws.host.answer = begin
    return begun


def test_status_and_first_bytes_are_out_while_the_function_still_runs(aws):
    url = made(aws, mode=STREAM)
    head = b'{"statusCode":206,"headers":{"Content-Type":"text/event-stream"},"cookies":["a=b"]}'
    begun = begins(
        aws, "application/vnd.awslambda.http-integration-response", head + bytes(8), b"one"
    )
    with url.opened() as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (206, "text/event-stream")
        assert answer.headers["Set-Cookie"] == "a=b"
        assert answer.read(3) == b"one"
        # Only now does the function go on.
        [(pipe, placement)] = begun
        aws.call(pipe.write, b"two")
        assert answer.read(3) == b"two"
        aws.call(aws.host.end, placement, attempt_result(b""))
        assert answer.read() == b""


def test_a_stream_without_a_prelude_is_a_200_of_the_runtimes_type(aws):
    url = made(aws, mode=STREAM)
    begun = begins(aws, "text/plain")
    with url.opened() as answer:
        # The head is out before the function has written a byte.
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain")
        [(pipe, placement)] = begun
        aws.call(pipe.write, b"all")
        aws.call(aws.host.end, placement, attempt_result(b""))
        assert answer.read() == b"all"


def test_a_function_that_fails_in_the_middle_leaves_the_answer_without_an_end(aws):
    url = made(aws, mode=STREAM)
    begun = begins(aws, "text/plain", b"half")
    with url.opened() as answer:
        assert answer.read(4) == b"half"
        [(_, placement)] = begun
        failed = attempt_result(b"{}", function_error="Unhandled")
        aws.call(aws.host.end, placement, failed)
        with pytest.raises(http.client.IncompleteRead):
            answer.read()


def test_a_whole_result_in_streaming_mode_is_not_interpreted(aws):
    url = made(aws, mode=STREAM)
    returns(aws, {"statusCode": 418, "body": "hi"}, content_type="application/json")
    status, headers, body = url.visit()
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert json.loads(body) == {"statusCode": 418, "body": "hi"}


def test_a_streamed_result_for_a_buffered_url_is_interpreted_whole(aws):
    url = made(aws)
    aws.host.answer = lambda _: attempt_result(
        b'{"statusCode":202}' + bytes(8) + b"body",
        content_type="application/vnd.awslambda.http-integration-response",
    )
    status, _, body = url.visit()
    assert (status, body) == (202, b"body")


@pytest.mark.parametrize("head", [b"no json" + bytes(8), b'{"statusCode":1}' + bytes(8), b"x"])
def test_a_prelude_that_is_none_is_a_502(aws, head):
    url = made(aws, mode=STREAM)

    def begin(placement: Placement):
        kind = "application/vnd.awslambda.http-integration-response"
        aws.dispatcher.transfers.stream_began(placement.request.request_id, kind).write(head)
        return attempt_result(b"")

    aws.host.answer = begin
    assert url.visit()[0] == 502
