"""The errors that may cross a process boundary.

* EmberdError
  + InvalidArgumentError    fix the request
  + DeniedError             get permission
  + NotFoundError           stop
  + ConflictError           read the state again, then decide; retrying alone won't help
  + CapacityError           no room now; back off and retry
  + UnavailableError        the peer is gone or going; safe to retry

The class says what the caller should do next. The reason is stable and for programs: where Lambda
has an exception for the case it is that exception's name in UPPER_SNAKE_CASE without "Exception"
(RESOURCE_NOT_FOUND, INVALID_PARAMETER_VALUE, TOO_MANY_REQUESTS, ...).
A function's own failure is none of these: it is a successful Invoke whose result says so.
"""

from __future__ import annotations


class EmberdError(Exception):
    """Base class of every error this project raises on purpose.

    Attributes:
        message: What, which, why and, where known, the remedy; for people.
        reason: Stable UPPER_SNAKE_CASE name that a program can act on.
        metadata: The values that appear in the message, by name.
    """

    def __init__(self, message: str, *, reason: str, **metadata: str) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.metadata = metadata


class InvalidArgumentError(EmberdError):
    """The request can never succeed as it is."""


class DeniedError(EmberdError):
    """The caller is unknown or may not do this."""


class NotFoundError(EmberdError):
    """What the request names does not exist."""


class ConflictError(EmberdError):
    """The state does not allow it now."""


class CapacityError(EmberdError):
    """No room or no rate left at the moment."""


class UnavailableError(EmberdError):
    """The peer is gone or going; nothing was done, or it is said what may have been."""
