"""The gRPC front of invocation: a thin adapter over dispatch."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any

from controlplane.dispatch.dispatcher import Dispatcher
from controlplane.dispatch.payloads import check_client_context, check_payload
from controlplane.model.invocation import InvocationRequest, InvocationResult, StartLevel
from controlplane.model.trace import TraceContext, TraceHeaders, trace_headers_of
from emberd.invocation.v1 import invocation_pb2 as pb
from emberd.invocation.v1 import invocation_pb2_grpc
from emberd.wire.errors import InvalidArgumentError
from emberd.wire.times import duration

MIB = 1024 * 1024
SERVICE = "emberd.invocation.v1.InvocationService"
SAID = {"faas.trigger": "other", "rpc.system.name": "grpc"}
SAID_OF_INVOKE = {**SAID, "rpc.method": f"{SERVICE}/Invoke"}
SAID_OF_STREAM = {**SAID, "rpc.method": f"{SERVICE}/InvokeStream"}
_LEVELS = {
    StartLevel.WARM: pb.START_LEVEL_WARM,
    StartLevel.TEMPLATE: pb.START_LEVEL_TEMPLATE,
    StartLevel.PARKED: pb.START_LEVEL_PARKED,
    StartLevel.FRESH: pb.START_LEVEL_FRESH,
}


class InvocationService(invocation_pb2_grpc.InvocationServiceServicer):
    """Runs functions for gRPC clients."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    async def Invoke(self, request: pb.InvokeRequest, context: Any) -> pb.InvokeResponse:
        """Run a function and wait for its answer."""
        asked = self._checked(request, context, SAID_OF_INVOKE)
        if request.invocation_type == pb.INVOCATION_TYPE_DRY_RUN:
            return self._dry_run(request)
        # At the end, because a frame of its own ahead of the answer would cost every caller.
        context.set_trailing_metadata(trace_metadata(asked.trace))
        return _response(await self._dispatcher.invoke(asked))

    async def InvokeStream(
        self, request: pb.InvokeStreamRequest, context: Any
    ) -> AsyncIterator[pb.InvokeStreamResponse]:
        """Run a function and pass its answer on as it comes, then everything else about it."""
        asked = self._checked(request.request, context, SAID_OF_STREAM)
        if request.request.invocation_type == pb.INVOCATION_TYPE_DRY_RUN:
            yield pb.InvokeStreamResponse(complete=self._dry_run(request.request))
            return
        context.set_trailing_metadata(trace_metadata(asked.trace))
        async with self._dispatcher.stream(asked) as answer:
            async for chunk in answer.chunks():
                yield pb.InvokeStreamResponse(payload_chunk=chunk)
            complete = _response(await answer.result())
        if not complete.function_error:
            complete.ClearField("payload")
        yield pb.InvokeStreamResponse(complete=complete)

    def _checked(
        self, request: pb.InvokeRequest, context: Any, said: Mapping[str, str]
    ) -> InvocationRequest:
        """The invocation that is asked for.

        Raises:
            InvalidArgumentError: no function should see it.
        """
        arrival_ns = time.time_ns()
        check_payload(request.payload)
        check_client_context(request.client_context)
        if request.invocation_type == pb.INVOCATION_TYPE_EVENT:
            raise InvalidArgumentError(
                "asynchronous invocation (InvocationType Event) is not built yet: use "
                "RequestResponse or DryRun",
                reason="UNSUPPORTED_INVOCATION_TYPE",
            )
        return InvocationRequest(
            request_id=str(uuid.uuid4()),
            function_name=request.function_name,
            qualifier=request.qualifier,
            payload=request.payload,
            client_context=request.client_context,
            want_log_tail=request.log_type == pb.LOG_TYPE_TAIL,
            trace=self._dispatcher.new_trace(_trace_headers(context)),
            arrival_ns=arrival_ns,
            said=said,
        )

    def _dry_run(self, request: pb.InvokeRequest) -> pb.InvokeResponse:
        resolution = self._dispatcher.resolve(request.function_name, request.qualifier)
        return pb.InvokeResponse(
            status_code=204,
            executed_version=resolution.revision.version,
            request_id=str(uuid.uuid4()),
        )


def _response(result: InvocationResult) -> pb.InvokeResponse:
    attempt = result.attempt
    return pb.InvokeResponse(
        payload=attempt.payload,
        function_error=attempt.function_error,
        executed_version=result.executed_version,
        log_tail=attempt.log_tail,
        request_id=result.request_id,
        status_code=200,
        start_level=_LEVELS[attempt.start_level],
        duration=duration(attempt.duration_ns),
        billed_duration=duration(attempt.billed_ms * 1_000_000),
        init_duration=duration(attempt.init_duration_ns) if attempt.init_duration_ns else None,
        restore_duration=(
            duration(attempt.restore_duration_ns) if attempt.restore_duration_ns else None
        ),
        max_memory_used_mb=-(-attempt.memory_peak_bytes // MIB),
        trace_id=result.trace_id,
    )


def trace_metadata(trace: TraceContext) -> tuple[tuple[str, str], ...]:
    """Which trace an invocation belongs to, for its caller; both headers name the same."""
    return tuple((name.lower(), value) for name, value in trace.answer_headers().items())


def _trace_headers(context: Any) -> TraceHeaders:
    return trace_headers_of({key: str(value) for key, value in context.invocation_metadata()})
