"""Names and ARNs of layers, in every form that Lambda takes.

Texts of errors: AWS's own, as recorded (lambda-behaviour.md 1.4 and appendix A).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from controlplane.model.ids import ArnScheme, must_match, shown, violation
from emberd.wire.errors import DeniedError, InvalidArgumentError, NotFoundError

_REGION = r"(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}"
_ARN_PATTERN = rf"arn:(aws[a-zA-Z-]*)?:lambda:{_REGION}:\d{{12}}:layer:[a-zA-Z0-9-_]"
_NAME_PATTERN = rf"({_ARN_PATTERN}{{1,140}}|[a-zA-Z0-9-_]{{1,140}})"
VERSION_ARN_PATTERN = (
    rf"({_ARN_PATTERN}+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)"
)

_ARN = (
    rf"arn:(?:aws[a-zA-Z-]*)?:lambda:(?P<region>{_REGION}):(?P<account>[0-9]{{12}})"
    r":layer:(?P<name>[a-zA-Z0-9_-]{1,140})"
)
_NAME = re.compile(rf"(?:{_ARN})|(?P<bare>[a-zA-Z0-9_-]{{1,140}})", re.ASCII)
_VERSION_ARN = re.compile(rf"{_ARN}:(?P<number>[0-9]{{1,18}})", re.ASCII)
_ARN_OF_AWS = re.compile(r"arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerVersionReference:
    """Which version of which layer an ARN means."""

    region: str
    """Empty in the ARN of a layer of AWS's own."""
    account_id: str
    name: str
    number: int


def layer_name(text: str, arns: ArnScheme) -> str:
    """The name in a name or an ARN.

    Raises:
        InvalidArgumentError: malformed.
        NotFoundError: an ARN of another region.
        DeniedError: an ARN of another account.
    """
    match = _NAME.fullmatch(text)
    if match is None:
        raise violation(text, "layerName", must_match(_NAME_PATTERN))
    if match["bare"]:
        return match["bare"]
    if match["region"] != arns.region:
        raise NotFoundError(
            f"Layers from '{match['region']}' are not reachable in this region ('{arns.region}')",
            reason="RESOURCE_NOT_FOUND",
            region=match["region"],
        )
    check_account(match["account"], arns)
    return match["name"]


def parse_version_arn(text: str) -> LayerVersionReference | None:
    """What the ARN of a layer version says; None when it is none."""
    if _ARN_OF_AWS.fullmatch(text):
        return LayerVersionReference(region="", account_id="", name=text, number=1)
    match = _VERSION_ARN.fullmatch(text)
    if match is None:
        return None
    return LayerVersionReference(
        region=match["region"],
        account_id=match["account"],
        name=match["name"],
        number=int(match["number"]),
    )


def check_account(account_id: str, arns: ArnScheme) -> None:
    """Refuse layers of others: nothing is shared between accounts here.

    Raises:
        DeniedError: it is another account.
    """
    if account_id != arns.account_id:
        raise DeniedError(
            f"account {account_id} is not served here; layers of this emberd belong to account "
            f"{arns.account_id}",
            reason="ACCESS_DENIED",
            account_id=account_id,
        )


def check_number(number: int) -> None:
    """Refuse a number that no version can have.

    Raises:
        InvalidArgumentError: it is below 1.
    """
    if number < 1:
        raise InvalidArgumentError(
            "Layer Version Cannot be less than 1", reason="INVALID_PARAMETER_VALUE"
        )


def no_such_version(arn: str) -> NotFoundError:
    """Lambda's answer where a layer version's policy is asked for and there is no such version."""
    return NotFoundError(
        f"Layer version {shown(arn)} does not exist.", reason="RESOURCE_NOT_FOUND", arn=shown(arn)
    )
