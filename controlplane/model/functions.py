"""A function with its versions and aliases, as frozen values.

A change never edits one of these: it makes a new Function, and what differs between the old one
and the new one is what gets stored.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from controlplane.model.configuration import (
    EVERY_VERSION,
    PUBLISHED_VERSIONS,
    Configuration,
)
from controlplane.model.ids import LATEST, ArnScheme
from controlplane.model.layers import UsedLayer
from controlplane.model.revision import Revision
from controlplane.model.settings import NO_SETTINGS, FunctionSettings
from controlplane.model.status import ACTIVE, READY, Status

X86_64 = "x86_64"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionVersion:
    """One version of a function with its whole configuration; $LATEST is one too."""

    function_name: str
    version: str
    """$LATEST or a number from 1."""
    configuration: Configuration
    artifact_id: str
    """SHA-256 of the package in hexadecimal."""
    artifact_size_bytes: int
    architecture: str
    last_modified: datetime
    """Of this version, in UTC."""
    lambda_revision_id: str
    """Lambda's RevisionId: a UUID that changes with every change."""
    layers: tuple[UsedLayer, ...] = ()
    """What the layers of its configuration hold, in the same order."""
    status: Status = READY
    published_from: str = ""
    """Digest of what $LATEST said when this was published; empty on $LATEST itself."""
    snapshot_refusal: str = ""
    """Why it starts without a snapshot although it wants one; empty when it has one."""

    @property
    def snap_starts(self) -> bool:
        """Whether its sandboxes are to be copied from a snapshot of its init."""
        applies = self.configuration.snap_start_apply_on
        return applies == EVERY_VERSION or (
            applies == PUBLISHED_VERSIONS and self.version != LATEST
        )

    @property
    def is_optimised(self) -> bool:
        """Whether they are; Lambda's OptimizationStatus."""
        ready = self.status.settled and self.status.state == ACTIVE
        return self.snap_starts and ready and not self.snapshot_refusal

    @property
    def code_sha256(self) -> str:
        """The package's digest in base64, as Lambda prints it."""
        return base64.b64encode(bytes.fromhex(self.artifact_id)).decode("ascii")

    @property
    def artifact_ids(self) -> tuple[str, ...]:
        """Every package that it cannot run without."""
        return (self.artifact_id, *(each.artifact_id for each in self.layers))

    def content_digest(self) -> str:
        """Digest of code and configuration; equal ones need no new version."""
        return _digest(
            {
                "configuration": asdict(self.configuration),
                "artifact": self.artifact_id,
                "architecture": self.architecture,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A name for one version, or for two that share the traffic."""

    name: str
    function_name: str
    function_version: str
    description: str
    weights: Mapping[str, float]
    """At most one more version by its number, and its share (0.0 to 1.0)."""
    lambda_revision_id: str

    @property
    def targets(self) -> tuple[str, ...]:
        """Every version it may lead to."""
        return (self.function_version, *self.weights)

    def shares(self, count: int) -> Mapping[str, int]:
        """A number of things divided among its versions by their shares of the traffic."""
        shares = {version: round(count * weight) for version, weight in self.weights.items()}
        return {self.function_version: count - sum(shares.values()), **shares}

    def target(self, draw: float) -> str:
        """The version that one request goes to; draw is in [0, 1)."""
        for version, weight in self.weights.items():
            if draw < weight:
                return version
        return self.function_version


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function: $LATEST, what was published, and the names given to that."""

    latest: FunctionVersion
    next_version: int
    """Number of the next version; a deleted version's number is not given again."""
    versions: Mapping[str, FunctionVersion]
    """Published versions by number, oldest first."""
    aliases: Mapping[str, Alias]
    settings: FunctionSettings = NO_SETTINGS
    """What belongs to no version; taking effect needs no new revision."""
    serving: FunctionVersion | None = None
    """What $LATEST runs while a change of it is prepared, and after that failed; None: itself."""

    @property
    def name(self) -> str:
        """The function's name."""
        return self.latest.function_name

    def all_versions(self) -> tuple[FunctionVersion, ...]:
        """$LATEST, then the published ones from the oldest to the newest."""
        return (self.latest, *self.versions.values())

    def running_versions(self) -> tuple[FunctionVersion, ...]:
        """As all_versions(), with what $LATEST runs in its place."""
        return (self.serving or self.latest, *self.versions.values())

    @property
    def unsettled(self) -> tuple[FunctionVersion, ...]:
        """The versions that are being prepared."""
        return tuple(each for each in self.all_versions() if not each.status.settled)

    @property
    def last_version(self) -> FunctionVersion | None:
        """What was published last, or None."""
        return max(self.versions.values(), key=lambda each: int(each.version), default=None)

    def version(self, number: str) -> FunctionVersion | None:
        """One version by its number or as $LATEST."""
        return self.latest if number == LATEST else self.versions.get(number)

    def has(self, qualifier: str) -> bool:
        """Whether a qualifier stands for anything: $LATEST, a version or an alias."""
        return qualifier in self.aliases or self.version(qualifier) is not None

    def number(self, qualifier: str, draw: float) -> str:
        """The number, or $LATEST, that a qualifier stands for; itself unless it is an alias."""
        alias = self.aliases.get(qualifier)
        return qualifier if alias is None else alias.target(draw)

    def running(self, number: str) -> FunctionVersion | None:
        """What runs under a number or under $LATEST."""
        return (self.serving or self.latest) if number == LATEST else self.versions.get(number)

    def with_version(self, version: FunctionVersion) -> Function:
        """A copy with one more published version."""
        return replace(
            self,
            versions={**self.versions, version.version: version},
            next_version=int(version.version) + 1,
        )

    def without_version(self, number: str) -> Function:
        """A copy without a published version and what was set for it."""
        return replace(
            self,
            versions={key: each for key, each in self.versions.items() if key != number},
            settings=self.settings.without_qualifier(number),
        )

    def with_alias(self, alias: Alias) -> Function:
        """A copy with an alias added or replaced."""
        return replace(self, aliases={**self.aliases, alias.name: alias})

    def without_alias(self, name: str) -> Function:
        """A copy without an alias and what was set for it."""
        return replace(
            self,
            aliases={key: each for key, each in self.aliases.items() if key != name},
            settings=self.settings.without_qualifier(name),
        )

    def with_settings(self, settings: FunctionSettings) -> Function:
        """A copy with other settings."""
        return replace(self, settings=settings)


def revision_of(version: FunctionVersion, arns: ArnScheme) -> Revision:
    """What runs when this version is invoked."""
    configuration = version.configuration
    described = Revision(
        revision_id="",
        function_name=version.function_name,
        version=version.version,
        function_arn=arns.function_arn(version.function_name),
        runtime_id=configuration.runtime_id,
        architecture=version.architecture,
        handler=configuration.handler,
        role_arn=configuration.role,
        log_group=configuration.logging.group,
        log_format=configuration.logging.format,
        log_level=configuration.logging.application_level,
        artifact_id=version.artifact_id,
        artifact_size_bytes=version.artifact_size_bytes,
        layers=tuple(each.artifact_id for each in version.layers),
        memory_size_mb=configuration.memory_size_mb,
        ephemeral_storage_mb=configuration.ephemeral_storage_mb,
        timeout_s=configuration.timeout_s,
        environment=configuration.environment,
        network=configuration.network,
        snap_start=version.snap_starts,
        region=arns.region,
        account_id=arns.account_id,
    )
    return replace(described, revision_id="rev-" + _digest(asdict(described))[:32])


def _digest(described: Mapping[str, object]) -> str:
    """SHA-256 of a description, the same whatever the order of its keys."""
    text = json.dumps(described, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
