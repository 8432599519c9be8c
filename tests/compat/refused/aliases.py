"""Aliases: what Lambda refuses, in its recorded words."""

from __future__ import annotations

from tests.compat.refused.case import (
    CONFLICT,
    DETECTED,
    IPV,
    NAME,
    NOT_FOUND,
    PATTERN,
    VALIDATION,
    Case,
)
from tests.compat.test_functions import arn_of

ALIASES = [
    Case(
        call="create_alias",
        given={"FunctionName": NAME, "Name": "2024", "FunctionVersion": "1"},
        error=VALIDATION,
        said=f"{DETECTED}'2024' at 'name' {PATTERN}(?!^[0-9]+$)([a-zA-Z0-9-_]+)",
    ),
    Case(
        call="create_alias",
        given={"FunctionName": NAME, "Name": "live", "FunctionVersion": "1"},
        error=CONFLICT,
        said=f"Alias already exists: {arn_of(NAME)}:live",
    ),
    Case(
        call="create_alias",
        given={
            "FunctionName": NAME,
            "Name": "new",
            "FunctionVersion": "1",
            "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}},
        },
        error=IPV,
        said="Invalid function version 1. Function version 1 is already included in routing "
        "configuration.",
    ),
    Case(
        call="create_alias",
        given={
            "FunctionName": NAME,
            "Name": "new",
            "FunctionVersion": "1",
            "RoutingConfig": {"AdditionalVersionWeights": {"2": 2.0}},
        },
        error=VALIDATION,
        said=f"{DETECTED}'{{2=2.0}}' at 'routingConfig.additionalVersionWeights' failed to "
        "satisfy constraint: Map value must satisfy constraint: [Member must have value less than "
        "or equal to 1.0, Member must have value greater than or equal to 0.0, "
        "Member must not be null]",
    ),
    Case(
        call="create_alias",
        given={
            "FunctionName": NAME,
            "Name": "new",
            "FunctionVersion": "$LATEST",
            "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}},
        },
        error=IPV,
        said="$LATEST is not supported for an alias pointing to more than 1 version",
    ),
    Case(
        call="get_alias",
        given={"FunctionName": NAME, "Name": "missing"},
        error=NOT_FOUND,
        said=f"Cannot find alias arn: {arn_of(NAME)}:missing",
    ),
]
