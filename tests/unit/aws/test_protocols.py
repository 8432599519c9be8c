"""Every operation of four services: botocore writes what we read, and reads what we write."""

from __future__ import annotations

import io
import json
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import HeadersDict, create_request_object, prepare_request_dict
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.response import StreamingBody
from botocore.serialize import create_serializer

from controlplane.api.aws.codec import Head
from controlplane.api.aws.errors import reason_of
from controlplane.api.aws.forms import parse_form
from controlplane.api.aws.json11 import Json11
from controlplane.api.aws.model import load_model
from controlplane.api.aws.parsing import Parts, parse_json, parse_rest
from controlplane.api.aws.query import Query
from controlplane.api.aws.restjson import RestJson, query_of
from emberd.wire.errors import (
    CapacityError,
    ConflictError,
    DeniedError,
    EmberdError,
    InvalidArgumentError,
    NotFoundError,
    UnavailableError,
)
from tests.fakes.shapes import example

CODECS = {
    "lambda": RestJson("lambda"),
    "logs": Json11("logs"),
    "sts": Query("sts"),
    "iam": Query("iam"),
}
PROTOCOLS = {"lambda": "rest-json", "logs": "json", "sts": "query", "iam": "query"}
PEERS = {
    service: ServiceModel(Loader().load_service_model(service, "service-2"), service)
    for service in CODECS
}
EVERY = [(service, name) for service in CODECS for name in load_model(service).operation_names]
EVENT_STREAMS = {
    (service, name)
    for service, name in EVERY
    if PEERS[service].operation_model(name).has_event_stream_output
}


def written_by_botocore(service, name, values):
    """A request as botocore would send it."""
    serialiser = create_serializer(PROTOCOLS[service], include_validation=False)
    written = serialiser.serialize_to_request(values, PEERS[service].operation_model(name))
    prepare_request_dict(written, endpoint_url="http://localhost:4600")
    return create_request_object(written).prepare()


def head_of(request):
    url = urlsplit(request.url)
    return Head(
        method=request.method,
        raw_path=url.path,
        raw_query=url.query,
        headers=HeadersDict({name: _text(value) for name, value in request.headers.items()}),
    )


def _text(value):
    return value.decode() if isinstance(value, bytes) else value


def body_of(request):
    body = request.body or b""
    return body.encode() if isinstance(body, str) else body


def read_by_us(service, name, request):
    """The operation's input, without its constraints, which examples need not keep."""
    head, body = head_of(request), body_of(request)
    operation = load_model(service).operation(name)
    if service == "lambda":
        reading = CODECS[service].begin(head)
        assert reading.match.operation is operation
        parts = Parts(
            uri=reading.match.uri, query=reading.query, headers=reading.headers, body=body
        )
        return parse_rest(operation, parts)
    if service == "logs":
        assert CODECS[service].begin(head).operation is operation
        return parse_json(operation, body)
    return parse_form(operation.input, query_of(body.decode())) if operation.input else {}


def read_by_botocore(service, answer, body, shape):
    """An answer as botocore's client takes it apart."""
    response = {
        "status_code": answer.status,
        "headers": HeadersDict(answer.headers),
        "body": body,
    }
    return create_parser(PROTOCOLS[service]).parse(response, shape)


@pytest.mark.parametrize(("service", "name"), EVERY)
def test_what_botocore_writes_is_read_back(service, name):
    shape = load_model(service).operation(name).input
    values = {} if shape is None else example(shape)
    assert read_by_us(service, name, written_by_botocore(service, name, values)) == values


@pytest.mark.parametrize(("service", "name"), sorted(set(EVERY) - EVENT_STREAMS))
def test_what_we_write_is_read_back_by_botocore(service, name):
    operation = load_model(service).operation(name)
    output = {} if operation.output is None else example(operation.output)
    if "StatusCode" in output or ("Status" in output and name == "InvokeAsync"):
        output = output | {key: 202 for key in ("StatusCode", "Status") if key in output}
    answer = CODECS[service].write(operation, output, "a-request")
    peer = PEERS[service].operation_model(name)
    body = answer.body
    if peer.has_streaming_output:
        body = StreamingBody(io.BytesIO(body), len(body))
    parsed = read_by_botocore(service, answer, body, peer.output_shape)
    metadata = parsed.pop("ResponseMetadata")
    assert metadata.get("RequestId") == ("a-request" if service in ("sts", "iam") else None)
    if "Payload" in parsed:
        parsed["Payload"] = parsed["Payload"].read()
    assert parsed == output


@pytest.mark.parametrize(
    ("service", "name"),
    [
        (service, name)
        for service in CODECS
        for name in load_model(service).error_names
        if (service, name) != ("logs", "ValidationException")
    ],
)
def test_what_we_refuse_with_is_the_exception_that_botocore_expects(service, name):
    error = EmberdError("what <went> wrong", reason=reason_of(name), throttle="Some")
    answer = CODECS[service].refuse(error, "a-request")
    shape = PEERS[service].shape_for(name)
    declared = shape.metadata.get("error", {}).get("httpStatusCode")
    assert answer.status == (declared or load_model(service).shape(name).error_status)
    parsed = read_by_botocore(service, answer, answer.body, None)
    assert parsed["Error"]["Code"] == shape.error_code
    assert parsed["Error"]["Message"] == "what <went> wrong"
    members = read_by_botocore(service, answer, answer.body, shape)
    if service == "lambda":
        (message,) = {"message", "Message"} & shape.members.keys()
        assert members[message] == "what <went> wrong"


def test_broken_constraints_have_another_name_in_cloudwatch_logs():
    error = InvalidArgumentError("1 validation error detected: ...", reason="VALIDATION")
    answer = CODECS["logs"].refuse(error, "a-request")
    assert (answer.headers["x-amzn-ErrorType"], answer.status) == ("InvalidParameterException", 400)


def test_a_throttled_caller_learns_why_and_for_how_long():
    error = CapacityError("Rate Exceeded.", reason="TOO_MANY_REQUESTS", throttle="CallerRateLimit")
    answer = CODECS["lambda"].refuse(error, "a-request")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
    assert json.loads(answer.body) == {
        "Reason": "CallerRateLimit",
        "Type": "User",
        "message": "Rate Exceeded.",
    }


@pytest.mark.parametrize(
    ("kind", "name", "status"),
    [
        (InvalidArgumentError, "InvalidParameterValueException", 400),
        (DeniedError, "AccessDeniedException", 403),
        (NotFoundError, "ResourceNotFoundException", 404),
        (ConflictError, "ResourceConflictException", 409),
        (CapacityError, "TooManyRequestsException", 429),
        (UnavailableError, "ServiceException", 500),
    ],
)
def test_a_reason_of_our_own_becomes_what_its_class_says(kind, name, status):
    answer = CODECS["lambda"].refuse(kind("words", reason="ALL_OURS"), "a-request")
    assert (answer.headers["x-amzn-ErrorType"], answer.status) == (name, status)


def test_a_name_that_the_model_does_not_know_is_our_mistake():
    operation = load_model("lambda").operation("GetAlias")
    with pytest.raises(ValueError, match="AliasConfiguration has no member Nmae"):
        CODECS["lambda"].write(operation, {"Nmae": "live"}, "a-request")


def test_a_control_character_leaves_xml_well_formed():
    answer = CODECS["iam"].refuse(NotFoundError("a\x00b", reason="NO_SUCH_ENTITY"), "a-request")
    assert "<Message>a\ufffdb</Message>" in answer.body.decode()
