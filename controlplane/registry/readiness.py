"""What may not be done to a function while it is being made ready, in Lambda's words."""

from __future__ import annotations

from controlplane.model.functions import Function, FunctionVersion
from controlplane.model.ids import LATEST, ArnScheme
from controlplane.model.status import ACTIVE, IN_PROGRESS, PENDING
from emberd.wire.errors import ConflictError

_NOT_NOW = "The operation cannot be performed at this time."


def check_runnable(version: FunctionVersion) -> None:
    """Refuse to run what is not ready.

    Raises:
        ConflictError: it is Pending, or it Failed.
    """
    if version.status.state == PENDING and version.version != LATEST and version.snap_starts:
        raise ConflictError(
            "Lambda is initializing your function. You can invoke the function when the function "
            "state becomes Active.",
            reason="SNAP_START_NOT_READY",
        )
    if version.status.state != ACTIVE:
        raise ConflictError(
            f"{_NOT_NOW} The function is currently in the following state: {version.status.state}",
            reason="RESOURCE_CONFLICT",
        )


def check_changeable(function: Function, arns: ArnScheme) -> None:
    """Refuse to change or to publish a function that is being made ready.

    Raises:
        ConflictError: it is Pending, it Failed, or an update of it is in progress.
    """
    check_runnable(function.latest)
    if function.latest.status.last_update == IN_PROGRESS:
        raise ConflictError(
            f"{_NOT_NOW} An update is in progress for resource: {arns.function_arn(function.name)}",
            reason="RESOURCE_CONFLICT",
        )
