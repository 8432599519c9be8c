"""What hangs on a function beside its code and configuration, as frozen values.

Settings take effect at once and belong to no version: changing one makes no new revision.
Those that Lambda keeps per qualifier are maps by qualifier; each says what its keys may be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

TERMINATE = "Terminate"
BUFFERED = "BUFFERED"
AUTO = "Auto"
MANUAL = "Manual"

_Setting = TypeVar("_Setting")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedConcurrency:
    """How many environments shall stand ready for a version or alias.

    How many do stand ready is the hosts' truth, and is not kept here.
    """

    requested: int
    last_modified: datetime
    """In UTC."""


class AllocationStatus(StrEnum):
    """Lambda's ProvisionedConcurrencyStatusEnum."""

    IN_PROGRESS = "IN_PROGRESS"
    READY = "READY"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """How many environments stand ready at one moment."""

    status: AllocationStatus = AllocationStatus.IN_PROGRESS
    allocated: int = 0
    """Started and initialised."""
    available: int = 0
    """Of those, the ones that run nothing now."""
    reason: str = ""
    """Why it failed; otherwise empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cors:
    """What a function URL answers to browsers of other origins; empty and None mean not set."""

    allow_credentials: bool | None = None
    allow_headers: tuple[str, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_origins: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    max_age_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlConfig:
    """A function URL."""

    url_id: str
    """32 lower-case letters and digits, random and never changed."""
    auth_type: str
    """NONE or AWS_IAM."""
    created: datetime
    """In UTC."""
    last_modified: datetime
    """In UTC."""
    invoke_mode: str = BUFFERED
    """BUFFERED or RESPONSE_STREAM."""
    cors: Cors | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventInvokeConfig:
    """How asynchronous invocations are retried and where their outcome goes."""

    last_modified: datetime
    """In UTC."""
    retry_attempts_max: int | None = None
    """None means Lambda's default, 2."""
    event_age_max_s: int | None = None
    """None means Lambda's default, 6 hours."""
    on_success: str = ""
    """ARN of a destination; empty means none."""
    on_failure: str = ""
    """ARN of a destination; empty means none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeManagement:
    """When a version takes a newer release of its runtime."""

    update_on: str = AUTO
    """Auto, FunctionUpdate or Manual."""
    runtime_version_arn: str = ""
    """Only with Manual."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSettings:
    """All settings of one function; the defaults are those of a function just made."""

    tags: Mapping[str, str] = field(default_factory=dict)
    reserved_concurrency: int | None = None
    """The most that may run at once, and room that no other function may take."""
    provisioned: Mapping[str, ProvisionedConcurrency] = field(default_factory=dict)
    """By version number or alias."""
    policies: Mapping[str, str] = field(default_factory=dict)
    """Who else may use it: IAM policy documents as JSON, by version number or alias; the
    unqualified function's by the empty string."""
    urls: Mapping[str, UrlConfig] = field(default_factory=dict)
    """By alias; the unqualified function's by the empty string."""
    event_invokes: Mapping[str, EventInvokeConfig] = field(default_factory=dict)
    """By $LATEST, version number or alias."""
    runtime_management: Mapping[str, RuntimeManagement] = field(default_factory=dict)
    """By $LATEST or version number; only those that differ from the default."""
    code_signing_config_arn: str = ""
    recursive_loop: str = TERMINATE
    """Terminate or Allow: what becomes of an event that keeps invoking the function."""

    @property
    def provisioned_total(self) -> int:
        """Environments that shall stand ready for its versions and aliases together."""
        return sum(each.requested for each in self.provisioned.values())

    @property
    def claimed_concurrency(self) -> int:
        """What is kept for this function of the account's concurrency, whether it runs or not."""
        if self.reserved_concurrency is not None:
            return self.reserved_concurrency
        return self.provisioned_total

    def without_qualifier(self, qualifier: str) -> FunctionSettings:
        """What is left when a version or alias is deleted; itself when it had no settings."""
        if not any(
            qualifier in settings
            for settings in (
                self.provisioned,
                self.policies,
                self.urls,
                self.event_invokes,
                self.runtime_management,
            )
        ):
            return self
        return replace(
            self,
            provisioned=without(self.provisioned, qualifier),
            policies=without(self.policies, qualifier),
            urls=without(self.urls, qualifier),
            event_invokes=without(self.event_invokes, qualifier),
            runtime_management=without(self.runtime_management, qualifier),
        )


NO_SETTINGS = FunctionSettings()
"""Those of a function to which nobody has given any."""


def without(settings: Mapping[str, _Setting], qualifier: str) -> Mapping[str, _Setting]:
    """A copy without one qualifier's."""
    return {key: each for key, each in settings.items() if key != qualifier}
