"""What AddPermission makes of its parameters, and what a policy document may be. Pure.

The mapping of parameters to a statement is as recorded (lambda-behaviour.md 1.9).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from controlplane.registry.settings.access import refused
from emberd.wire.errors import ConflictError, InvalidArgumentError, NotFoundError

POLICY_BYTES_MAX = 20_480

INVOKE_URL = "lambda:InvokeFunctionUrl"
INVOKE = "lambda:InvokeFunction"

# JSON as the caller wrote it, or as we build it for json.dumps.
Statement: TypeAlias = dict[str, Any]

_ACCOUNT = re.compile(r"[0-9]{12}")
_IAM_ARN = re.compile(r"arn:aws[a-zA-Z-]*:(?:iam|sts)::[0-9]{12}:.+")
_SERVICE = re.compile(r"[a-z0-9][a-z0-9.-]*\.(?:amazonaws\.com(?:\.cn)?|amazon\.com)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """The parameters of AddPermission; empty is what a request leaves out."""

    statement_id: str
    action: str
    principal: str
    source_arn: str = ""
    source_account: str = ""
    event_source_token: str = ""
    function_url_auth_type: str = ""
    invoked_via_function_url: bool | None = None
    principal_org_id: str = ""


def statement_of(permission: Permission, resource_arn: str) -> Statement:
    """The statement that a permission becomes.

    Raises:
        InvalidArgumentError: the principal is none, or parameters contradict each other.
    """
    _check(permission)
    statement: Statement = {
        "Sid": permission.statement_id,
        "Effect": "Allow",
        "Principal": principal_of(permission.principal),
        "Action": permission.action,
        "Resource": resource_arn,
    }
    condition = _condition(permission)
    return {**statement, "Condition": condition} if condition else statement


def principal_of(principal: str) -> str | Mapping[str, str]:
    """A principal as a policy document has it.

    Raises:
        InvalidArgumentError: it is neither an account, an ARN of IAM, a service nor everybody.
    """
    if principal == "*":
        return principal
    if _ACCOUNT.fullmatch(principal):
        return {"AWS": f"arn:aws:iam::{principal}:root"}
    if _IAM_ARN.fullmatch(principal):
        return {"AWS": principal}
    if _SERVICE.fullmatch(principal):
        return {"Service": principal}
    raise refused("The provided principal was invalid. Please check the principal and try again.")


def with_statement(document: str | None, statement: Statement) -> str:
    """A policy with one more statement; None is no policy yet.

    Raises:
        ConflictError: its Sid is taken.
        InvalidArgumentError: the policy would be too long.
    """
    statements = [] if document is None else statements_of(document)
    sid = statement["Sid"]
    if any(each.get("Sid") == sid for each in statements):
        raise ConflictError(
            f"The statement id ({sid}) provided already exists. Please provide a new statement "
            "id, or remove the existing statement.",
            reason="RESOURCE_CONFLICT",
        )
    return checked_length(_document([*statements, statement], document))


def without_statement(document: str, sid: str) -> str | None:
    """A policy without one statement; None when nothing is left of it.

    Raises:
        NotFoundError: it has none of that Sid.
    """
    statements = statements_of(document)
    left = [each for each in statements if each.get("Sid") != sid]
    if len(left) == len(statements):
        raise NotFoundError(
            f"Statement {sid} is not found in resource policy.", reason="RESOURCE_NOT_FOUND"
        )
    return _document(left, document) if left else None


def statements_of(document: str) -> list[Statement]:
    """The statements of a stored policy, which may have one without a list around it."""
    statement = json.loads(document)["Statement"]
    return statement if isinstance(statement, list) else [statement]


def checked_document(document: str) -> str:
    """A whole policy that a caller brings.

    Raises:
        InvalidArgumentError: it is no policy document, or too long.
    """
    checked_length(document)
    try:
        policy = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise _malformed("it is no JSON") from error
    statement = policy.get("Statement") if isinstance(policy, dict) else None
    listed = statement if isinstance(statement, list) else [statement]
    statements: list[Statement] = [each for each in listed if isinstance(each, dict)]
    if not statements or len(statements) < len(listed):
        raise _malformed("it has no Statement")
    for each in statements:
        if each.get("Effect") not in ("Allow", "Deny"):
            raise _malformed("the Effect of a statement is neither Allow nor Deny")
        if not each.keys() & {"Principal", "NotPrincipal"}:
            raise _malformed("a statement has no Principal")
        if not each.keys() & {"Action", "NotAction"}:
            raise _malformed("a statement has no Action")
    return document


def checked_length(document: str) -> str:
    """A policy that is not too long.

    Raises:
        InvalidArgumentError: it is.
    """
    size = len(document.encode(errors="surrogatepass"))
    if size > POLICY_BYTES_MAX:
        raise InvalidArgumentError(
            f"The final policy size ({size}) is bigger than the limit ({POLICY_BYTES_MAX}).",
            reason="POLICY_LENGTH_EXCEEDED",
        )
    return document


def compact(document: Mapping[str, object]) -> str:
    """JSON without spaces, as Lambda answers it."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def _check(permission: Permission) -> None:
    if permission.function_url_auth_type and permission.action != INVOKE_URL:
        raise refused(f"FunctionUrlAuthType is only supported for {INVOKE_URL} action")
    if permission.invoked_via_function_url and permission.action != INVOKE:
        raise refused(f"InvokedViaFunctionUrl is only supported for {INVOKE} action")


def _condition(permission: Permission) -> Mapping[str, Mapping[str, str]]:
    equal = {
        "lambda:EventSourceToken": permission.event_source_token,
        "lambda:FunctionUrlAuthType": permission.function_url_auth_type,
        "aws:PrincipalOrgID": permission.principal_org_id,
        "AWS:SourceAccount": permission.source_account,
    }
    condition = {
        "StringEquals": {key: value for key, value in equal.items() if value},
        "ArnLike": {"AWS:SourceArn": permission.source_arn} if permission.source_arn else {},
        "Bool": {"lambda:InvokedViaFunctionUrl": "true"}
        if permission.invoked_via_function_url
        else {},
    }
    return {operator: keys for operator, keys in condition.items() if keys}


def _document(statements: list[Statement], before: str | None) -> str:
    """The document with other statements; what else a caller put into it stays."""
    rest = {"Version": "2012-10-17", "Id": "default"} if before is None else json.loads(before)
    return compact({**rest, "Statement": statements})


def _malformed(why: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"The provided policy document is invalid: {why}.", reason="INVALID_PARAMETER_VALUE"
    )
