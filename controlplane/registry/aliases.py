"""Making, moving and deleting aliases: each takes one state of a function and returns the next."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from controlplane.model.functions import Alias, Function
from controlplane.model.ids import (
    LATEST,
    ArnScheme,
    at_most_long,
    function_not_found,
    must_match,
    violation,
)
from controlplane.model.limits import check_description
from controlplane.registry.stamps import Stamps, check_revision_id
from emberd.wire.errors import ConflictError, InvalidArgumentError, NotFoundError

NAME_CHARACTERS_MAX = 128
_NAME_PATTERN = "(?!^[0-9]+$)([a-zA-Z0-9-_]+)"
_NAME = re.compile(r"(?![0-9]+\Z)[a-zA-Z0-9_-]+")
_VERSION_PATTERN = r"(\$LATEST|[0-9]+)"
_VERSION = re.compile(r"\$LATEST|[0-9]+")
_NUMBER = re.compile(r"[0-9]+")

_WEIGHTS_PATH = "routingConfig.additionalVersionWeights"


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasChange:
    """What an update sets; None leaves a value as it is."""

    function_version: str | None = None
    description: str | None = None
    weights: Mapping[str, float] | None = None


def create(function: Function, alias: Alias, arns: ArnScheme) -> Function:
    """The function with one more alias.

    Raises:
        InvalidArgumentError: a bad name, version, description or weight.
        NotFoundError: a version that does not exist.
        ConflictError: the name is taken.
    """
    _check_name(alias.name)
    _check(function, alias, arns)
    if alias.name in function.aliases:
        arn = arns.function_arn(function.name, alias.name)
        raise ConflictError(f"Alias already exists: {arn}", reason="RESOURCE_CONFLICT", arn=arn)
    return function.with_alias(alias)


def update(
    function: Function,
    name: str,
    change: AliasChange,
    revision_id: str,
    *,
    arns: ArnScheme,
    stamps: Stamps,
) -> tuple[Function, Alias]:
    """The function with an alias changed.

    Raises:
        NotFoundError: no such alias or version.
        InvalidArgumentError: a bad version, description or weight.
        ConflictError: revision_id is given and no longer the current one.
    """
    current = function.aliases.get(name)
    if current is None:
        raise not_found("Alias not found", function.name, name, arns)
    check_revision_id(revision_id, current.lambda_revision_id)
    alias = replace(
        current,
        function_version=_either(change.function_version, current.function_version),
        description=_either(change.description, current.description),
        weights=current.weights if change.weights is None else change.weights,
        lambda_revision_id=stamps.new_uuid(),
    )
    _check(function, alias, arns)
    return function.with_alias(alias), alias


def not_found(text: str, function_name: str, name: str, arns: ArnScheme) -> NotFoundError:
    """Lambda's answer where an alias is missing; its text differs by operation."""
    arn = arns.function_arn(function_name, name)
    return NotFoundError(f"{text}: {arn}", reason="RESOURCE_NOT_FOUND", arn=arn)


def _either(new: str | None, old: str) -> str:
    return old if new is None else new


def _check_name(name: str) -> None:
    if len(name) > NAME_CHARACTERS_MAX:
        raise violation(name, "name", at_most_long(NAME_CHARACTERS_MAX))
    if not _NAME.fullmatch(name):
        raise violation(name, "name", must_match(_NAME_PATTERN))


def _check(function: Function, alias: Alias, arns: ArnScheme) -> None:
    if not _VERSION.fullmatch(alias.function_version):
        raise violation(alias.function_version, "functionVersion", must_match(_VERSION_PATTERN))
    check_description(alias.description)
    _check_weights(alias)
    for number in alias.targets:
        if function.version(number) is None:
            raise function_not_found(arns.function_arn(function.name, number))
    shared = [each for each in function.all_versions() if each.version in alias.targets]
    if len({each.configuration.role for each in shared}) > 1:
        raise _refused(
            "Both versions of an alias that shares its traffic must have the same execution role."
        )
    if len({each.configuration.dead_letter_arn for each in shared}) > 1:
        raise _refused(
            "Both versions of an alias that shares its traffic must have the same dead-letter "
            "queue, or none."
        )


def _check_weights(alias: Alias) -> None:
    weights = alias.weights
    if len(weights) > 1:
        raise _refused("Number of items in AdditionalVersionWeights cannot be greater than 1")
    shown = "{" + ", ".join(f"{number}={weight}" for number, weight in weights.items()) + "}"
    if not all(_NUMBER.fullmatch(number) and len(number) <= 1024 for number in weights):
        raise violation(
            shown,
            _WEIGHTS_PATH,
            "Map keys must satisfy constraint: [Member must have length less than or equal to "
            "1024, Member must have length greater than or equal to 1, Member must satisfy "
            "regular expression pattern: [0-9]+]",
        )
    # Written so that NaN, which compares with nothing, is refused too.
    if not all(0.0 <= weight <= 1.0 for weight in weights.values()):
        raise violation(
            shown,
            _WEIGHTS_PATH,
            "Map value must satisfy constraint: [Member must have value less than or equal to "
            "1.0, Member must have value greater than or equal to 0.0, Member must not be null]",
        )
    if weights and alias.function_version == LATEST:
        raise _refused("$LATEST is not supported for an alias pointing to more than 1 version")
    if alias.function_version in weights:
        number = alias.function_version
        raise _refused(
            f"Invalid function version {number}. Function version {number} is already included "
            "in routing configuration."
        )


def _refused(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(message, reason="INVALID_PARAMETER_VALUE")
