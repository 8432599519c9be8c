"""Which runtimes a function may have, and the words that others are refused in."""

from __future__ import annotations

import pytest

from controlplane.model.ids import ArnScheme
from controlplane.model.runtimes import check_runtime, runtime_version_arn
from emberd.wire.errors import InvalidArgumentError


def test_an_unknown_runtime_is_named_with_those_on_offer():
    check_runtime("python3.12", {"python3.12"})
    with pytest.raises(InvalidArgumentError) as refused:
        check_runtime("PYTHON3.9", {"python3.12", "nodejs22.x"})
    assert refused.value.message == (
        "Value PYTHON3.9 at 'runtime' failed to satisfy constraint: Member must satisfy enum "
        "value set: [nodejs22.x, python3.12] or be a valid ARN"
    )
    assert refused.value.reason == "INVALID_PARAMETER_VALUE"


def test_with_no_host_attached_the_error_says_so():
    with pytest.raises(InvalidArgumentError) as refused:
        check_runtime("python3.12", ())
    assert "no host is attached" in refused.value.message


@pytest.mark.parametrize(
    "runtime_id",
    ["dotnetcore3.1", "go1.x", "java8", "nodejs12.x", "provided", "python3.7", "ruby2.7"],
)
def test_a_runtime_that_lambda_gave_up_is_refused_unless_a_host_has_it(runtime_id):
    with pytest.raises(InvalidArgumentError) as refused:
        check_runtime(runtime_id, {"python3.12"})
    assert refused.value.message == (
        f"The runtime parameter of {runtime_id} is no longer supported for creating or updating "
        "AWS Lambda functions. We recommend you use a supported runtime while creating or "
        "updating functions."
    )
    check_runtime(runtime_id, {runtime_id})


def test_a_runtimes_version_has_an_arn_of_its_own():
    arns = ArnScheme(region="eu-west-1", account_id="000000000000")
    arn = runtime_version_arn("python3.12", arns)
    assert arn.startswith("arn:aws:lambda:eu-west-1::runtime:")
    assert len(arn.rpartition(":")[2]) == 64
    assert arn != runtime_version_arn("python3.13", arns)
