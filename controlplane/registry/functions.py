"""The changes of a function as a whole: each takes one state and returns the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from controlplane.model.configuration import Configuration, ConfigurationChange
from controlplane.model.functions import (
    Function,
    FunctionVersion,
)
from controlplane.model.ids import LATEST
from controlplane.model.status import CREATING, READY, UPDATING, Failure
from controlplane.registry.artifacts import Artifact
from controlplane.registry.stamps import Stamps, check_revision_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the preparation of a version ended."""

    version: FunctionVersion
    failure: Failure | None
    """None when it is ready."""
    snapshot_refusal: str = ""
    """Why it is ready without the snapshot that it wants."""


def create(
    name: str,
    configuration: Configuration,
    code: Artifact,
    *,
    architecture: str,
    first_version: int,
    stamps: Stamps,
) -> Function:
    """A new function with nothing published, not ready yet."""
    latest = FunctionVersion(
        function_name=name,
        version=LATEST,
        configuration=configuration,
        artifact_id=code.artifact_id,
        artifact_size_bytes=code.size_bytes,
        architecture=architecture,
        last_modified=stamps.clock(),
        lambda_revision_id=stamps.new_uuid(),
        status=CREATING,
    )
    return Function(latest=latest, next_version=first_version, versions={}, aliases={})


def with_code(function: Function, code: Artifact, *, architecture: str, stamps: Stamps) -> Function:
    """The function with another package in $LATEST, for the same architecture if none is given."""
    return _with_latest(
        function,
        replace(
            function.latest,
            artifact_id=code.artifact_id,
            artifact_size_bytes=code.size_bytes,
            architecture=architecture or function.latest.architecture,
        ),
        stamps,
    )


def with_configuration(
    function: Function, change: ConfigurationChange, revision_id: str, stamps: Stamps
) -> Function:
    """The function with what is set in the change replaced in $LATEST.

    Raises:
        ConflictError: revision_id is given and no longer the current one.
    """
    check_revision_id(revision_id, function.latest.lambda_revision_id)
    configuration = change.applied_to(function.latest.configuration)
    return _with_latest(function, replace(function.latest, configuration=configuration), stamps)


def settle(function: Function, outcomes: Sequence[Outcome], stamps: Stamps) -> Function:
    """The function once preparation has ended; Lambda gives new RevisionIds then.

    What changed or went in the meantime stays as it is.
    """
    by_version = {id(outcome.version): outcome for outcome in outcomes}

    def settled(version: FunctionVersion) -> FunctionVersion:
        outcome = by_version.get(id(version))
        if outcome is None:
            return version
        status = version.status.ended(outcome.failure)
        return replace(
            version,
            status=status,
            lambda_revision_id=stamps.new_uuid(),
            snapshot_refusal=outcome.snapshot_refusal,
        )

    latest = settled(function.latest)
    return replace(
        function,
        latest=latest,
        versions={number: settled(version) for number, version in function.versions.items()},
        serving=None if latest.status == READY else function.serving,
    )


def _with_latest(function: Function, latest: FunctionVersion, stamps: Stamps) -> Function:
    """The function with a changed $LATEST; what ran so far runs until the change is prepared."""
    stamped = replace(
        latest,
        last_modified=stamps.clock(),
        lambda_revision_id=stamps.new_uuid(),
        status=UPDATING,
        snapshot_refusal="",
    )
    return replace(function, latest=stamped, serving=function.serving or function.latest)
