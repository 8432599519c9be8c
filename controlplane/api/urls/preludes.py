"""The head that a streamed HTTP answer begins with: JSON, eight NULs, then the body. Pure.

Runtimes mark it by its content type (lambda-behaviour 2.5).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from controlplane.api.urls.answers import (
    BYTES_TYPE,
    Headers,
    MalformedAnswerError,
    head_of,
    status_of,
)

WITH_PRELUDE = "application/vnd.awslambda.http-integration-response"
PRELUDE_BYTES_MAX = 128 * 1024

_END = bytes(8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prelude:
    """Status and headers of an answer whose body follows."""

    status: int
    headers: Headers


class PreludeReader:
    """Takes an answer's first pieces until its head is whole."""

    def __init__(self) -> None:
        self._bytes = b""

    def feed(self, piece: bytes) -> tuple[Prelude, bytes] | None:
        """Take a piece; once the head is whole, return it and what has come of the body.

        Raises:
            MalformedAnswerError: it is no head, or larger than any.
        """
        self._bytes += piece
        end = self._bytes.find(_END)
        if end < 0:
            if len(self._bytes) > PRELUDE_BYTES_MAX:
                raise MalformedAnswerError("the prelude does not end")
            return None
        return _read(self._bytes[:end]), self._bytes[end + len(_END) :]


def _read(raw: bytes) -> Prelude:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise MalformedAnswerError("the prelude is no JSON") from None
    if not isinstance(value, dict):
        raise MalformedAnswerError("the prelude is no object")
    return Prelude(status=status_of(value), headers=head_of(value, BYTES_TYPE))
