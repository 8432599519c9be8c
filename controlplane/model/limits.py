"""What a function may be configured to, refused in Lambda's words.

Numbers are those of classic Lambda functions (lambda-behaviour.md 1.4 and 1.6). Several broken
constraints come back in one error, joined as Lambda joins them. No value of an environment
variable ever appears in an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from controlplane.model.configuration import EVERY_VERSION, JSON, NO_SNAPSHOT, Configuration
from controlplane.model.ids import (
    at_most_long,
    must_match,
    shown,
    validation_error,
    violation,
    violation_text,
)
from emberd.wire.errors import InvalidArgumentError

MEMORY_SIZE_MB = range(128, 10_240 + 1)
TIMEOUT_S = range(1, 900 + 1)
EPHEMERAL_STORAGE_MB = range(512, 10_240 + 1)
HANDLER_CHARACTERS_MAX = 128
DESCRIPTION_CHARACTERS_MAX = 256
ENVIRONMENT_BYTES_MAX = 4 * 1024
"""Of all variables together, measured as compact JSON."""
PAGE_ITEMS_MAX = 50

ACCOUNT_CONCURRENCY = 1_000
"""Concurrent executions of an account and region (Lambda's default quota)."""
UNRESERVED_CONCURRENCY_MIN = 100
"""Of those, what must stay for functions without a reservation; less in a smaller account."""

ARCHITECTURES = ("x86_64", "arm64")
TRACING_MODES = ("Active", "PassThrough")
SNAP_START_CHOICES = ("PublishedVersions", "None")
"""Lambda's; EveryVersion, which is ours, is taken beside them."""
SNAP_START_STORAGE_MB = EPHEMERAL_STORAGE_MB.start
"""The only size of /tmp that goes with SnapStart."""
SNAP_START_RUNTIMES = ("python",)
"""Beginnings of the names of runtimes whose processes can be copied."""
LOG_FORMATS = ("JSON", "Text")
APPLICATION_LOG_LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
SYSTEM_LOG_LEVELS = ("DEBUG", "INFO", "WARN")

DEFAULT_ROLE_NAME = "emberd"

_ROLE_PATTERN = r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"
_ROLE = re.compile(r"arn:(?:aws[a-zA-Z-]*)?:iam::[0-9]{12}:role/?[a-zA-Z_0-9+=,.@/-]+")
_HANDLER_PATTERN = r"[^\s]+"
_HANDLER = re.compile(_HANDLER_PATTERN)
_VARIABLE_PATTERN = "[a-zA-Z]([a-zA-Z0-9_])+"
_VARIABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")

RESERVED_VARIABLES = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_MAX_CONCURRENCY",
        "AWS_LAMBDA_METADATA_API",
        "AWS_LAMBDA_METADATA_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)
"""Variables that only the platform sets (lambda-behaviour.md 3.3)."""


def default_role(account_id: str) -> str:
    """The role of a function whose caller named none."""
    return f"arn:aws:iam::{account_id}:role/{DEFAULT_ROLE_NAME}"


def check_configuration(configuration: Configuration) -> None:
    """Refuse a configuration that breaks a limit.

    Raises:
        InvalidArgumentError: names every broken constraint.
    """
    if not configuration.runtime_id or not configuration.handler:
        raise _refused(
            "Runtime and Handler are mandatory parameters for functions created with deployment "
            "packages."
        )
    violations = [
        *_name_violations(configuration.environment),
        *_text_violations(configuration),
        *_range_violations("timeout", configuration.timeout_s, TIMEOUT_S),
        *_range_violations("memorySize", configuration.memory_size_mb, MEMORY_SIZE_MB),
        *_range_violations(
            "ephemeralStorage.size", configuration.ephemeral_storage_mb, EPHEMERAL_STORAGE_MB
        ),
        *_choice_violations(configuration),
    ]
    if violations:
        raise validation_error(violations)
    _check_environment(configuration.environment)
    logging = configuration.logging
    if logging.format != JSON and (logging.application_level or logging.system_level):
        raise _refused("Log levels need the LogFormat JSON; Text has none.")
    _check_snap_start(configuration)


def check_architecture(architecture: str) -> None:
    """Refuse an architecture that Lambda does not know.

    Raises:
        InvalidArgumentError: it is one of those.
    """
    if architecture not in ARCHITECTURES:
        raise violation(
            f"[{shown(architecture)}]",
            "architectures",
            f"Member must satisfy constraint: [{_one_of(ARCHITECTURES)}, Member must not be null]",
        )


def check_description(description: str) -> None:
    """Refuse a description that is too long.

    Raises:
        InvalidArgumentError: it is.
    """
    violations = _length_violations("description", description, DESCRIPTION_CHARACTERS_MAX)
    if violations:
        raise validation_error(violations)


def page_size(max_items: int) -> int:
    """How many items a page holds; 0 asks for the default, and more than 50 are never given.

    Raises:
        InvalidArgumentError: a negative number.
    """
    if max_items < 0:
        raise validation_error(_range_violations("maxItems", max_items, range(1, 10_001)))
    return min(max_items, PAGE_ITEMS_MAX) or PAGE_ITEMS_MAX


def _text_violations(configuration: Configuration) -> list[str]:
    handler, role = configuration.handler, configuration.role
    violations = _length_violations("handler", handler, HANDLER_CHARACTERS_MAX)
    if not _HANDLER.fullmatch(handler):
        violations.append(violation_text(handler, "handler", must_match(_HANDLER_PATTERN)))
    if not _ROLE.fullmatch(role):
        violations.append(violation_text(role, "role", must_match(_ROLE_PATTERN)))
    violations += _length_violations(
        "description", configuration.description, DESCRIPTION_CHARACTERS_MAX
    )
    return violations


def _length_violations(path: str, value: str, length: int) -> list[str]:
    return [violation_text(value, path, at_most_long(length))] if len(value) > length else []


def _range_violations(path: str, value: int, allowed: range) -> list[str]:
    if value < allowed.start:
        constraint = f"Member must have value greater than or equal to {allowed.start}"
    elif value >= allowed.stop:
        constraint = f"Member must have value less than or equal to {allowed.stop - 1}"
    else:
        return []
    return [violation_text(str(value), path, constraint)]


def _choice_violations(configuration: Configuration) -> list[str]:
    logging, snap_start = configuration.logging, configuration.snap_start_apply_on
    if snap_start == EVERY_VERSION:
        snap_start = ""
    return [
        violation_text(value, path, _one_of(choices))
        for path, value, choices in (
            ("tracingConfig.mode", configuration.tracing_mode, TRACING_MODES),
            ("snapStart.applyOn", snap_start, SNAP_START_CHOICES),
            ("loggingConfig.logFormat", logging.format, LOG_FORMATS),
            (
                "loggingConfig.applicationLogLevel",
                logging.application_level,
                APPLICATION_LOG_LEVELS,
            ),
            ("loggingConfig.systemLogLevel", logging.system_level, SYSTEM_LOG_LEVELS),
        )
        if value and value not in choices
    ]


def _check_snap_start(configuration: Configuration) -> None:
    """Refuse what cannot be copied. Lambda's words for the runtime; the rest is ours."""
    if configuration.snap_start_apply_on == NO_SNAPSHOT:
        return
    runtime_id = configuration.runtime_id
    if not runtime_id.startswith(SNAP_START_RUNTIMES):
        raise _refused(f"{runtime_id} is not supported for SnapStart enabled functions.")
    if configuration.ephemeral_storage_mb > SNAP_START_STORAGE_MB:
        raise _refused(
            f"Ephemeral storage of more than {SNAP_START_STORAGE_MB} MB is not supported for "
            "SnapStart enabled functions."
        )


def _one_of(choices: Sequence[str]) -> str:
    return f"Member must satisfy enum value set: [{', '.join(choices)}]"


def _name_violations(environment: Mapping[str, str]) -> list[str]:
    wrong = sorted(
        name
        for name in environment
        if not _VARIABLE.fullmatch(name) and name not in RESERVED_VARIABLES
    )
    if not wrong:
        return []
    return [
        "Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy "
        f"constraint: [{must_match(_VARIABLE_PATTERN)}] (names: {shown(', '.join(wrong))})"
    ]


def _check_environment(environment: Mapping[str, str]) -> None:
    complaint = (
        "Lambda was unable to configure your environment variables because the environment "
        "variables you have provided "
    )
    reserved = sorted(RESERVED_VARIABLES & environment.keys())
    if reserved:
        raise _refused(
            f"{complaint}contains reserved keys that are currently not supported for "
            f"modification. Reserved keys used in this request: {', '.join(reserved)}"
        )
    with_nul = sorted(name for name, value in environment.items() if "\0" in value)
    if with_nul:
        raise _refused(
            f"{complaint}contains a NUL character, which no process environment can hold: "
            f"{shown(', '.join(with_nul))}"
        )
    measured = json.dumps(dict(environment), ensure_ascii=False, separators=(",", ":"))
    size = len(measured.encode())
    if size > ENVIRONMENT_BYTES_MAX:
        # Lambda prints the JSON here, values and all; ours may hold secrets, so names must do.
        raise _refused(
            f"{complaint}exceeded the 4KB limit. String measured: {size} bytes of JSON with the "
            f"keys {shown(', '.join(sorted(environment)))}"
        )


def _refused(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(message, reason="INVALID_PARAMETER_VALUE")
