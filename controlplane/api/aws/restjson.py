"""The rest-json protocol: an operation is found by method and path. Lambda speaks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qsl

from controlplane.api.aws.answer import Answer
from controlplane.api.aws.codec import Head
from controlplane.api.aws.doors import SignedRequest
from controlplane.api.aws.errors import REST_FAULTS, Faults, error_body, error_headers
from controlplane.api.aws.model import Model, Operation, load_model
from controlplane.api.aws.operation import Output
from controlplane.api.aws.parsing import Parts, Request, parse_rest
from controlplane.api.aws.routing import Match, Router
from controlplane.api.aws.serialising import JSON_TYPE, dump_json, serialise_rest
from controlplane.api.aws.validation import validate
from controlplane.api.aws.values import unreadable
from emberd.wire.errors import EmberdError, InvalidArgumentError, NotFoundError

QUERY_FIELDS_MAX = 1000
PACKAGE_REQUEST_BYTES = 70_167_211
"""Of a request that may carry a package; 50 MB in base64, as AWS counts it."""
REQUEST_BYTES = 6 * 1024 * 1024
"""Of any other request: what an event may have."""
_WITH_PACKAGE = frozenset({"CreateFunction", "UpdateFunctionCode", "PublishLayerVersion"})
_ACTIONS = {"Invoke": "InvokeFunction", "InvokeAsync": "InvokeFunction"}
"""Operations that AWS calls by their action where it speaks of sizes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestReading:
    """A request whose operation is known."""

    match: Match
    query: list[tuple[str, str]]
    headers: Mapping[str, str]

    @property
    def body_limit_bytes(self) -> int:
        """How large its body may be."""
        name = self.match.operation.name
        return PACKAGE_REQUEST_BYTES if name in _WITH_PACKAGE else REQUEST_BYTES

    def too_large(self) -> EmberdError:
        """The error for a larger one."""
        name = self.match.operation.name
        return InvalidArgumentError(
            f"Request must be smaller than {self.body_limit_bytes} bytes for the "
            f"{_ACTIONS.get(name, name)} operation",
            reason="REQUEST_TOO_LARGE" if name.startswith("Invoke") else "REQUEST_ENTITY_TOO_LARGE",
        )

    def read(self, request: SignedRequest) -> tuple[Operation, Request]:
        """The operation's valid input.

        Raises:
            InvalidArgumentError: it cannot be read, or breaks constraints.
        """
        parts = Parts(
            uri=self.match.uri,
            query=self.query,
            headers=self.headers,
            body=request.body,
        )
        operation = self.match.operation
        values = parse_rest(operation, parts)
        if operation.input is not None:
            validate(operation.input, values)
        return operation, values


class RestJson:
    """Reads requests and writes answers of one rest-json service."""

    def __init__(self, service: str) -> None:
        self.service = service

    def recognises(self, head: Head) -> bool:
        """Whether a request that no signature gives to a service looks like this one's."""
        return head.raw_path != "/"

    def begin(self, head: Head) -> RestReading:
        """Find the operation.

        Raises:
            NotFoundError: there is none.
        """
        query = query_of(head.raw_query)
        match = self._router.find(head.method, head.raw_path, query)
        if match is None:
            raise NotFoundError(
                f"{self.service} has no operation for {head.method} on this path",
                reason="UNKNOWN_OPERATION",
            )
        return RestReading(match=match, query=query, headers=head.headers)

    def write(self, operation: Operation, output: Output, request_id: str) -> Answer:
        """The answer of an operation.

        Raises:
            ValueError: the output is not what the model says.
        """
        return serialise_rest(operation, output)

    def refuse(self, error: EmberdError, request_id: str) -> Answer:
        """The answer to what went wrong."""
        fault = self._faults.of(error)
        headers = {"Content-Type": JSON_TYPE, **error_headers(fault, error)}
        body = dump_json(error_body(fault, error))
        return Answer(status=fault.status, headers=headers, body=body)

    @cached_property
    def _model(self) -> Model:
        return load_model(self.service)

    @cached_property
    def _faults(self) -> Faults:
        return Faults(self._model, REST_FAULTS)

    @cached_property
    def _router(self) -> Router:
        return Router([self._model.operation(name) for name in self._model.operation_names])


def query_of(raw_query: str) -> list[tuple[str, str]]:
    """The decoded fields of a query string, in order.

    Raises:
        InvalidArgumentError: there are too many.
    """
    if not raw_query:
        return []
    try:
        return parse_qsl(raw_query, keep_blank_values=True, max_num_fields=QUERY_FIELDS_MAX)
    except ValueError:
        message = f"More than {QUERY_FIELDS_MAX} fields in the query string"
        raise unreadable(message) from None
