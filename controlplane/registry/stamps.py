"""What every change is marked with: when it was made and a new RevisionId."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from emberd.wire.errors import ConflictError


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamps:
    """Where times and ids come from; a test gives its own."""

    clock: Callable[[], datetime]
    """The time now, in UTC."""
    new_uuid: Callable[[], str]
    """A fresh random UUID as text."""


def check_revision_id(expected: str, current: str) -> None:
    """Refuse a change that was decided on an older state; an empty expectation takes any.

    Raises:
        ConflictError: the state is another.
    """
    if expected and expected != current:
        raise ConflictError(
            "The Revision Id provided does not match the latest Revision Id. Call the "
            "GetFunction/GetAlias API to retrieve the latest Revision Id",
            reason="PRECONDITION_FAILED",
        )
