"""What a caller configures of a function: everything but its code. Defaults are Lambda's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from controlplane.model.networks import EGRESS

PASS_THROUGH = "PassThrough"
TEXT, JSON = "Text", "JSON"
NO_SNAPSHOT, PUBLISHED_VERSIONS = "None", "PublishedVersions"
EVERY_VERSION = "EveryVersion"
"""Ours: PublishedVersions, and $LATEST too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logging:
    """How a function's log is written, and where."""

    format: str = TEXT
    """Text or JSON."""
    application_level: str = ""
    """Of JSON logs only, as the next one: TRACE, DEBUG, INFO, WARN, ERROR or FATAL."""
    system_level: str = ""
    """DEBUG, INFO or WARN."""
    group: str = ""
    """Empty for /aws/lambda/NAME."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One configuration of a function."""

    runtime_id: str
    handler: str
    role: str
    """ARN of the execution role."""
    description: str = ""
    timeout_s: int = 3
    memory_size_mb: int = 128
    ephemeral_storage_mb: int = 512
    # Values may be secrets: they never reach a log by way of a repr.
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    environment_given: bool = False
    """Whether a caller ever gave an environment: an empty one is shown then, as on Lambda."""
    layers: tuple[str, ...] = ()
    """ARNs of layer versions; a later one covers files of an earlier one."""
    tracing_mode: str = PASS_THROUGH
    """PassThrough or Active."""
    logging: Logging = field(default_factory=Logging)
    snap_start_apply_on: str = NO_SNAPSHOT
    """None, PublishedVersions or EveryVersion."""
    dead_letter_arn: str = ""
    """Where events go that failed for good; empty for nowhere."""
    kms_key_arn: str = ""
    network: str = EGRESS
    """What its sandboxes reach: egress, none, or the name of a network that hosts offer."""
    security_groups: tuple[str, ...] = ()
    """Lambda's ids beside a network, shown as they were given: what a network lets through is
    said by its host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationChange:
    """What an update sets; None leaves a value as it is."""

    runtime_id: str | None = None
    handler: str | None = None
    role: str | None = None
    description: str | None = None
    timeout_s: int | None = None
    memory_size_mb: int | None = None
    ephemeral_storage_mb: int | None = None
    environment: Mapping[str, str] | None = field(default=None, repr=False)
    """Replaces every variable, as on Lambda."""
    layers: tuple[str, ...] | None = None
    """Replaces every layer."""
    tracing_mode: str | None = None
    logging: Logging | None = None
    """Replaces all of it."""
    snap_start_apply_on: str | None = None
    dead_letter_arn: str | None = None
    kms_key_arn: str | None = None
    network: str | None = None
    security_groups: tuple[str, ...] | None = None
    """Those that a change of the network leaves out go."""

    def applied_to(self, configuration: Configuration) -> Configuration:
        """The configuration with what is set here replaced."""
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        given = {name: value for name, value in given.items() if value is not None}
        if self.environment is not None:
            given["environment_given"] = True
        if self.network is not None:
            given.setdefault("security_groups", ())
        return replace(configuration, **given)
