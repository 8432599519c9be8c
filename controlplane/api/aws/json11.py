"""The json protocol, version 1.1: one path, and a header that names the operation.

CloudWatch Logs speaks it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from controlplane.api.aws.answer import Answer
from controlplane.api.aws.codec import Head
from controlplane.api.aws.doors import SignedRequest
from controlplane.api.aws.errors import JSON_FAULTS, LOGS_FAULTS, Faults, error_body, error_headers
from controlplane.api.aws.model import Model, Operation, load_model
from controlplane.api.aws.operation import Output
from controlplane.api.aws.parsing import Request, parse_json
from controlplane.api.aws.serialising import dump_json, to_json
from controlplane.api.aws.validation import validate
from emberd.wire.errors import EmberdError, InvalidArgumentError, NotFoundError

CONTENT_TYPE = "application/x-amz-json-1.1"
REQUEST_BYTES = 2 * 1024 * 1024
"""Of a request; AWS takes a megabyte of log events, which JSON may double."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonReading:
    """A request whose operation is known."""

    operation: Operation
    body_limit_bytes: int = REQUEST_BYTES

    def too_large(self) -> EmberdError:
        """The error for a larger one."""
        return InvalidArgumentError(
            f"Request must be smaller than {self.body_limit_bytes} bytes for the "
            f"{self.operation.name} operation",
            reason="REQUEST_ENTITY_TOO_LARGE",
        )

    def read(self, request: SignedRequest) -> tuple[Operation, Request]:
        """The operation's valid input.

        Raises:
            InvalidArgumentError: it cannot be read, or breaks constraints.
        """
        values = parse_json(self.operation, request.body)
        if self.operation.input is not None:
            validate(self.operation.input, values)
        return self.operation, values


class Json11:
    """Reads requests and writes answers of one json service."""

    def __init__(self, service: str) -> None:
        self.service = service

    def recognises(self, head: Head) -> bool:
        """Whether a request that no signature gives to a service looks like this one's."""
        return head.headers.get("X-Amz-Target", "").startswith(f"{self._model.target_prefix}.")

    def begin(self, head: Head) -> JsonReading:
        """Find the operation.

        Raises:
            NotFoundError: there is none.
        """
        prefix, _, name = head.headers.get("X-Amz-Target", "").rpartition(".")
        if prefix != self._model.target_prefix or name not in self._model.operation_names:
            raise NotFoundError(
                f"{self.service} has no operation of that X-Amz-Target", reason="UNKNOWN_OPERATION"
            )
        return JsonReading(operation=self._model.operation(name))

    def write(self, operation: Operation, output: Output, request_id: str) -> Answer:
        """The answer of an operation.

        Raises:
            ValueError: the output is not what the model says.
        """
        body = b"" if operation.output is None else dump_json(to_json(output, operation.output))
        return Answer(status=200, headers={"Content-Type": CONTENT_TYPE}, body=body)

    def refuse(self, error: EmberdError, request_id: str) -> Answer:
        """The answer to what went wrong."""
        fault = self._faults.of(error)
        members = error_body(fault, error)
        del members["Type"]
        body = dump_json({"__type": fault.name, **members})
        headers = {"Content-Type": CONTENT_TYPE, **error_headers(fault, error)}
        return Answer(status=fault.status, headers=headers, body=body)

    @cached_property
    def _model(self) -> Model:
        return load_model(self.service)

    @cached_property
    def _faults(self) -> Faults:
        return Faults(self._model, JSON_FAULTS, LOGS_FAULTS)
