"""Errors as google.rpc.Status and back: the only module that knows gRPC's status codes.

A failure is a Status with a canonical code and exactly one ErrorInfo, packed into the trailer
`grpc-status-details-bin`, which every gRPC library can read.
"""

from __future__ import annotations

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from emberd.wire.errors import (
    CapacityError,
    ConflictError,
    DeniedError,
    EmberdError,
    InvalidArgumentError,
    NotFoundError,
    UnavailableError,
)

ERROR_DOMAIN = "emberd"
DETAILS_KEY = "grpc-status-details-bin"

_CODES: dict[type[EmberdError], grpc.StatusCode] = {
    InvalidArgumentError: grpc.StatusCode.INVALID_ARGUMENT,
    DeniedError: grpc.StatusCode.PERMISSION_DENIED,
    NotFoundError: grpc.StatusCode.NOT_FOUND,
    ConflictError: grpc.StatusCode.FAILED_PRECONDITION,
    CapacityError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    UnavailableError: grpc.StatusCode.UNAVAILABLE,
}
_CLASSES: dict[grpc.StatusCode, type[EmberdError]] = {
    **{code: kind for kind, code in _CODES.items()},
    grpc.StatusCode.UNAUTHENTICATED: DeniedError,
    grpc.StatusCode.DEADLINE_EXCEEDED: UnavailableError,
    grpc.StatusCode.UNIMPLEMENTED: InvalidArgumentError,
}


def code_of(error: EmberdError) -> grpc.StatusCode:
    """The canonical code of an error's class."""
    if isinstance(error, DeniedError) and error.reason == "UNAUTHENTICATED":
        return grpc.StatusCode.UNAUTHENTICATED
    for kind, code in _CODES.items():
        if isinstance(error, kind):
            return code
    return grpc.StatusCode.INTERNAL


def details_of(error: EmberdError) -> bytes:
    """The serialised google.rpc.Status that carries reason and metadata."""
    info = error_details_pb2.ErrorInfo(
        reason=error.reason, domain=ERROR_DOMAIN, metadata=error.metadata
    )
    packed = any_pb2.Any()
    packed.Pack(info)
    status = status_pb2.Status(
        code=code_of(error).value[0], message=error.message, details=[packed]
    )
    return bytes(status.SerializeToString())


def error_from(rpc_error: grpc.RpcError) -> EmberdError:
    """Rebuild the error that a server raised, from sync and asyncio calls alike.

    A failure that did not come from our server (nothing listens, deadline) becomes the nearest
    class with reason TRANSPORT.
    """
    code = rpc_error.code()
    message = rpc_error.details() or str(code)
    reason = "TRANSPORT"
    metadata: dict[str, str] = {}
    for key, value in rpc_error.trailing_metadata() or ():
        if key == DETAILS_KEY:
            reason, metadata = _read_details(value)
    kind = _CLASSES.get(code, UnavailableError)
    return kind(message, reason=reason, **metadata)


def _read_details(raw: bytes) -> tuple[str, dict[str, str]]:
    for packed in status_pb2.Status.FromString(raw).details:
        info = error_details_pb2.ErrorInfo()
        if packed.Unpack(info):
            return info.reason, dict(info.metadata)
    return "TRANSPORT", {}
