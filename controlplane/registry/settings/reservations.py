"""Reserved concurrency: Put-, Get- and DeleteFunctionConcurrency (lambda-behaviour.md 1.11)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from controlplane.model.functions import Function
from controlplane.model.ids import LATEST, function_not_found
from controlplane.registry.settings.access import Access
from controlplane.registry.settings.concurrency import Account, check_reservation


class Reservations:
    """The reserved concurrency of all functions."""

    def __init__(self, access: Access, account: Callable[[], Account]) -> None:
        self._access = access
        self._account = account

    async def put(self, function_name: str, reserved: int) -> int:
        """Reserve so many; 0 stops the function."""
        name = self._access.arns.parse_unqualified(function_name)

        def decide(before: Function | None) -> tuple[Function, int]:
            function = self._known(before, name)
            check_reservation(reserved, function.settings, self._account())
            return _reserving(function, reserved), reserved

        return await self._access.change(name, decide)

    def get(self, function_name: str) -> int | None:
        """What is reserved, or None."""
        name = self._access.arns.parse_unqualified(function_name)
        return self._known(self._access.find(name), name).settings.reserved_concurrency

    async def delete(self, function_name: str) -> None:
        """Reserve nothing any more; a missing reservation is no error."""
        name = self._access.arns.parse_unqualified(function_name)

        def decide(before: Function | None) -> tuple[Function, None]:
            return _reserving(self._known(before, name), None), None

        await self._access.change(name, decide)

    def _known(self, function: Function | None, name: str) -> Function:
        if function is None:
            # Lambda names the version here although the function as a whole is meant.
            raise function_not_found(self._access.arns.function_arn(name, LATEST))
        return function


def _reserving(function: Function, reserved: int | None) -> Function:
    if function.settings.reserved_concurrency == reserved:
        return function
    return function.with_settings(replace(function.settings, reserved_concurrency=reserved))
