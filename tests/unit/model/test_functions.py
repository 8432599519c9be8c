"""Revisions and weights: what is equal, what differs, and who gets which request."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.configuration import Configuration
from controlplane.model.functions import Alias, FunctionVersion, revision_of
from controlplane.model.ids import ArnScheme

ARNS = ArnScheme(region="us-east-1", account_id="000000000000")
CODE = hashlib.sha256(b"code").hexdigest()
CONFIGURATION = Configuration(
    runtime_id="python3.12", handler="app.handler", role="r", environment={"AB": "1", "CD": "2"}
)
VERSION = FunctionVersion(
    function_name="thumb",
    version="$LATEST",
    configuration=CONFIGURATION,
    artifact_id=CODE,
    artifact_size_bytes=100,
    architecture="x86_64",
    last_modified=datetime(2026, 1, 1, tzinfo=UTC),
    lambda_revision_id="u1",
)


def test_equal_descriptions_have_equal_revision_ids():
    shuffled = replace(CONFIGURATION, environment={"CD": "2", "AB": "1"})
    one = revision_of(VERSION, ARNS)
    other = revision_of(replace(VERSION, configuration=shuffled), ARNS)
    assert one == other
    assert one.revision_id.startswith("rev-")
    assert one.function_arn == "arn:aws:lambda:us-east-1:000000000000:function:thumb"


@pytest.mark.parametrize(
    "change",
    [
        {"version": "1"},
        {"function_name": "other"},
        {"artifact_id": "0" * 64},
        {"configuration": replace(CONFIGURATION, timeout_s=4)},
        {"configuration": replace(CONFIGURATION, memory_size_mb=256)},
        {"configuration": replace(CONFIGURATION, ephemeral_storage_mb=1024)},
        {"configuration": replace(CONFIGURATION, handler="app.other")},
        {"configuration": replace(CONFIGURATION, runtime_id="python3.13")},
        {"configuration": replace(CONFIGURATION, environment={"AB": "1"})},
    ],
)
def test_whatever_a_function_can_see_makes_another_revision(change):
    before = revision_of(VERSION, ARNS).revision_id
    assert revision_of(replace(VERSION, **change), ARNS).revision_id != before


def test_what_a_function_cannot_see_makes_no_other_revision():
    configuration = replace(CONFIGURATION, description="words")
    unseen = replace(VERSION, configuration=configuration, lambda_revision_id="u2")
    assert revision_of(unseen, ARNS) == revision_of(VERSION, ARNS)


def test_no_value_of_a_variable_is_in_a_repr():
    secret = replace(VERSION, configuration=replace(CONFIGURATION, environment={"KEY": "s3cret"}))
    assert "s3cret" not in repr(secret)
    assert "s3cret" not in repr(revision_of(secret, ARNS))


def test_the_digest_of_code_is_printed_in_base64():
    assert base64.b64decode(VERSION.code_sha256) == hashlib.sha256(b"code").digest()


def alias(weight):
    return Alias(
        name="live",
        function_name="thumb",
        function_version="1",
        description="",
        weights={"2": weight},
        lambda_revision_id="u",
    )


@given(st.floats(0, 1, exclude_max=True))
def test_a_weight_of_one_takes_everything_and_of_zero_nothing(draw):
    assert alias(1.0).target(draw) == "2"
    assert alias(0.0).target(draw) == "1"


def test_a_weight_is_the_share_of_draws_that_it_takes():
    draws = [number / 1000 for number in range(1000)]
    assert sum(alias(0.3).target(draw) == "2" for draw in draws) == 300
