"""The immutable description of what runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One version of one function at one moment; every change makes a new one.

    Warm sandboxes belong to one revision and never serve another.
    """

    revision_id: str
    """rev-... : a digest of everything below, so equal descriptions have equal ids."""
    function_name: str
    version: str
    """$LATEST or a number; part of the description because the function can see it."""
    function_arn: str
    """Unqualified."""
    runtime_id: str
    architecture: str
    """x86_64 or arm64."""
    handler: str
    role_arn: str = ""
    """Whose credentials its sandboxes get, so that another role makes another revision."""
    log_group: str = ""
    """Empty for /aws/lambda/NAME."""
    log_format: str = "Text"
    """Text or JSON."""
    log_level: str = ""
    """Of the application's lines in a JSON log; empty for the default."""
    artifact_id: str
    """SHA-256 of the package in hexadecimal."""
    artifact_size_bytes: int
    layers: tuple[str, ...] = ()
    """Packages of the layers, of which a later one covers files of an earlier one."""
    memory_size_mb: int
    ephemeral_storage_mb: int
    timeout_s: int
    environment: Mapping[str, str] = field(repr=False)
    """Values may be secrets: they never reach a log by way of a repr."""
    network: str = "egress"
    """egress, none, or the name of a network that its hosts must offer."""
    snap_start: bool = False
    """Its init runs once per host, and its sandboxes are copied from what that left."""
    region: str
    account_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Sandboxes of a revision that shall stand ready: provisioned concurrency."""

    function_name: str
    qualifier: str
    """The version or alias that has it."""
    revision: Revision
    """What runs for that; an alias that shares its traffic wants some of each."""
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedSlots:
    """Concurrency that is kept ready for a function's versions and aliases."""

    qualifier: str
    """The version or alias through which an invocation came; the slots are that one's."""
    slots: int
    """0 where others of the function have some, but not this one."""
    function_slots: int
    """Of all its versions and aliases together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What a function reference stands for at one moment."""

    revision: Revision
    invoked_arn: str
    """The ARN as the caller wrote it: with a qualifier only if one was given."""
    reserved_concurrency: int | None
    """The function's reserved concurrency, or None."""
    provisioned: ProvisionedSlots | None = None
    """What is kept ready for the function, or None."""
