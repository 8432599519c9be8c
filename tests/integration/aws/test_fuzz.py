"""Whatever is sent to the port is answered, and never with a failure of ours."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.api.aws.model import load_model
from tests.fakes.aws_system import AwsSystem
from tests.fakes.requests import ARN, NAME, form_requests, requests, target_requests

REQUESTS = 700
"""Some seconds of an idle machine, half a minute of a busy one."""
LAMBDA = load_model("lambda")


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    """One port for all requests, with a function to hit."""
    with AwsSystem(tmp_path_factory.mktemp("fuzz")) as system:
        system.create_function(NAME, publish=True)
        system.client().create_alias(FunctionName=NAME, Name="live", FunctionVersion="1")
        yield system


@pytest.fixture(scope="module")
def connection(aws):
    """One connection, which any failure to speak HTTP would break."""
    connection = http.client.HTTPConnection(urlsplit(aws.endpoint).netloc, timeout=20)
    yield connection
    connection.close()


def send(connection, request):
    """The answer's status, headers and body."""
    connection.request(request.method, request.target, request.body, request.headers)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


@settings(
    max_examples=REQUESTS,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(request=requests(LAMBDA))
def test_every_request_gets_an_answer_that_blames_nothing_of_ours(connection, request):
    status, headers, body = send(connection, request)
    assert status < 500 or status == 501, (status, body)
    assert headers["x-amzn-RequestId"]
    if status >= 400:
        assert headers["x-amzn-ErrorType"]
        assert request.method == "HEAD" or "essage" in "".join(json.loads(body))


@settings(
    max_examples=REQUESTS // 3,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    request=st.one_of(
        form_requests(load_model("sts"), "sts"),
        form_requests(load_model("iam"), "iam"),
        target_requests(load_model("logs"), "logs"),
    )
)
def test_lambdas_neighbours_answer_everything_too(connection, request):
    status, headers, body = send(connection, request)
    assert status < 500 or status == 501, (status, body)
    assert headers["x-amzn-RequestId"]
    if status >= 400:
        assert headers["x-amzn-ErrorType"]
    if headers["Content-Type"] == "text/xml":
        assert ElementTree.fromstring(body).tag.endswith(("Response", "ErrorResponse"))


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 3_000_000,
        b'{"a":' * 500_000,
        b'{"Description":"' + b"\\u0000" * 500_000 + b'"}',
        b'{"Timeout":' + b"9" * 3_000_000 + b"}",
        json.dumps({"Layers": ["x"] * 200_000}).encode(),
        json.dumps({"Tags": {str(n): "v" for n in range(100_000)}}).encode(),
        json.dumps({"FileSystemConfigs": [{}] * 200_000}).encode(),
        json.dumps({"Handler": "a b" * 1_000_000, "Role": "arn:" + "x:" * 1_000_000}).encode(),
    ],
    ids=["lists", "objects", "nul", "digits", "items", "entries", "structures", "texts"],
)
def test_what_is_huge_is_refused_with_few_words(aws, connection, body):
    connection.request("POST", "/2015-03-31/functions", body)
    answer = connection.getresponse()
    told = answer.read()
    assert answer.status == 400
    assert len(told) < 64_000


@given(segments=st.lists(st.sampled_from(["a" * 60, "..", "%2e%2e", "%00", "", ARN]), max_size=30))
@settings(max_examples=100, deadline=None, database=None)
def test_no_path_does_harm(connection, segments):
    connection.request("GET", "/2015-03-31/functions/" + "/".join(segments))
    answer = connection.getresponse()
    answer.read()
    assert answer.status < 500
