"""Names and ids of roles and policies, and the errors that many of their changes share."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

from emberd.wire.errors import ConflictError, InvalidArgumentError, NotFoundError

_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
_PATH = re.compile(r"/(?:[!-~]{1,510}/)?")


def check_name(name: str, field: str) -> None:
    """Refuse a name that IAM would not take.

    Raises:
        InvalidArgumentError: in the words of the other services' validation.
    """
    if not _NAME.fullmatch(name):
        raise InvalidArgumentError(
            f"The specified value for {field} is invalid. It must contain only alphanumeric "
            "characters and/or the following: +=,.@_-",
            reason="VALIDATION",
        )


def check_path(path: str) -> None:
    """Refuse a path that does not begin and end with a slash.

    Raises:
        InvalidArgumentError: it does not.
    """
    if not _PATH.fullmatch(path):
        raise InvalidArgumentError(
            "The specified value for path is invalid. It must begin and end with / and contain "
            "only alphanumeric characters and/or / characters.",
            reason="VALIDATION",
        )


def new_id(prefix: str, random_bytes: Callable[[int], bytes]) -> str:
    """An id that never comes back, of the form that IAM's have."""
    return prefix + base64.b32encode(random_bytes(15)).decode()[:17]


def no_such(message: str) -> NotFoundError:
    """What is named does not exist."""
    return NotFoundError(message, reason="NO_SUCH_ENTITY")


def too_many(what: str, most: int) -> ConflictError:
    """A quota is used up."""
    return ConflictError(f"Cannot exceed quota for {what}: {most}", reason="LIMIT_EXCEEDED")
