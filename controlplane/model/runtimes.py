"""Which runtimes a function may have: those that hosts offer, whatever AWS's calendar says."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from controlplane.model.ids import ArnScheme, shown
from emberd.wire.errors import InvalidArgumentError

DEPRECATED = frozenset(
    {
        "dotnet6",
        "dotnetcore1.0",
        "dotnetcore2.0",
        "dotnetcore2.1",
        "dotnetcore3.1",
        "go1.x",
        "java8",
        "nodejs",
        "nodejs4.3",
        "nodejs4.3-edge",
        "nodejs6.10",
        "nodejs8.10",
        "nodejs10.x",
        "nodejs12.x",
        "nodejs14.x",
        "nodejs16.x",
        "nodejs18.x",
        "nodejs20.x",
        "provided",
        "provided.al2",
        "python2.7",
        "python3.6",
        "python3.7",
        "python3.8",
        "python3.9",
        "ruby2.5",
        "ruby2.7",
        "ruby3.2",
    }
)
"""Identifiers that Lambda knows but makes no functions for any more (lambda-behaviour.md 7.1)."""


COMPILED_FIRST = frozenset({"wasm"})
"""Runtimes whose packages a host compiles before they can run well."""

SHARED = frozenset({"wasm"})
"""Runtimes of which one process on a host takes many events at once."""


def check_runtime(runtime_id: str, offered: Collection[str]) -> None:
    """Refuse a runtime that no attached host has.

    Raises:
        InvalidArgumentError: names the runtime and, unless it is deprecated, those on offer.
    """
    if runtime_id in offered:
        return
    if runtime_id in DEPRECATED:
        raise InvalidArgumentError(
            f"The runtime parameter of {runtime_id} is no longer supported for creating or "
            "updating AWS Lambda functions. We recommend you use a supported runtime while "
            "creating or updating functions.",
            reason="INVALID_PARAMETER_VALUE",
            runtime=runtime_id,
        )
    known = ", ".join(sorted(offered))
    remedy = "" if offered else "; no host is attached yet, see 'emberd hosts'"
    raise InvalidArgumentError(
        f"Value {shown(runtime_id)} at 'runtime' failed to satisfy constraint: Member must "
        f"satisfy enum value set: [{known}] or be a valid ARN{remedy}",
        reason="INVALID_PARAMETER_VALUE",
        runtime=shown(runtime_id),
        offered=known,
    )


def runtime_version_arn(runtime_id: str, arns: ArnScheme) -> str:
    """The ARN that Lambda's RuntimeVersionConfig shows; a runtime has one version here."""
    digest = hashlib.sha256(f"emberd runtime {runtime_id}".encode()).hexdigest()
    return f"arn:aws:lambda:{arns.region}::runtime:{digest}"
