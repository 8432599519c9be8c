"""Resource policies: what Lambda refuses, in its recorded words."""

from __future__ import annotations

from tests.compat.refused.case import DETECTED, IPV, NAME, NOT_FOUND, PATTERN, VALIDATION, Case

PERMISSIONS = [
    Case(
        call="add_permission",
        given={
            "FunctionName": NAME,
            "StatementId": "example.com",
            "Action": "lambda:InvokeFunction",
            "Principal": "s3.amazonaws.com",
        },
        error=VALIDATION,
        said=f"{DETECTED}'example.com' at 'statementId' {PATTERN}([a-zA-Z0-9-_]+)",
    ),
    Case(
        call="add_permission",
        given={
            "FunctionName": NAME,
            "StatementId": "s1",
            "Action": "lambda:InvokeFunction",
            "Principal": "invalid.nonaws.com",
        },
        error=IPV,
        said="The provided principal was invalid. Please check the principal and try again.",
    ),
    Case(
        call="add_permission",
        given={
            "FunctionName": NAME,
            "StatementId": "s1",
            "Action": "lambda:InvokeFunction",
            "Principal": "s3.amazonaws.com",
            "Qualifier": "$LATEST",
        },
        error=IPV,
        said="We currently do not support adding policies for $LATEST.",
    ),
    Case(
        call="remove_permission",
        given={"FunctionName": NAME, "StatementId": "missing"},
        error=NOT_FOUND,
        said="No policy is associated with the given resource.",
    ),
    Case(
        call="get_policy",
        given={"FunctionName": NAME},
        error=NOT_FOUND,
        said="The resource you requested does not exist.",
    ),
]
