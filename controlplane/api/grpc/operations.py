"""The operations of Lambda's API over gRPC: the same functions that answer over HTTP.

One RPC per operation that no hand-written service has; messages, names and conversion come from the
model. scripts/operations_proto.py writes the contract. What carries them out may come later than
the RPC that asks for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import grpc
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from emberd.operations.v1 import operations_pb2

SERVICE = operations_pb2.DESCRIPTOR.services_by_name["OperationService"]


class Carrier(Protocol):
    """Carries operations out."""

    async def carry_out(self, name: str, message: Message, response: Message) -> None:
        """Run the operation of this name and fill its response.

        Raises:
            EmberdError: what the operation raises.
        """


class OperationService:
    """Answers every RPC of OperationService through the operation of its name."""

    def __init__(self, carrier: Callable[[], Awaitable[Carrier]]) -> None:
        self._carrier = carrier

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
        async def answer(message: Message, _context: Any) -> Message:
            made = response()
            await (await self._carrier()).carry_out(name, message, made)
            return made

        return answer
