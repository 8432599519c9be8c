"""Carries out what OperationService is asked: the same operations that answer over HTTP."""

from __future__ import annotations

import time
import uuid

from google.protobuf.message import Message

from controlplane.api.aws.doors import Authorise
from controlplane.api.aws.model import load_model
from controlplane.api.aws.operation import Call
from controlplane.api.aws.operations import OPERATIONS
from controlplane.api.aws.services import Services
from controlplane.api.aws.validation import validate
from controlplane.api.grpc.members import fill, members_of
from controlplane.model.principal import Principal


class OperationCarrier:
    """Runs operations by their names; messages and members are converted by AWS's model."""

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

    async def carry_out(self, name: str, message: Message, response: Message) -> None:
        """Run the operation of this name and fill its response."""
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
        output = await OPERATIONS[name](self._services, call, request)
        if shapes.output is not None:
            fill(response, output, shapes.output)
