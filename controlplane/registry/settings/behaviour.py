"""When a function takes a newer runtime, and what becomes of an event that runs in circles.

Put- and GetRuntimeManagementConfig, Put- and GetFunctionRecursionConfig (lambda-behaviour.md 1.10).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from controlplane.model.functions import Function
from controlplane.model.ids import FunctionReference, function_not_found
from controlplane.model.settings import MANUAL, RuntimeManagement, without
from controlplane.registry.settings.access import Access, refused


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeManagementView:
    """When one version takes a newer runtime."""

    function_arn: str
    """Always qualified."""
    config: RuntimeManagement


class RuntimeManagements:
    """Runtime management of all versions. Kept, without effect: a host has the runtime it has."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def put(
        self, function_name: str, qualifier: str, config: RuntimeManagement
    ) -> RuntimeManagementView:
        """Set it for $LATEST or one published version."""
        reference = self._access.arns.parse(function_name, qualifier)
        _check(config)

        def decide(before: Function | None) -> tuple[Function, RuntimeManagementView]:
            function = self._owner(before, reference)
            key = reference.version_or_alias
            settings = function.settings
            kept = without(settings.runtime_management, key)
            if config != RuntimeManagement():
                kept = {**kept, key: config}
            after = function.with_settings(replace(settings, runtime_management=kept))
            return after, self._view(reference, config)

        return await self._access.change(reference.name, decide)

    def get(self, function_name: str, qualifier: str) -> RuntimeManagementView:
        """That of $LATEST or one published version."""
        reference = self._access.arns.parse(function_name, qualifier)
        function = self._owner(self._access.find(reference.name), reference)
        kept = function.settings.runtime_management
        return self._view(reference, kept.get(reference.version_or_alias, RuntimeManagement()))

    def _owner(self, function: Function | None, reference: FunctionReference) -> Function:
        if function is None or function.version(reference.version_or_alias) is None:
            arn = self._access.arns.function_arn(reference.name, reference.qualifier)
            raise function_not_found(arn)
        return function

    def _view(
        self, reference: FunctionReference, config: RuntimeManagement
    ) -> RuntimeManagementView:
        arn = self._access.arns.function_arn(reference.name, reference.version_or_alias)
        return RuntimeManagementView(function_arn=arn, config=config)


class Recursion:
    """What becomes of an event that keeps invoking its function. Kept; nothing counts them yet."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def put(self, function_name: str, recursive_loop: str) -> str:
        """Terminate or Allow."""
        name = self._access.arns.parse_unqualified(function_name)

        def decide(before: Function | None) -> tuple[Function, str]:
            function = self._access.required(before, name)
            settings = replace(function.settings, recursive_loop=recursive_loop)
            return function.with_settings(settings), recursive_loop

        return await self._access.change(name, decide)

    def get(self, function_name: str) -> str:
        """Terminate or Allow."""
        name = self._access.arns.parse_unqualified(function_name)
        return self._access.required(self._access.find(name), name).settings.recursive_loop


def _check(config: RuntimeManagement) -> None:
    if config.update_on == MANUAL and not config.runtime_version_arn:
        raise refused("RuntimeVersionArn is required when UpdateRuntimeOn is Manual.")
    if config.update_on != MANUAL and config.runtime_version_arn:
        raise refused("RuntimeVersionArn is only supported when UpdateRuntimeOn is Manual.")
