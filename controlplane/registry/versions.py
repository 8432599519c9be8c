"""Publishing and deleting versions: each takes one state of a function and returns the next."""

from __future__ import annotations

from dataclasses import replace

from controlplane.model.functions import Function, FunctionVersion
from controlplane.model.ids import LATEST, shown
from controlplane.model.status import CREATING
from controlplane.registry.stamps import Stamps, check_revision_id
from emberd.wire.errors import ConflictError, InvalidArgumentError


def check_publishable(function: Function, *, code_sha256: str, revision_id: str) -> None:
    """Check what a caller expects $LATEST to be; empty expectations take anything.

    Raises:
        InvalidArgumentError: $LATEST has other code.
        ConflictError: $LATEST was changed since.
    """
    current = function.latest.code_sha256
    if code_sha256 and code_sha256 != current:
        raise InvalidArgumentError(
            f"CodeSHA256 ({shown(code_sha256)}) is different from current CodeSHA256 in $LATEST "
            f"({current}). Please try again with the CodeSHA256 in $LATEST.",
            reason="INVALID_PARAMETER_VALUE",
        )
    check_revision_id(revision_id, function.latest.lambda_revision_id)


def publish(
    function: Function, description: str, stamps: Stamps
) -> tuple[Function, FunctionVersion]:
    """Freeze $LATEST under the next number, or return the last version if nothing changed.

    An empty description keeps the one of $LATEST.
    """
    content = function.latest.content_digest()
    last = function.last_version
    if last is not None and last.published_from == content:
        return function, last
    configuration = function.latest.configuration
    version = replace(
        function.latest,
        version=str(function.next_version),
        configuration=replace(configuration, description=description or configuration.description),
        last_modified=stamps.clock(),
        lambda_revision_id=stamps.new_uuid(),
        status=CREATING,
        snapshot_refusal="",
        published_from=content,
    )
    return function.with_version(version), version


def without(function: Function, number: str) -> Function:
    """The function without one published version; a missing one is no error, as on Lambda.

    Raises:
        InvalidArgumentError: $LATEST, or the name of an alias.
        ConflictError: an alias leads to it.
    """
    if number == LATEST:
        raise InvalidArgumentError(
            "$LATEST version cannot be deleted without deleting the function.",
            reason="INVALID_PARAMETER_VALUE",
        )
    if not (number.isascii() and number.isdecimal()):
        raise InvalidArgumentError(
            "Deletion of aliases is not currently supported. (DeleteAlias deletes an alias.)",
            reason="INVALID_PARAMETER_VALUE",
            qualifier=shown(number),
        )
    users = sorted(alias.name for alias in function.aliases.values() if number in alias.targets)
    if users:
        raise ConflictError(
            f"The following aliases reference this function: [{', '.join(users)}]. Point them to "
            "another version or delete them first.",
            reason="RESOURCE_CONFLICT",
            version=number,
        )
    return function.without_version(number)
