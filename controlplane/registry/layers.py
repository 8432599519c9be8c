"""What may change about a layer, and which layers a function may have. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from controlplane.model.ids import ArnScheme, must_match, validation_error, violation_text
from controlplane.model.layer_ids import (
    VERSION_ARN_PATTERN,
    LayerVersionReference,
    check_account,
    parse_version_arn,
)
from controlplane.model.layers import (
    LAYERS_MAX,
    UNZIPPED_BYTES_MAX,
    LayerStatement,
    LayerVersion,
    UsedLayer,
)
from controlplane.registry.stamps import Stamps
from emberd.wire.errors import ConflictError, InvalidArgumentError, NotFoundError

POLICY_BYTES_MAX = 20 * 1024
_NO_VERSION = "Member must have length less than or equal to 2048, Member must have length " + (
    f"greater than or equal to 1, {must_match(VERSION_ARN_PATTERN)}, Member must not be null"
)


def policy_of(version: LayerVersion, arn: str) -> str:
    """A version's policy as JSON.

    Raises:
        NotFoundError: it has none.
    """
    if not version.statements:
        raise NotFoundError(
            "No policy is associated with the given resource.", reason="RESOURCE_NOT_FOUND"
        )
    return _policy(version.statements, arn)


def statement_of(statement: LayerStatement, arn: str) -> str:
    """One statement as JSON."""
    return json.dumps(statement.document(arn), separators=(",", ":"))


def with_statement(
    version: LayerVersion, statement: LayerStatement, revision_id: str, arn: str, stamps: Stamps
) -> LayerVersion:
    """The version with one more statement in its policy.

    Raises:
        ConflictError: the id is taken, or the policy was changed since.
        InvalidArgumentError: the policy would be too long.
    """
    if any(each.statement_id == statement.statement_id for each in version.statements):
        raise ConflictError(
            f"The statement id ({statement.statement_id}) provided already exists. Please "
            "provide a new statement id, or remove the existing statement.",
            reason="RESOURCE_CONFLICT",
        )
    _check_policy_revision(version, revision_id)
    statements = (*version.statements, statement)
    size = len(_policy(statements, arn).encode())
    if size > POLICY_BYTES_MAX:
        raise InvalidArgumentError(
            f"The final policy size ({size}) is bigger than the limit ({POLICY_BYTES_MAX}).",
            reason="POLICY_LENGTH_EXCEEDED",
        )
    return version.with_policy(statements, stamps.new_uuid())


def without_statement(
    version: LayerVersion, statement_id: str, revision_id: str, stamps: Stamps
) -> LayerVersion:
    """The version with a statement less.

    Raises:
        NotFoundError: there is no such statement.
        ConflictError: the policy was changed since.
    """
    left = [each for each in version.statements if each.statement_id != statement_id]
    if len(left) == len(version.statements):
        raise NotFoundError(
            f"Statement {statement_id} is not found in resource policy.",
            reason="RESOURCE_NOT_FOUND",
        )
    _check_policy_revision(version, revision_id)
    return version.with_policy(left, stamps.new_uuid() if left else "")


def used_layers(
    version_arns: Sequence[str],
    find: Callable[[str, int], LayerVersion | None],
    arns: ArnScheme,
) -> tuple[UsedLayer, ...]:
    """The layers that a function asks for, in its order.

    Args:
        version_arns: What the function is configured to.
        find: A layer version by name and number.
        arns: Where functions live, which is where layers must.

    Raises:
        InvalidArgumentError: too many, one twice, one that does not exist, or none of this region.
        DeniedError: a layer of another account.
    """
    references = _references(version_arns)
    if len(version_arns) > LAYERS_MAX:
        raise _refused(f"Cannot reference more than {LAYERS_MAX} layers.")
    if any(each.region not in ("", arns.region) for each in references):
        raise _refused(
            "Layers are not in the same region as the function. Layers are expected to be in "
            f"region {arns.region}."
        )
    _check_no_layer_twice(version_arns, references)
    return tuple(
        _used(arn, reference, find, arns)
        for arn, reference in zip(version_arns, references, strict=True)
    )


def check_total_size(layers: Sequence[UsedLayer], code_unzipped_bytes: int) -> None:
    """Refuse what would not fit beside each other, unpacked.

    Raises:
        InvalidArgumentError: more than 250 MB.
    """
    of_layers = sum(each.unzipped_bytes for each in layers)
    if of_layers >= UNZIPPED_BYTES_MAX:
        raise _refused(f"Layers consume more than the available size of {UNZIPPED_BYTES_MAX} bytes")
    total = of_layers + code_unzipped_bytes
    if total > UNZIPPED_BYTES_MAX:
        raise _refused(
            "Function code combined with layers exceeds the maximum allowed size of "
            f"{UNZIPPED_BYTES_MAX} bytes. The actual size is {total} bytes."
        )


def normalised(statement: LayerStatement) -> LayerStatement:
    """The statement with an account's number written as the ARN of its root, as Lambda does."""
    if statement.principal.isdecimal():
        return replace(statement, principal=f"arn:aws:iam::{statement.principal}:root")
    return statement


def _references(version_arns: Sequence[str]) -> list[LayerVersionReference]:
    found = [parse_version_arn(arn) for arn in version_arns]
    if any(each is None for each in found):
        constraint = f"Member must satisfy constraint: [{_NO_VERSION}]"
        listed = f"[{', '.join(version_arns)}]"
        raise validation_error([violation_text(listed, "layers", constraint)])
    return [each for each in found if each is not None]


def _check_no_layer_twice(
    version_arns: Sequence[str], references: Sequence[LayerVersionReference]
) -> None:
    seen: dict[tuple[str, str], str] = {}
    for arn, reference in zip(version_arns, references, strict=True):
        layer = (reference.account_id, reference.name)
        if layer in seen:
            raise _refused(
                "Two different versions of the same layer are not allowed to be referenced in "
                f"the same function. {seen[layer]} and {arn} are versions of the same layer."
            )
        seen[layer] = arn


def _used(
    arn: str,
    reference: LayerVersionReference,
    find: Callable[[str, int], LayerVersion | None],
    arns: ArnScheme,
) -> UsedLayer:
    version = None
    if reference.account_id:
        check_account(reference.account_id, arns)
        version = find(reference.name, reference.number)
    if version is None:
        raise _refused(f"Layer version {arn} does not exist.")
    return UsedLayer(
        arn=arn,
        artifact_id=version.artifact_id,
        size_bytes=version.size_bytes,
        unzipped_bytes=version.unzipped_bytes,
    )


def _policy(statements: Sequence[LayerStatement], arn: str) -> str:
    document = {
        "Version": "2012-10-17",
        "Id": "default",
        "Statement": [each.document(arn) for each in statements],
    }
    return json.dumps(document, separators=(",", ":"))


def _check_policy_revision(version: LayerVersion, expected: str) -> None:
    if expected and expected != version.policy_revision_id:
        raise ConflictError(
            "The Revision Id provided does not match the latest Revision Id. Call the "
            "GetLayerPolicy API to retrieve the latest Revision Id",
            reason="PRECONDITION_FAILED",
        )


def _refused(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(message, reason="INVALID_PARAMETER_VALUE")
