"""The error model: what a class becomes on the wire, and which token opens which door."""

from __future__ import annotations

import string
from base64 import b64encode
from urllib.parse import quote

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from emberd.wire import errors, status
from emberd.wire.errors import (
    CapacityError,
    ConflictError,
    DeniedError,
    EmberdError,
    InvalidArgumentError,
    NotFoundError,
    UnavailableError,
)

CODES = {
    InvalidArgumentError: grpc.StatusCode.INVALID_ARGUMENT,
    DeniedError: grpc.StatusCode.PERMISSION_DENIED,
    NotFoundError: grpc.StatusCode.NOT_FOUND,
    ConflictError: grpc.StatusCode.FAILED_PRECONDITION,
    CapacityError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    UnavailableError: grpc.StatusCode.UNAVAILABLE,
}


class DoorShutError(ConflictError):
    """A local error under one of the six."""


@pytest.mark.parametrize("kind", CODES)
def test_every_class_has_its_canonical_code(kind: type[EmberdError]) -> None:
    assert status.code_of(kind("text", reason="REASON")) is CODES[kind]


def test_the_list_of_classes_is_closed() -> None:
    declared = {
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, EmberdError) and each is not EmberdError
    }
    assert declared == set(CODES)


def test_a_missing_token_is_unauthenticated_and_a_wrong_door_is_denied() -> None:
    missing = DeniedError("who?", reason="UNAUTHENTICATED")
    wrong = DeniedError("no", reason="ACCESS_DENIED")
    assert status.code_of(missing) is grpc.StatusCode.UNAUTHENTICATED
    assert status.code_of(wrong) is grpc.StatusCode.PERMISSION_DENIED


def test_a_local_error_travels_as_the_class_it_belongs_to() -> None:
    shut = DoorShutError("shut", reason="DOOR")
    assert status.code_of(shut) is grpc.StatusCode.FAILED_PRECONDITION


def test_the_details_carry_exactly_one_error_info_with_reason_and_metadata() -> None:
    error = NotFoundError(
        "Function not found: one", reason="RESOURCE_NOT_FOUND", function_name="one"
    )
    carried = status_pb2.Status.FromString(status.details_of(error))
    info = error_details_pb2.ErrorInfo()
    assert len(carried.details) == 1
    assert carried.details[0].Unpack(info)
    assert (carried.code, carried.message) == (5, "Function not found: one")
    assert (info.reason, info.domain) == ("RESOURCE_NOT_FOUND", "emberd")
    assert dict(info.metadata) == {"function_name": "one"}


def test_the_message_is_what_str_shows() -> None:
    assert str(CapacityError("no room on any host", reason="TOO_MANY_REQUESTS")) == (
        "no room on any host"
    )


@pytest.mark.parametrize("letter", ["x", "é", "\N{FIRE}", "\ud800"])
def test_what_an_error_says_fits_a_stock_clients_trailers_whatever_its_letters(letter: str) -> None:
    error = InvalidArgumentError(
        letter * 50_000, reason="R", **{f"v{n}": letter * 50 for n in range(50)}
    )
    text = quote(status.text_of(error), safe=string.printable.replace("%", ""))
    details = b64encode(status.details_of(error))
    assert len(text) + len(details) < 8 * 1024 - 256
    assert status.text_of(error).endswith("...")


def test_a_short_error_is_not_cut() -> None:
    error = InvalidArgumentError("é" * 300, reason="R", value="é" * 300)
    carried = status_pb2.Status.FromString(status.details_of(error))
    info = error_details_pb2.ErrorInfo()
    carried.details[0].Unpack(info)
    assert status.text_of(error) == carried.message == "é" * 300
    assert info.metadata["value"] == "é" * 300
