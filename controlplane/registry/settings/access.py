"""How every kind of settings reads and changes one function."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from controlplane.model.functions import Function
from controlplane.model.ids import ArnScheme, function_not_found
from controlplane.registry.ledger import Ledger
from controlplane.registry.stamps import Stamps
from emberd.wire.errors import EmberdError, InvalidArgumentError, NotFoundError

Answer = TypeVar("Answer")
Decide = Callable[[Function | None], tuple[Function, Answer]]
"""From the state of a function (None: there is none) to the next one and an answer."""

_ALIAS = re.compile(r"(?![0-9]+\Z)[a-zA-Z0-9_-]+")


class Access:
    """Reads functions from memory and changes them through the ledger."""

    def __init__(self, ledger: Ledger, *, arns: ArnScheme, stamps: Stamps) -> None:
        self._ledger = ledger
        self.arns = arns
        self.stamps = stamps

    def find(self, name: str) -> Function | None:
        """A function, or None."""
        return self._ledger.index.get(name)[0]

    def required(self, function: Function | None, name: str) -> Function:
        """The function, which must exist.

        Raises:
            NotFoundError: it does not.
        """
        if function is None:
            raise function_not_found(self.arns.function_arn(name))
        return function

    async def change(self, name: str, decide: Decide[Answer]) -> Answer:
        """Carry out one change of one function.

        Raises:
            UnavailableError: the store failed; nothing changed.
            EmberdError: whatever decide refuses with; nothing changed.
        """

        async def decide_in_turn(before: Function | None) -> tuple[Function, Answer]:
            return decide(before)

        return await self._ledger.change(name, decide_in_turn)


def missing_qualifier(arns: ArnScheme, name: str, qualifier: str) -> NotFoundError:
    """Lambda's answer where a version or alias is missing: aliases have a text of their own."""
    arn = arns.function_arn(name, qualifier)
    if _ALIAS.fullmatch(qualifier):
        return NotFoundError(f"Cannot find alias arn: {arn}", reason="RESOURCE_NOT_FOUND", arn=arn)
    return function_not_found(arn)


def no_such_resource() -> NotFoundError:
    """Lambda's answer where a function may exist, but not what was asked of it."""
    return NotFoundError("The resource you requested does not exist.", reason="RESOURCE_NOT_FOUND")


def refused(message: str) -> EmberdError:
    """A parameter outside of Lambda's rules."""
    return InvalidArgumentError(message, reason="INVALID_PARAMETER_VALUE")
