"""The query protocol: a form in, XML out. IAM and STS speak it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast
from xml.sax.saxutils import escape

from controlplane.api.aws.answer import Answer
from controlplane.api.aws.codec import Head
from controlplane.api.aws.doors import SignedRequest
from controlplane.api.aws.errors import QUERY_FAULTS, Faults, error_headers
from controlplane.api.aws.forms import parse_form
from controlplane.api.aws.model import Member, Model, Operation, Shape, load_model
from controlplane.api.aws.operation import Output
from controlplane.api.aws.parsing import Request
from controlplane.api.aws.restjson import query_of
from controlplane.api.aws.serialising import member_of, to_text
from controlplane.api.aws.validation import validate
from controlplane.api.aws.values import unreadable
from emberd.wire.errors import EmberdError, InvalidArgumentError, NotFoundError

REQUEST_BYTES = 2 * 1024 * 1024
"""Of a request; a policy document of IAM has some kilobytes."""
CONTENT_TYPE = "text/xml"
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryReading:
    """A request whose body will say which operation it is for."""

    model: Model
    query: Sequence[tuple[str, str]]
    body_limit_bytes: int = REQUEST_BYTES

    def too_large(self) -> EmberdError:
        """The error for a larger one."""
        return InvalidArgumentError(
            f"Request must be smaller than {self.body_limit_bytes} bytes",
            reason="REQUEST_ENTITY_TOO_LARGE",
        )

    def read(self, request: SignedRequest) -> tuple[Operation, Request]:
        """The operation and its valid input.

        Raises:
            NotFoundError: there is no such operation.
            InvalidArgumentError: it cannot be read, or breaks constraints.
        """
        try:
            body = request.body.decode()
        except UnicodeDecodeError:
            raise unreadable("The body is not UTF-8") from None
        fields = [*self.query, *query_of(body)]
        named = dict(fields)
        name, version = named.get("Action", ""), named.get("Version", "")
        if name not in self.model.operation_names or version != self.model.api_version:
            raise NotFoundError(
                f"Could not find operation {name[:64]} for version {version[:16]}",
                reason="UNKNOWN_OPERATION",
            )
        operation = self.model.operation(name)
        if operation.input is None:
            return operation, {}
        values = parse_form(operation.input, fields)
        validate(operation.input, values)
        return operation, values


class Query:
    """Reads requests and writes answers of one query service."""

    def __init__(self, service: str) -> None:
        self.service = service

    def recognises(self, head: Head) -> bool:
        """Whether a request that no signature gives to a service looks like this one's."""
        return head.raw_path == "/" and "X-Amz-Target" not in head.headers

    def begin(self, head: Head) -> QueryReading:
        """Take the fields of the query string, where a presigned request has them all.

        Raises:
            InvalidArgumentError: there are too many.
        """
        return QueryReading(model=self._model, query=query_of(head.raw_query))

    def write(self, operation: Operation, output: Output, request_id: str) -> Answer:
        """The answer of an operation.

        Raises:
            ValueError: the output is not what the model says.
        """
        inner = ""
        if operation.output is not None:
            inner = "".join(_members(output, operation.output))
            if operation.output_wrapper:
                inner = _element(operation.output_wrapper, inner)
        inner += _element("ResponseMetadata", _element("RequestId", request_id))
        return self._answer(200, f"{operation.name}Response", inner)

    def refuse(self, error: EmberdError, request_id: str) -> Answer:
        """The answer to what went wrong."""
        fault = self._faults.of(error)
        told = (
            _element("Type", "Sender" if fault.blames_caller else "Receiver")
            + _element("Code", fault.name)
            + _element("Message", _text(error.message))
        )
        inner = _element("Error", told) + _element("RequestId", request_id)
        answer = self._answer(fault.status, "ErrorResponse", inner)
        headers = {**answer.headers, **error_headers(fault, error)}
        return Answer(status=answer.status, headers=headers, body=answer.body)

    def _answer(self, status: int, name: str, inner: str) -> Answer:
        document = f'<{name} xmlns="{self._model.xml_namespace}">{inner}</{name}>'
        return Answer(status=status, headers={"Content-Type": CONTENT_TYPE}, body=document.encode())

    @cached_property
    def _model(self) -> Model:
        return load_model(self.service)

    @cached_property
    def _faults(self) -> Faults:
        return Faults(self._model, QUERY_FAULTS)


def _members(given: Mapping[str, object], shape: Shape) -> Iterator[str]:
    for name, value in given.items():
        if value is not None:
            member = member_of(shape, name)
            yield from _elements(member.wire_name, value, member.shape)


def _elements(name: str, value: object, shape: Shape) -> Iterator[str]:
    """A value as one element, or where the model says flattened as one per entry."""
    match shape:
        case Shape(kind="structure"):
            given = cast("Mapping[str, object]", value)
            yield _element(name, "".join(_members(given, shape)))
        case Shape(kind="list", element=Member() as element):
            inner = name if shape.flattened else element.wire_name or "member"
            items = [
                part
                for each in cast("Sequence[object]", value)
                for part in _elements(inner, each, element.shape)
            ]
            yield "".join(items) if shape.flattened else _element(name, "".join(items))
        case Shape(kind="map", value=Member() as held):
            entries = [
                _element(
                    name if shape.flattened else "entry",
                    _element("key", _text(key)) + "".join(_elements("value", each, held.shape)),
                )
                for key, each in cast("Mapping[str, object]", value).items()
            ]
            yield "".join(entries) if shape.flattened else _element(name, "".join(entries))
        case _:
            yield _element(name, _text(to_text(value, shape, "date-time")))


def _element(name: str, inner: str) -> str:
    return f"<{name}>{inner}</{name}>"


def _text(text: str) -> str:
    return escape(_NOT_IN_XML.sub("\ufffd", text))
