"""The limits of a configuration and the words they are refused in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controlplane.model.configuration import Configuration, Logging
from controlplane.model.limits import (
    RESERVED_VARIABLES,
    check_architecture,
    check_configuration,
    default_role,
    page_size,
)
from emberd.wire.errors import InvalidArgumentError

GOOD = Configuration(
    runtime_id="python3.12", handler="app.handler", role=default_role("000000000000")
)


def refusal(**changes):
    with pytest.raises(InvalidArgumentError) as refused:
        check_configuration(replace(GOOD, **changes))
    return refused.value


def one(path, value, constraint):
    return (
        f"1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: "
        f"{constraint}"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"memory_size_mb": 128},
        {"memory_size_mb": 10_240},
        {"timeout_s": 1},
        {"timeout_s": 900},
        {"ephemeral_storage_mb": 512},
        {"ephemeral_storage_mb": 10_240},
        {"handler": "x" * 128},
        {"description": "ü" * 256},
        {"role": "arn:aws:iam::123456789012:role/service-role/My.Role@x"},
        {"role": "arn:aws-cn:iam::123456789012:role/x"},
        {"environment": {"A1": "", "Ab_": "ü\n"}},
    ],
)
def test_what_is_within_the_limits_is_taken(changes):
    configuration = replace(GOOD, **changes)
    check_configuration(configuration)
    assert configuration.runtime_id == "python3.12"


@pytest.mark.parametrize(
    ("path", "name", "least", "most"),
    [
        ("memorySize", "memory_size_mb", 128, 10_240),
        ("timeout", "timeout_s", 1, 900),
        ("ephemeralStorage.size", "ephemeral_storage_mb", 512, 10_240),
    ],
)
def test_numbers_outside_their_range_are_refused(path, name, least, most):
    low, high = refusal(**{name: least - 1}), refusal(**{name: most + 1})
    assert low.message == one(
        path, least - 1, f"Member must have value greater than or equal to {least}"
    )
    assert high.message == one(
        path, most + 1, f"Member must have value less than or equal to {most}"
    )
    assert low.reason == high.reason == "VALIDATION"


def test_a_bad_role_is_refused_with_the_pattern():
    assert refusal(role="r1").message == one(
        "role",
        "r1",
        "Member must satisfy regular expression pattern: "
        r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+",
    )


def test_several_violations_come_back_joined():
    message = refusal(timeout_s=0, memory_size_mb=1, description="x" * 257).message
    assert message.startswith("3 validation errors detected: Value ")
    assert message.count("; Value '") == 2
    assert "x" * 257 not in message


@pytest.mark.parametrize("changes", [{"handler": ""}, {"runtime_id": ""}])
def test_runtime_and_handler_are_mandatory(changes):
    assert refusal(**changes).message == (
        "Runtime and Handler are mandatory parameters for functions created with deployment "
        "packages."
    )


@pytest.mark.parametrize("handler", ["a b", "a\nb", "x" * 129])
def test_a_bad_handler_is_refused(handler):
    assert "at 'handler' failed to satisfy constraint" in refusal(handler=handler).message


@pytest.mark.parametrize("name", ["A", "_AB", "1AB", "A-B", "", "Ä1", "A B"])
def test_a_bad_variable_name_is_refused_without_its_value(name):
    message = refusal(environment={name: "s3cret", "GOOD": "x"}).message
    assert "Map keys must satisfy constraint" in message
    assert "[a-zA-Z]([a-zA-Z0-9_])+" in message
    assert "s3cret" not in message


@pytest.mark.parametrize("name", sorted(RESERVED_VARIABLES))
def test_a_reserved_variable_is_refused_by_name(name):
    message = refusal(environment={name: "s3cret"}).message
    assert message.endswith(f"Reserved keys used in this request: {name}")
    assert "s3cret" not in message


def test_variables_are_measured_together_as_json():
    # {"KEY":"..."} has ten bytes around the value.
    check_configuration(replace(GOOD, environment={"KEY": "x" * (4096 - 10)}))
    error = refusal(environment={"KEY": "x" * (4096 - 9)})
    assert error.reason == "INVALID_PARAMETER_VALUE"
    assert error.message.startswith(
        "Lambda was unable to configure your environment variables because the environment "
        "variables you have provided exceeded the 4KB limit. String measured: "
    )
    assert "KEY" in error.message
    assert "xxx" not in error.message


def test_variables_of_many_byte_characters_are_measured_in_bytes():
    assert "4KB limit" in refusal(environment={"KEY": "€" * 1400}).message


def test_a_nul_in_a_variable_is_refused_by_the_name_of_the_variable():
    message = refusal(environment={"KEY": "a\0b"}).message
    assert "NUL" in message
    assert message.endswith("KEY")


@pytest.mark.parametrize(
    ("changes", "path", "value", "choices"),
    [
        ({"tracing_mode": "x"}, "tracingConfig.mode", "x", "Active, PassThrough"),
        ({"snap_start_apply_on": "x"}, "snapStart.applyOn", "x", "PublishedVersions, None"),
        ({"logging": Logging(format="x")}, "loggingConfig.logFormat", "x", "JSON, Text"),
        (
            {"logging": Logging(format="JSON", system_level="ERROR")},
            "loggingConfig.systemLogLevel",
            "ERROR",
            "DEBUG, INFO, WARN",
        ),
    ],
)
def test_a_choice_is_one_of_lambdas(changes, path, value, choices):
    expected = f"Member must satisfy enum value set: [{choices}]"
    assert refusal(**changes).message == one(path, value, expected)


@pytest.mark.parametrize("applies", ["PublishedVersions", "EveryVersion"])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"runtime_id": "java21"}, "java21 is not supported for SnapStart enabled functions."),
        (
            {"ephemeral_storage_mb": 1024},
            "Ephemeral storage of more than 512 MB is not supported for SnapStart enabled "
            "functions.",
        ),
    ],
)
def test_what_cannot_be_copied_goes_without_a_snapshot_only(applies, changes, message):
    check_configuration(replace(GOOD, **changes))
    check_configuration(replace(GOOD, snap_start_apply_on=applies))
    error = refusal(snap_start_apply_on=applies, **changes)
    assert (error.message, error.reason) == (message, "INVALID_PARAMETER_VALUE")


def test_an_architecture_is_one_of_two():
    check_architecture("arm64")
    with pytest.raises(InvalidArgumentError) as refused:
        check_architecture("X86_64")
    assert refused.value.message == one(
        "architectures",
        "[X86_64]",
        "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], "
        "Member must not be null]",
    )


def test_levels_need_json_logs():
    text = Logging(application_level="DEBUG")
    assert "LogFormat JSON" in refusal(logging=text).message
    check_configuration(replace(GOOD, logging=replace(text, format="JSON")))


@pytest.mark.parametrize(("asked", "given"), [(0, 50), (1, 1), (50, 50), (51, 50), (10_000, 50)])
def test_a_page_holds_what_was_asked_for_up_to_fifty(asked, given):
    assert page_size(asked) == given


def test_a_negative_page_is_refused():
    with pytest.raises(InvalidArgumentError) as refused:
        page_size(-1)
    assert "'maxItems'" in refused.value.message
