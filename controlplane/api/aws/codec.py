"""What a protocol of AWS must be able to do, so that one application serves several services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from controlplane.api.aws.answer import Answer
from controlplane.api.aws.doors import SignedRequest
from controlplane.api.aws.model import Operation
from controlplane.api.aws.operation import Output
from controlplane.api.aws.parsing import Request
from emberd.wire.errors import EmberdError


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A request before its body has been read."""

    method: str
    raw_path: str
    raw_query: str
    headers: Mapping[str, str]
    """Names in any case."""


class Reading(Protocol):
    """A request that is being read; the service may already know which operation it is for."""

    @property
    def body_limit_bytes(self) -> int:
        """How large its body may be."""

    def too_large(self) -> EmberdError:
        """The error for a larger one."""

    def read(self, request: SignedRequest) -> tuple[Operation, Request]:
        """The operation and its valid input.

        Raises:
            NotFoundError: UNKNOWN_OPERATION.
            InvalidArgumentError: SERIALIZATION or VALIDATION.
        """


class Codec(Protocol):
    """One service in its protocol."""

    @property
    def service(self) -> str:
        """As the model and the credential scope name it."""

    def recognises(self, head: Head) -> bool:
        """Whether a request that no signature gives to a service looks like this one's."""

    def begin(self, head: Head) -> Reading:
        """Look at a request's head.

        Raises:
            NotFoundError: UNKNOWN_OPERATION.
        """

    def write(self, operation: Operation, output: Output, request_id: str) -> Answer:
        """The answer of an operation.

        Raises:
            ValueError: the output is not what the model says.
        """

    def refuse(self, error: EmberdError, request_id: str) -> Answer:
        """The answer to what went wrong."""
