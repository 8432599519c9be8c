"""How much code the account may keep, counted as Lambda counts: every version of everything anew,
however often the same package is stored (lambda-behaviour.md 1.6)."""

from __future__ import annotations

from dataclasses import dataclass

from controlplane.model.functions import Function
from controlplane.model.layers import Layer
from emberd.wire.errors import CapacityError

CODE_BYTES_MAX = 300 * 1024**3
"""Of all packages of functions, versions and layers together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What an account uses of its limits."""

    functions: int
    code_bytes: int
    code_bytes_max: int


class CodeStorage:
    """The account's code storage."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.used_bytes = 0

    def check(self, growth_bytes: int) -> None:
        """Refuse a change that needs more than there is; one that needs none always passes.

        Raises:
            CapacityError: there is no room.
        """
        if growth_bytes > 0 and self.used_bytes + growth_bytes > self.limit_bytes:
            raise CapacityError("Code storage limit exceeded.", reason="CODE_STORAGE_EXCEEDED")


def growth_bytes(before: Function | Layer | None, after: Function | Layer | None) -> int:
    """By how much a change makes the account's code grow."""
    return _code_bytes(after) - _code_bytes(before)


def _code_bytes(part: Function | Layer | None) -> int:
    if part is None:
        return 0
    if isinstance(part, Layer):
        return sum(version.size_bytes for version in part.versions.values())
    return sum(version.artifact_size_bytes for version in part.all_versions())
