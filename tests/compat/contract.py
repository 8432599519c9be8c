"""Whether an answer is what the service model promises: status, headers, members, types, values.

botocore forgives almost everything: unknown members, wrong types, a wrong status. Here nothing of
that is forgiven, so that clients stricter than boto3 (Go, Rust, Java) are served as well.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping

from botocore.model import OperationModel, Shape, StructureShape

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

STATUS_OF_ITS_OWN = {"DeleteFunction": 204}
"""Where Lambda's recorded answer has another status than its model says."""

BEYOND_ITS_ENUMERATION = {("LastUpdateStatusReasonCode", "Creating")}
"""Recorded from Lambda while an update is in progress, though the model's enumeration lacks it."""

EMPTY_WHERE_NOTHING_IS = {"GetFunctionCodeSigningConfig"}
"""Recorded to answer {} where there is nothing, though the model requires members."""

UNMODELLED_ERRORS = {
    "ValidationException": 400,
    "SerializationException": 400,
    "AccessDeniedException": 403,
    "InvalidSignatureException": 403,
    "MissingAuthenticationTokenException": 403,
    "UnrecognizedClientException": 403,
    "IncompleteSignatureException": 403,
    "ExpiredTokenException": 403,
    "UnknownOperationException": 404,
    "NotImplementedException": 501,
}
"""Errors that every operation may answer and no model names, with their status."""


def complaints(
    operation: OperationModel, status: int, headers: Mapping[str, str], body: bytes | None
) -> list[str]:
    """All that is wrong with one answer; body is None where it streams."""
    lower = {name.lower(): value for name, value in headers.items()}
    found = [*_request_id(lower)]
    if status >= 300:
        found += _error(operation, status, lower, body or b"")
    else:
        found += _success(operation, status, lower, body)
    return [f"{operation.name}: {each}" for each in found]


def _request_id(headers: Mapping[str, str]) -> Iterator[str]:
    if not UUID.fullmatch(headers.get("x-amzn-requestid", "")):
        yield f"x-amzn-RequestId is {headers.get('x-amzn-requestid')!r}, which is no UUID"


def _success(
    operation: OperationModel, status: int, headers: Mapping[str, str], body: bytes | None
) -> Iterator[str]:
    shape = operation.output_shape
    wanted = STATUS_OF_ITS_OWN.get(operation.name, operation.http["responseCode"])
    if not _has_status_member(shape) and status != wanted:
        yield f"status {status} instead of {wanted}"
    if shape is None or not shape.members:
        if body:
            yield f"a body where the model has none: {body[:80]!r}"
        return
    for name, member in shape.members.items():
        if member.serialization.get("location") == "header":
            value = headers.get(member.serialization["name"].lower())
            if value is not None:
                yield from _text(member, value, name)
    if "payload" in shape.serialization or body is None:
        return
    if status == 204:
        if body:
            yield "status 204 with a body"
        return
    if headers.get("content-type") != "application/json":
        yield f"content type {headers.get('content-type')!r}"
    if operation.name not in EMPTY_WHERE_NOTHING_IS or body != b"{}":
        yield from _document(shape, body)


def _has_status_member(shape: StructureShape | None) -> bool:
    return shape is not None and any(
        member.serialization.get("location") == "statusCode" for member in shape.members.values()
    )


def _document(shape: StructureShape, body: bytes) -> Iterator[str]:
    try:
        document = json.loads(body, parse_constant=_no_constant)
    except ValueError as error:
        yield f"the body is no JSON: {error}"
        return
    yield from _structure(shape, document, "")


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _error(
    operation: OperationModel, status: int, headers: Mapping[str, str], body: bytes
) -> Iterator[str]:
    name = headers.get("x-amzn-errortype", "")
    declared = {shape.name: shape for shape in operation.error_shapes}
    if name in declared:
        shape = declared[name]
        wanted = shape.metadata["error"]["httpStatusCode"]
        yield from _document(shape, body)
    elif name in UNMODELLED_ERRORS:
        wanted = UNMODELLED_ERRORS[name]
        yield from _plain_error(body)
    else:
        yield f"an error that neither this operation nor every one has: {name!r}"
        return
    if status != wanted:
        yield f"{name} with status {status} instead of {wanted}"
    if headers.get("content-type") != "application/json":
        yield f"{name} with content type {headers.get('content-type')!r}"


def _plain_error(body: bytes) -> Iterator[str]:
    try:
        document = json.loads(body)
    except ValueError as error:
        yield f"the error's body is no JSON: {error}"
        return
    extra = set(document) - {"message", "Message", "Type"}
    if extra or not any(each in document for each in ("message", "Message")):
        yield f"the error's body has {sorted(document)}"


def _value(shape: Shape, value: object, path: str) -> Iterator[str]:
    match shape.type_name:
        case "structure":
            yield from _structure(shape, value, path)
        case "list":
            yield from _list(shape, value, path)
        case "map":
            yield from _map(shape, value, path)
        case "string":
            yield from _string(shape, value, path)
        case "blob":
            yield from _blob(value, path)
        case "boolean":
            if not isinstance(value, bool):
                yield f"{path} is no boolean: {value!r}"
        case "integer" | "long" | "double" | "float" | "timestamp":
            yield from _number(shape, value, path)
        case other:
            yield f"{path} has the type {other}, which this checker does not know"


def _structure(shape: StructureShape, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path or 'the body'} is no object: {value!r}"
        return
    members = {
        member.serialization.get("name", name): member
        for name, member in shape.members.items()
        if "location" not in member.serialization
    }
    for name, inner in value.items():
        if name not in members:
            yield f"{path}.{name} is not in the model"
        else:
            yield from _value(members[name], inner, f"{path}.{name}")
    for name in shape.required_members:
        if name in members and name not in value:
            yield f"{path}.{name} is missing"


def _list(shape: Shape, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path} is no list: {value!r}"
        return
    yield from _within(shape, len(value), f"the length of {path}")
    for index, inner in enumerate(value):
        yield from _value(shape.member, inner, f"{path}[{index}]")


def _map(shape: Shape, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path} is no map: {value!r}"
        return
    for key, inner in value.items():
        yield from _value(shape.key, key, f"a key of {path}")
        yield from _value(shape.value, inner, f"{path}[{key!r}]")


def _string(shape: Shape, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{path} is no string: {value!r}"
        return
    known = not shape.enum or value in shape.enum
    if not known and (shape.name, value) not in BEYOND_ITS_ENUMERATION:
        yield f"{path} is {value!r}, which its enumeration has not"
    yield from _within(shape, len(value), f"the length of {path}")
    pattern = shape.metadata.get("pattern")
    # \p{...} names Java's classes of characters, which re does not have.
    if pattern and r"\p{" not in pattern and not re.fullmatch(pattern, value):
        yield f"{path} is {value!r}, which does not match {pattern}"


def _text(shape: Shape, value: str, name: str) -> Iterator[str]:
    """A header, which is text whatever its type."""
    if shape.type_name in ("integer", "long"):
        if not value.isdigit():
            yield f"header of {name} is no number: {value!r}"
    elif shape.type_name == "string":
        yield from _string(shape, value, f"header of {name}")


def _blob(value: object, path: str) -> Iterator[str]:
    try:
        base64.b64decode(str(value), validate=True)
    except binascii.Error as error:
        yield f"{path} is no base64: {error}"


def _number(shape: Shape, value: object, path: str) -> Iterator[str]:
    whole = shape.type_name in ("integer", "long")
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        yield f"{path} is no {shape.type_name}: {value!r}"
    elif shape.type_name != "timestamp":
        yield from _within(shape, value, path)


def _within(shape: Shape, value: float, what: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if (low is not None and value < low) or (high is not None and value > high):
        yield f"{what} is {value}, outside {low} to {high}"
