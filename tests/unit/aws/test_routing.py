"""Paths and queries lead to operations, whatever clients do to their slashes and ARNs."""

from __future__ import annotations

import pytest

from controlplane.api.aws.model import load_model, overlaid
from controlplane.api.aws.routing import Router

LAMBDA = load_model("lambda")
ROUTER = Router([LAMBDA.operation(name) for name in LAMBDA.operation_names])
ARN = "arn:aws:lambda:us-east-1:000000000000:function:thumb:live"
ENCODED = ARN.replace(":", "%3A")


def found(method, path, query=()):
    match = ROUTER.find(method, path, query)
    return None if match is None else (match.operation.name, dict(match.uri))


@pytest.mark.parametrize("end", ["", "/", "//"])
def test_a_slash_at_the_end_means_nothing(end):
    assert found("GET", f"/2015-03-31/functions{end}") == ("ListFunctions", {})


@pytest.mark.parametrize("written", [ARN, ENCODED, ENCODED.lower()])
def test_an_arn_is_one_segment_encoded_or_not(written):
    path = f"/2015-03-31/functions/{written}/invocations"
    name, uri = found("POST", path)
    assert (name, uri["FunctionName"]) == ("Invoke", ARN)


def test_an_encoded_slash_separates_nothing():
    name, uri = found("GET", "/2017-03-31/tags/a%2Fb%2fc")
    assert (name, uri) == ("ListTags", {"Resource": "a/b/c"})


def test_a_fixed_query_tells_operations_of_one_path_apart():
    path = "/2018-10-31/layers"
    assert found("GET", path) == ("ListLayers", {})
    assert found("GET", path, [("find", "LayerVersion")]) == ("GetLayerVersionByArn", {})
    assert found("GET", path, [("find", "Other")]) == ("ListLayers", {})
    path = "/2019-09-30/functions/thumb/provisioned-concurrency"
    uri = {"FunctionName": "thumb"}
    assert found("GET", path) == ("GetProvisionedConcurrencyConfig", uri)
    query = [("Marker", "m"), ("List", "ALL")]
    assert found("GET", path, query) == ("ListProvisionedConcurrencyConfigs", uri)


def test_an_empty_segment_is_an_empty_name_and_not_another_operation():
    assert found("GET", "/2015-03-31/functions//aliases") == ("ListAliases", {"FunctionName": ""})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", ""),
        ("GET", "/2015-03-31"),
        ("GET", "/2015-03-31/functions/a/b"),
        ("GET", "/2015-03-31/functions/a/aliases/b/c"),
        ("get", "/2015-03-31/functions"),
        ("HEAD", "/2015-03-31/functions"),
        ("POST", "/2015-03-31/functions/a"),
        ("GET", "/2015-03-31%2Ffunctions"),
    ],
)
def test_what_no_operation_has_is_not_found(method, path):
    assert found(method, path) is None


def test_bytes_that_are_no_utf_8_do_not_break_a_path():
    assert found("GET", "/2017-03-31/tags/%FF%") == ("ListTags", {"Resource": "\ufffd%"})


def test_an_overlay_replaces_adds_and_leaves_alone():
    base = {"a": {"b": 1, "c": [1]}, "d": 2}
    assert overlaid(base, {"a": {"b": 3, "c+": [4]}}) == {"a": {"b": 3, "c": [1, 4]}, "d": 2}
    assert base == {"a": {"b": 1, "c": [1]}, "d": 2}


def test_our_differences_from_the_model_are_those_of_a_classic_function():
    assert LAMBDA.shape("Timeout").maximum == 900
    assert LAMBDA.shape("MemorySize").maximum == 10_240
    assert LAMBDA.shape("EphemeralStorageSize").maximum == 10_240
    assert {"wasm", "python3.12"} <= set(LAMBDA.shape("Runtime").enum)
    assert LAMBDA.operation("DeleteFunction").status == 204
