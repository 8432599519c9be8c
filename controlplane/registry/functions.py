"""The changes of a function as a whole: each takes one state and returns the next."""

from __future__ import annotations

from dataclasses import replace

from controlplane.model.configuration import Configuration, ConfigurationChange
from controlplane.model.functions import (
    X86_64,
    Function,
    FunctionVersion,
)
from controlplane.model.ids import LATEST
from controlplane.registry.artifacts import Artifact
from controlplane.registry.stamps import Stamps, check_revision_id


def create(name: str, configuration: Configuration, code: Artifact, stamps: Stamps) -> Function:
    """A new function with nothing published."""
    latest = FunctionVersion(
        function_name=name,
        version=LATEST,
        configuration=configuration,
        artifact_id=code.artifact_id,
        artifact_size_bytes=code.size_bytes,
        architecture=X86_64,
        last_modified=stamps.clock(),
        lambda_revision_id=stamps.new_uuid(),
    )
    return Function(latest=latest, next_version=1, versions={}, aliases={})


def with_code(function: Function, code: Artifact, stamps: Stamps) -> Function:
    """The function with another package in $LATEST."""
    return _with_latest(
        function,
        replace(
            function.latest,
            artifact_id=code.artifact_id,
            artifact_size_bytes=code.size_bytes,
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


def _with_latest(function: Function, latest: FunctionVersion, stamps: Stamps) -> Function:
    stamped = replace(latest, last_modified=stamps.clock(), lambda_revision_id=stamps.new_uuid())
    return replace(function, latest=stamped)
