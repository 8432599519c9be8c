"""The operations of Lambda's API over gRPC: the same functions that answer over HTTP.

One RPC per operation that no hand-written service has; messages, names and conversion come from the
model. scripts/operations_proto.py writes the contract.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from controlplane.api.aws.doors import Authorise
from controlplane.api.aws.model import load_model
from controlplane.api.aws.operation import Call
from controlplane.api.aws.operations import OPERATIONS
from controlplane.api.aws.services import Services
from controlplane.api.aws.validation import validate
from controlplane.api.grpc.members import fill, members_of
from controlplane.model.principal import Principal
from emberd.operations.v1 import operations_pb2

SERVICE = operations_pb2.DESCRIPTOR.services_by_name["OperationService"]


class OperationService:
    """Answers every RPC of OperationService through the operation of its name."""

    def __init__(
        self,
        services: Services,
        *,
        principal: Principal,
        authorise: Authorise,
        endpoint: str,
    ) -> None:
        self._services = services
        self._principal = principal
        self._authorise = authorise
        self._endpoint = endpoint

    def handler(self) -> grpc.GenericRpcHandler:
        """Every RPC by its name."""
        return grpc.method_handlers_generic_handler(
            SERVICE.full_name,
            {
                method.name: grpc.unary_unary_rpc_method_handler(
                    self._answer(method.name, GetMessageClass(method.output_type)),
                    request_deserializer=GetMessageClass(method.input_type).FromString,
                    response_serializer=GetMessageClass(method.output_type).SerializeToString,
                )
                for method in SERVICE.methods
            },
        )

    def _answer(self, name: str, response: type[Message]) -> Callable[[Message, Any], Any]:
        operation = OPERATIONS[name]

        async def answer(message: Message, _context: Any) -> Message:
            shapes = load_model("lambda").operation(name)
            request: dict[str, object] = {}
            if shapes.input is not None:
                request = members_of(message, shapes.input)
                validate(shapes.input, request)
            call = Call(
                request_id=str(uuid.uuid4()),
                principal=self._principal,
                endpoint=self._endpoint,
                arrival_ns=time.time_ns(),
            )
            self._authorise(call, "lambda", name, request)
            output = await operation(self._services, call, request)
            made = response()
            if shapes.output is not None:
                fill(made, output, shapes.output)
            return made

        return answer
