"""Errors as google.rpc.Status and back: the only module that knows gRPC's status codes.

A failure is a Status with a canonical code and exactly one ErrorInfo, packed into the trailer
`grpc-status-details-bin`, which every gRPC library can read.
"""

from __future__ import annotations

from collections.abc import Mapping

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

# A stock client takes 8 KB of trailers. More than that does not fail one call: the client drops the
# connection and every call on it. These three together stay below it at their worst, which is
# percent-encoding (3 bytes for 1) for the text and base64 (4 for 3) for the details.
_TEXT_BYTES_MAX = 800
_MESSAGE_BYTES_MAX = 3_000
_METADATA_BYTES_MAX = 1_000

_CUT = "..."

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


def text_of(error: EmberdError) -> str:
    """The message as the status itself carries it, for clients that read nothing else."""
    return _cut(error.message, _TEXT_BYTES_MAX)


def details_of(error: EmberdError) -> bytes:
    """The serialised google.rpc.Status that carries message, reason and metadata."""
    info = error_details_pb2.ErrorInfo(
        reason=error.reason, domain=ERROR_DOMAIN, metadata=_fitting(error.metadata)
    )
    packed = any_pb2.Any()
    packed.Pack(info)
    message = _cut(error.message, _MESSAGE_BYTES_MAX)
    status = status_pb2.Status(code=code_of(error).value[0], message=message, details=[packed])
    return bytes(status.SerializeToString())


def _fitting(metadata: Mapping[str, str]) -> dict[str, str]:
    """The values, in order, as far as there is room: they are all in the message too."""
    fitting: dict[str, str] = {}
    room = _METADATA_BYTES_MAX
    for key, value in metadata.items():
        encoded = value.encode(errors="replace")
        room -= len(key) + len(encoded)
        if room < 0:
            break
        fitting[key] = encoded.decode()
    return fitting


def _cut(text: str, bytes_max: int) -> str:
    """At most this many bytes of the text in UTF-8, showing that something is missing."""
    encoded = text.encode(errors="replace")
    if len(encoded) <= bytes_max:
        return encoded.decode()
    return encoded[: bytes_max - len(_CUT)].decode(errors="ignore") + _CUT


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
            message, reason, metadata = _read_details(value, message)
    kind = _CLASSES.get(code, UnavailableError)
    return kind(message, reason=reason, **metadata)


def _read_details(raw: bytes, text: str) -> tuple[str, str, dict[str, str]]:
    status = status_pb2.Status.FromString(raw)
    for packed in status.details:
        info = error_details_pb2.ErrorInfo()
        if packed.Unpack(info):
            return status.message or text, info.reason, dict(info.metadata)
    return text, "TRANSPORT", {}
