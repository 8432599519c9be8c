"""Page tokens, and the ways to name a log group."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import TypeVar

from emberd.wire.errors import InvalidArgumentError

T = TypeVar("T")

TOKEN_CHARACTERS_MAX = 2_048
INTEGER_MAX = (1 << 63) - 1
"""What the store can compare with."""


def write_token(*parts: str | int) -> str:
    """A token that only we read."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


def read_token(token: str, *kinds: type[str] | type[int]) -> list[str | int]:
    """What a token says.

    Raises:
        InvalidArgumentError: it is none of ours.
    """
    try:
        parts = json.loads(base64.b64decode(token[:TOKEN_CHARACTERS_MAX], b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        parts = None
    if not isinstance(parts, list) or [type(each) for each in parts] != list(kinds):
        raise invalid("The specified nextToken is invalid.")
    if any(isinstance(each, int) and abs(each) > INTEGER_MAX for each in parts):
        raise invalid("The specified nextToken is invalid.")
    return parts


def page_after(
    ordered: Sequence[tuple[str, T]], token: str, limit: int
) -> tuple[list[T], str | None]:
    """The items whose key follows the token's, at most so many, and the next token.

    Keys are unique; ordered is in the order in which pages show it.
    """
    start = 0
    if token:
        (last,) = read_token(token, str)
        # What the token names may be gone; then the page begins where it would have been.
        start = sum(1 for key, _ in ordered if key <= str(last))
    page = ordered[start : start + limit]
    more = start + limit < len(ordered)
    return [item for _, item in page], write_token(page[-1][0]) if more else None


def group_name_of(name: str, identifier: str) -> str:
    """A log group by its name, or by a name or ARN as identifier; exactly one must be given.

    Raises:
        InvalidArgumentError: both or none are.
    """
    if bool(name) == bool(identifier):
        raise invalid("Exactly one of logGroupName and logGroupIdentifier must be given.")
    return name or name_in_arn(identifier)


def name_in_arn(text: str) -> str:
    """The log group that an ARN names, with or without :* at its end; other texts are names."""
    if not text.startswith("arn:"):
        return text
    _, _, name = text.partition(":log-group:")
    return name.removesuffix(":*")


def invalid(message: str) -> InvalidArgumentError:
    """The exception for parameters that make no sense."""
    return InvalidArgumentError(message, reason="INVALID_PARAMETER")
