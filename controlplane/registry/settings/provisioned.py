"""Provisioned concurrency: Put-, Get-, List- and DeleteProvisionedConcurrencyConfig(s).

What is wanted is kept here; how much of it stands ready is the provisioner's to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from controlplane.model.functions import Function
from controlplane.model.ids import LATEST, FunctionReference
from controlplane.model.settings import Allocation, ProvisionedConcurrency, without
from controlplane.registry.settings.access import Access, missing_qualifier, refused
from controlplane.registry.settings.concurrency import Account, check_provisioned
from controlplane.registry.views import Page, page_of
from emberd.wire.errors import ConflictError, NotFoundError


class Provisioner(Protocol):
    """Makes environments stand ready, and knows how many do."""

    def allocation(self, function_name: str, qualifier: str) -> Allocation:
        """How far it has come with one version or alias."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionedView:
    """Provisioned concurrency of one version or alias."""

    function_arn: str
    """With the qualifier."""
    config: ProvisionedConcurrency
    allocation: Allocation


class Provisioned:
    """The provisioned concurrency of all versions and aliases."""

    def __init__(self, access: Access, account: Callable[[], Account]) -> None:
        self._access = access
        self._account = account
        self._provisioner: Provisioner | None = None

    def use(self, provisioner: Provisioner) -> None:
        """Ask this one how many environments stand ready; without one, none ever do."""
        self._provisioner = provisioner

    async def put(self, function_name: str, qualifier: str, requested: int) -> ProvisionedView:
        """Want so many environments ready. They come afterwards."""
        reference = self._access.arns.parse(function_name, qualifier)
        if reference.version_or_alias == LATEST:
            raise refused(
                "Provisioned Concurrency Configs cannot be applied to unpublished function "
                "versions."
            )

        def decide(before: Function | None) -> tuple[Function, ProvisionedView]:
            function = self._owner(before, reference)
            check_no_double(function, reference.qualifier)
            _check_no_snapshot(function, reference.qualifier)
            settings = function.settings
            others = without(settings.provisioned, reference.qualifier)
            check_provisioned(requested, _total(others), settings, self._account())
            config = ProvisionedConcurrency(
                requested=requested, last_modified=self._access.stamps.clock()
            )
            provisioned = {**settings.provisioned, reference.qualifier: config}
            after = function.with_settings(replace(settings, provisioned=provisioned))
            # Lambda's answer never counts what stands ready already.
            return after, self._view(reference, config, Allocation())

        return await self._access.change(reference.name, decide)

    def get(self, function_name: str, qualifier: str) -> ProvisionedView:
        """What is wanted, and how far it has come."""
        reference = self._reference(function_name, qualifier)
        function = self._owner(self._access.find(reference.name), reference)
        config = function.settings.provisioned.get(reference.qualifier)
        if config is None:
            raise NotFoundError(
                "No Provisioned Concurrency Config found for this function",
                reason="PROVISIONED_CONCURRENCY_CONFIG_NOT_FOUND",
            )
        return self._view(reference, config, self._allocation(reference))

    def list(self, function_name: str, marker: str, max_items: int) -> Page[ProvisionedView]:
        """All of a function, in order of their qualifiers."""
        name = self._access.arns.parse_unqualified(function_name)
        settings = self._access.required(self._access.find(name), name).settings
        qualifiers = sorted(settings.provisioned)
        views = []
        for qualifier in qualifiers:
            reference = FunctionReference(name=name, qualifier=qualifier)
            config = settings.provisioned[qualifier]
            views.append(self._view(reference, config, self._allocation(reference)))
        return page_of(views, qualifiers, marker, max_items)

    async def delete(self, function_name: str, qualifier: str) -> None:
        """Want none any more; where none was wanted that is no error."""
        reference = self._reference(function_name, qualifier)

        def decide(before: Function | None) -> tuple[Function, None]:
            function = self._owner(before, reference)
            settings = function.settings
            if reference.qualifier not in settings.provisioned:
                return function, None
            left = without(settings.provisioned, reference.qualifier)
            return function.with_settings(replace(settings, provisioned=left)), None

        await self._access.change(reference.name, decide)

    def _reference(self, function_name: str, qualifier: str) -> FunctionReference:
        reference = self._access.arns.parse(function_name, qualifier)
        if reference.version_or_alias == LATEST:
            raise refused("The function resource provided must be an alias or a published version.")
        return reference

    def _owner(self, function: Function | None, reference: FunctionReference) -> Function:
        """The function, which must have what the reference names."""
        if function is None or not function.has(reference.qualifier):
            raise missing_qualifier(self._access.arns, reference.name, reference.qualifier)
        return function

    def _allocation(self, reference: FunctionReference) -> Allocation:
        if self._provisioner is None:
            return Allocation()
        return self._provisioner.allocation(reference.name, reference.qualifier)

    def _view(
        self, reference: FunctionReference, config: ProvisionedConcurrency, allocation: Allocation
    ) -> ProvisionedView:
        arn = self._access.arns.function_arn(reference.name, reference.qualifier)
        return ProvisionedView(function_arn=arn, config=config, allocation=allocation)


def check_no_double(function: Function, qualifier: str) -> None:
    """Refuse to provide for one version twice, once by its number and once by an alias.

    Raises:
        ConflictError: that would be.
    """
    provisioned = function.settings.provisioned
    alias = function.aliases.get(qualifier)
    if alias is not None:
        if any(version in provisioned for version in alias.targets):
            raise ConflictError(
                "Alias can't be used for Provisioned Concurrency configuration on an already "
                "Provisioned version",
                reason="RESOURCE_CONFLICT",
            )
    elif any(
        qualifier in each.targets for each in function.aliases.values() if each.name in provisioned
    ):
        raise ConflictError(
            "Version is pointed by a Provisioned Concurrency alias", reason="RESOURCE_CONFLICT"
        )


def _check_no_snapshot(function: Function, qualifier: str) -> None:
    alias = function.aliases.get(qualifier)
    for number in alias.targets if alias else (qualifier,):
        version = function.version(number)
        if version is not None and version.snap_starts:
            raise refused(
                "Provisioned Concurrency is not supported for SnapStart enabled functions."
            )


def _total(provisioned: Mapping[str, ProvisionedConcurrency]) -> int:
    return sum(each.requested for each in provisioned.values())
