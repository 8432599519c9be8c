"""Layers: numbered packages that functions see below /opt, as frozen values.

A version never changes but for its policy, and its number is never given again. A function keeps
what it needs of a layer version, so that a deleted one goes on working where it is used.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

LAYERS_MAX = 5
"""Layers of one function."""
UNZIPPED_BYTES_MAX = 262_144_000
"""250 MB: code and layers of one function together, unpacked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedLayer:
    """A layer version as a function uses it."""

    arn: str
    """Of the version."""
    artifact_id: str
    """SHA-256 of the package in hexadecimal."""
    size_bytes: int
    unzipped_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerStatement:
    """Who may use a layer version: one statement of its policy."""

    statement_id: str
    principal: str
    """*, or the ARN of an account's root."""
    organization_id: str = ""
    """Only accounts of this organization; empty for all."""

    def document(self, version_arn: str) -> Mapping[str, object]:
        """The statement as policies are written."""
        written: dict[str, object] = {
            "Sid": self.statement_id,
            "Effect": "Allow",
            "Principal": "*" if self.principal == "*" else {"AWS": self.principal},
            "Action": "lambda:GetLayerVersion",
            "Resource": version_arn,
        }
        if self.organization_id:
            condition = {"StringEquals": {"aws:PrincipalOrgID": self.organization_id}}
            written["Condition"] = condition
        return written


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerVersion:
    """One published version of a layer."""

    layer_name: str
    number: int
    """From 1."""
    artifact_id: str
    """SHA-256 of the package in hexadecimal."""
    size_bytes: int
    unzipped_bytes: int
    created: datetime
    """In UTC."""
    description: str = ""
    license_info: str | None = None
    """None when nothing was said."""
    runtimes: tuple[str, ...] = ()
    """What it was made for; empty when nothing was said, and nobody is held to it."""
    architectures: tuple[str, ...] = ()
    statements: tuple[LayerStatement, ...] = ()
    """Its policy."""
    policy_revision_id: str = ""
    """Changes with every change of the policy; empty while there is none."""

    @property
    def code_sha256(self) -> str:
        """The package's digest in base64, as Lambda prints it."""
        return base64.b64encode(bytes.fromhex(self.artifact_id)).decode("ascii")

    def suits(self, runtime_id: str, architecture: str) -> bool:
        """Whether it was published for these; an empty one is not asked for."""
        return (not runtime_id or runtime_id in self.runtimes) and (
            not architecture or architecture in self.architectures
        )

    def with_policy(self, statements: Sequence[LayerStatement], revision_id: str) -> LayerVersion:
        """A copy with other statements."""
        return replace(self, statements=tuple(statements), policy_revision_id=revision_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A layer with the versions that were not deleted."""

    name: str
    next_number: int = 1
    versions: Mapping[int, LayerVersion] = field(default_factory=dict)
    """By number, oldest first."""

    def newest_first(self) -> tuple[LayerVersion, ...]:
        """Every version, in the order in which Lambda lists them."""
        return tuple(sorted(self.versions.values(), key=lambda each: -each.number))

    def with_version(self, version: LayerVersion) -> Layer:
        """A copy with a version added or replaced."""
        return replace(
            self,
            versions={**self.versions, version.number: version},
            next_number=max(self.next_number, version.number + 1),
        )

    def without_version(self, number: int) -> Layer:
        """A copy without one version; its number stays used."""
        return replace(
            self, versions={key: each for key, each in self.versions.items() if key != number}
        )
