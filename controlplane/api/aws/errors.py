"""Our errors as AWS's exceptions: name, status and the members of the body.

A reason is the exception's name in UPPER_SNAKE_CASE without "Exception", so the model itself is the
table for all that it declares. Below are those that AWS answers without declaring them, and what
each of our classes becomes where a reason is our own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from controlplane.api.aws.model import Model, Shape
from emberd.wire.errors import (
    CapacityError,
    ConflictError,
    DeniedError,
    EmberdError,
    InvalidArgumentError,
    NotFoundError,
)

INTERNAL_MESSAGE = "An error occurred and the request cannot be processed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An exception of AWS."""

    name: str
    status: int
    shape: Shape | None = None
    """None where the model does not declare it."""

    @property
    def blames_caller(self) -> bool:
        """Whether the caller is at fault and not the service."""
        return self.status < 500


UNDECLARED: Mapping[str, Fault] = {
    reason: Fault(name=name, status=status)
    for reason, name, status in (
        ("ACCESS_DENIED", "AccessDeniedException", 403),
        ("EXPIRED_TOKEN", "ExpiredTokenException", 403),
        ("INCOMPLETE_SIGNATURE", "IncompleteSignatureException", 403),
        ("INVALID_SIGNATURE", "InvalidSignatureException", 403),
        ("MISSING_AUTHENTICATION_TOKEN", "MissingAuthenticationTokenException", 403),
        ("NOT_IMPLEMENTED", "NotImplementedException", 501),
        ("REQUEST_ENTITY_TOO_LARGE", "RequestEntityTooLargeException", 413),
        ("SERIALIZATION", "SerializationException", 400),
        ("SIGNATURE_DOES_NOT_MATCH", "InvalidSignatureException", 403),
        ("UNKNOWN_OPERATION", "UnknownOperationException", 404),
        ("UNRECOGNIZED_CLIENT", "UnrecognizedClientException", 403),
        ("VALIDATION", "ValidationException", 400),
    )
}
_BY_CLASS: tuple[tuple[type[EmberdError], str, int], ...] = (
    (InvalidArgumentError, "InvalidParameterValueException", 400),
    (DeniedError, "AccessDeniedException", 403),
    (NotFoundError, "ResourceNotFoundException", 404),
    (ConflictError, "ResourceConflictException", 409),
    (CapacityError, "TooManyRequestsException", 429),
)
_WORD_END = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])")


def reason_of(exception_name: str) -> str:
    """An exception's name as a reason: ResourceNotFoundException is RESOURCE_NOT_FOUND."""
    return _WORD_END.sub("_", exception_name.removesuffix("Exception")).upper()


def fault_of(model: Model, error: EmberdError) -> Fault:
    """The exception that says what an error says."""
    declared = _declared(model).get(error.reason)
    if declared is not None:
        return declared
    fault = UNDECLARED.get(error.reason)
    if fault is not None:
        return fault
    for kind, name, status in _BY_CLASS:
        if isinstance(error, kind):
            return _declared(model).get(reason_of(name), Fault(name=name, status=status))
    return internal(model)


def internal(model: Model) -> Fault:
    """Our own mistake, or a part of us that is gone."""
    fallback = Fault(name="InternalFailure", status=500)
    return _declared(model).get("SERVICE", fallback)


def error_body(fault: Fault, error: EmberdError) -> dict[str, object]:
    """The members of an exception's body in JSON, the message under the key that the model says."""
    body: dict[str, object] = {}
    members = {} if fault.shape is None else fault.shape.members
    if "Reason" in members and "throttle" in error.metadata:
        body["Reason"] = error.metadata["throttle"]
    body["Type"] = "User" if fault.blames_caller else "Service"
    body["Message" if "Message" in members else "message"] = error.message
    return body


def error_headers(fault: Fault, error: EmberdError) -> dict[str, str]:
    """Headers that an exception brings."""
    headers = {"x-amzn-ErrorType": fault.name}
    if fault.status == 429:
        headers["Retry-After"] = error.metadata.get("retry_after_s", "1")
    return headers


@cache
def _declared(model: Model) -> Mapping[str, Fault]:
    return {
        reason_of(shape.name): Fault(
            name=shape.error_code or shape.name, status=shape.error_status or 400, shape=shape
        )
        for shape in map(model.shape, model.error_names)
    }
