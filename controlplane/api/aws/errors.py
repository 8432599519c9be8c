"""Our errors as AWS's exceptions: name, status and the members of the body.

A reason is the exception's name in UPPER_SNAKE_CASE without "Exception", so the model itself is the
table for all that it declares. Below are those that AWS answers without declaring them, which
differ from protocol to protocol, and what each of our classes becomes where a reason is our own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

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


def _table(*rows: tuple[str, str, int]) -> Mapping[str, Fault]:
    return {reason: Fault(name=name, status=status) for reason, name, status in rows}


REST_FAULTS = _table(
    ("ACCESS_DENIED", "AccessDeniedException", 403),
    ("EXPIRED_TOKEN", "ExpiredTokenException", 403),
    ("INCOMPLETE_SIGNATURE", "IncompleteSignatureException", 403),
    ("INVALID_PARAMETER_VALUE", "InvalidParameterValueException", 400),
    ("INVALID_SIGNATURE", "InvalidSignatureException", 403),
    ("MISSING_AUTHENTICATION_TOKEN", "MissingAuthenticationTokenException", 403),
    ("NOT_IMPLEMENTED", "NotImplementedException", 501),
    ("REQUEST_ENTITY_TOO_LARGE", "RequestEntityTooLargeException", 413),
    ("RESOURCE_CONFLICT", "ResourceConflictException", 409),
    ("RESOURCE_NOT_FOUND", "ResourceNotFoundException", 404),
    ("SERIALIZATION", "SerializationException", 400),
    ("SERVICE", "InternalFailure", 500),
    ("SIGNATURE_DOES_NOT_MATCH", "InvalidSignatureException", 403),
    ("TOO_MANY_REQUESTS", "TooManyRequestsException", 429),
    ("UNKNOWN_OPERATION", "UnknownOperationException", 404),
    ("UNRECOGNIZED_CLIENT", "UnrecognizedClientException", 403),
    ("VALIDATION", "ValidationException", 400),
)
"""What rest-json services answer beside what their models declare."""

JSON_FAULTS: Mapping[str, Fault] = {
    **{
        reason: replace(fault, status=400) if fault.blames_caller else fault
        for reason, fault in REST_FAULTS.items()
    },
    **_table(
        ("TOO_MANY_REQUESTS", "ThrottlingException", 400),
    ),
}
"""The same of json services, which know one status for all mistakes of a caller."""

LOGS_FAULTS = _table(("VALIDATION", "InvalidParameterException", 400))
"""What CloudWatch Logs answers although its model declares another exception of that name."""

QUERY_FAULTS = _table(
    ("ACCESS_DENIED", "AccessDenied", 403),
    ("EXPIRED_TOKEN", "ExpiredToken", 403),
    ("INCOMPLETE_SIGNATURE", "IncompleteSignature", 400),
    ("INVALID_PARAMETER_VALUE", "ValidationError", 400),
    ("INVALID_SIGNATURE", "SignatureDoesNotMatch", 403),
    ("MISSING_AUTHENTICATION_TOKEN", "MissingAuthenticationToken", 403),
    ("NOT_IMPLEMENTED", "NotImplemented", 501),
    ("REQUEST_ENTITY_TOO_LARGE", "RequestEntityTooLarge", 413),
    ("RESOURCE_CONFLICT", "EntityAlreadyExists", 409),
    ("RESOURCE_NOT_FOUND", "NoSuchEntity", 404),
    ("SERIALIZATION", "MalformedInput", 400),
    ("SERVICE", "InternalFailure", 500),
    ("SIGNATURE_DOES_NOT_MATCH", "SignatureDoesNotMatch", 403),
    ("TOO_MANY_REQUESTS", "Throttling", 400),
    ("UNKNOWN_OPERATION", "InvalidAction", 400),
    ("UNRECOGNIZED_CLIENT", "InvalidClientTokenId", 403),
    ("VALIDATION", "ValidationError", 400),
)
"""The same of query services."""

_BY_CLASS: tuple[tuple[type[EmberdError], str], ...] = (
    (InvalidArgumentError, "INVALID_PARAMETER_VALUE"),
    (DeniedError, "ACCESS_DENIED"),
    (NotFoundError, "RESOURCE_NOT_FOUND"),
    (ConflictError, "RESOURCE_CONFLICT"),
    (CapacityError, "TOO_MANY_REQUESTS"),
    (EmberdError, "SERVICE"),
)
_WORD_END = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])")


class Faults:
    """All exceptions of one service."""

    def __init__(
        self,
        model: Model,
        undeclared: Mapping[str, Fault],
        exceptions: Mapping[str, Fault] = MappingProxyType({}),
    ) -> None:
        """exceptions win over what the model declares."""
        declared = {
            reason_of(shape.name): Fault(
                name=shape.error_code or shape.name, status=shape.error_status, shape=shape
            )
            for shape in map(model.shape, model.error_names)
        }
        self._by_reason = {**undeclared, **declared, **exceptions}

    def of(self, error: EmberdError) -> Fault:
        """The exception that says what an error says."""
        fault = self._by_reason.get(error.reason)
        if fault is not None:
            return fault
        return next(
            self._by_reason[reason] for kind, reason in _BY_CLASS if isinstance(error, kind)
        )


def reason_of(exception_name: str) -> str:
    """An exception's name as a reason: ResourceNotFoundException is RESOURCE_NOT_FOUND."""
    return _WORD_END.sub("_", exception_name.removesuffix("Exception")).upper()


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
