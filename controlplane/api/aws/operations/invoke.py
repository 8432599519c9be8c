"""Invoke and InvokeWithResponseStream. InvokeAsync waits for the asynchronous path."""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from controlplane.api.aws.operation import Call, Handler, Output
from controlplane.api.aws.services import Services
from controlplane.dispatch.payloads import (
    CLIENT_CONTEXT_BYTES_MAX,
    check_client_context,
    check_payload,
    no_client_context,
)
from controlplane.dispatch.running import StreamedAnswer
from controlplane.model.invocation import AttemptResult, InvocationRequest
from emberd.wire.errors import CapacityError, EmberdError, InvalidArgumentError, UnavailableError

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import (
        InvocationRequestTypeDef,
        InvokeWithResponseStreamRequestTypeDef,
    )

logger = logging.getLogger(__name__)

LOG_TAIL_BYTES = 4096

_SAID = {
    operation: {
        "faas.trigger": "other",
        "rpc.system.name": "aws-api",
        "rpc.method": f"Lambda/{operation}",
        "http.request.method": "POST",
    }
    for operation in ("Invoke", "InvokeWithResponseStream")
}


async def invoke(services: Services, call: Call, request: InvocationRequestTypeDef) -> Output:
    """Run a function and wait for its answer, or only check that it could run."""
    asked = _invocation(services, call, request, "Invoke")
    if request.get("TenantId") or request.get("DurableExecutionName"):
        raise InvalidArgumentError(
            "The invoked function is neither isolated by tenant nor durable: remove TenantId and "
            "DurableExecutionName from the request",
            reason="INVALID_PARAMETER_VALUE",
        )
    match request.get("InvocationType", "RequestResponse"):
        case "DryRun":
            return _dry_run(services, asked)
        case "Event":
            services.dispatcher.resolve(asked.function_name, asked.qualifier)
            raise UnavailableError(
                "asynchronous invocation (InvocationType Event) is not built yet: use "
                "RequestResponse or DryRun",
                reason="NOT_IMPLEMENTED",
            )
    try:
        result = await services.dispatcher.invoke(asked)
    except CapacityError as error:
        raise rate_exceeded(error) from error
    attempt = result.attempt
    return {
        "StatusCode": 200,
        "ExecutedVersion": result.executed_version,
        "FunctionError": attempt.function_error or None,
        "LogResult": _log_of(attempt) if asked.want_log_tail else None,
        "Payload": attempt.payload,
    }


async def invoke_with_response_stream(
    services: Services, call: Call, request: InvokeWithResponseStreamRequestTypeDef
) -> Output:
    """Run a function and pass its answer on while it writes it."""
    asked = _invocation(services, call, request, "InvokeWithResponseStream")
    if request.get("InvocationType") == "DryRun":
        return _dry_run(services, asked)
    stack = AsyncExitStack()
    answer = await stack.enter_async_context(_streamed(services, asked))
    return {
        "StatusCode": 200,
        "ExecutedVersion": answer.executed_version,
        "EventStream": _events(stack, answer, with_log=asked.want_log_tail),
    }


@asynccontextmanager
async def _streamed(services: Services, asked: InvocationRequest) -> AsyncIterator[StreamedAnswer]:
    try:
        async with services.dispatcher.stream(asked) as answer:
            yield answer
    except CapacityError as error:
        raise rate_exceeded(error) from error


async def _events(
    stack: AsyncExitStack, answer: StreamedAnswer, *, with_log: bool
) -> AsyncGenerator[Mapping[str, object], None]:
    begun = False
    async with stack:
        try:
            async for chunk in answer.chunks():
                begun = True
                yield {"PayloadChunk": {"Payload": chunk}}
            attempt = (await answer.result()).attempt
        except EmberdError as error:
            if not begun:
                raise
            # The status is out: only the stream can still say it.
            yield {"InvokeComplete": {"ErrorCode": error.reason, "ErrorDetails": error.message}}
        else:
            yield {"InvokeComplete": _complete(attempt, with_log=with_log)}


def _complete(attempt: AttemptResult, *, with_log: bool) -> Output:
    """How a streamed answer ended: what went wrong can only be told here."""
    complete: dict[str, object] = {}
    if attempt.function_error:
        # Lambda's own names for what the platform saw; a handler's exception is just unhandled.
        known = attempt.error_type != "Function.Unknown"
        complete["ErrorCode"] = attempt.error_type if known else attempt.function_error
        complete["ErrorDetails"] = attempt.payload.decode("utf-8", "replace")
    if with_log:
        complete["LogResult"] = _log_of(attempt)
    return complete


def _dry_run(services: Services, asked: InvocationRequest) -> Output:
    services.dispatcher.resolve(asked.function_name, asked.qualifier)
    return {"StatusCode": 204}


def _invocation(
    services: Services,
    call: Call,
    request: InvocationRequestTypeDef | InvokeWithResponseStreamRequestTypeDef,
    operation: str,
) -> InvocationRequest:
    """What is asked of dispatch.

    Raises:
        InvalidArgumentError: the event or the client context is none.
    """
    payload = request.get("Payload", b"")
    assert isinstance(payload, bytes), "the codec reads a payload as bytes"
    check_payload(payload)
    trace = services.dispatcher.new_trace(call.trace_headers)
    call.answer_headers.update(trace.answer_headers())
    return InvocationRequest(
        request_id=call.request_id,
        function_name=request["FunctionName"],
        qualifier=request.get("Qualifier", ""),
        payload=payload,
        client_context=_client_context(request.get("ClientContext", "")),
        want_log_tail=request.get("LogType") == "Tail",
        trace=trace,
        arrival_ns=call.arrival_ns,
        said=_SAID[operation],
    )


def _client_context(encoded: str) -> str:
    if not encoded:
        return ""
    if len(encoded) > CLIENT_CONTEXT_BYTES_MAX:
        raise InvalidArgumentError(
            f"Client context must be no more than {CLIENT_CONTEXT_BYTES_MAX} bytes when base64 "
            "encoded.",
            reason="INVALID_REQUEST_CONTENT",
        )
    try:
        context = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise no_client_context() from error
    check_client_context(context)
    return context


def rate_exceeded(error: CapacityError) -> CapacityError:
    """A lack of room in AWS's words; ours, which say what is full, go to the log."""
    logger.info("an invocation was throttled", extra={"why": error.message})
    return CapacityError("Rate Exceeded.", reason=error.reason, **error.metadata)


def _log_of(attempt: AttemptResult) -> str:
    return base64.b64encode(attempt.log_tail[-LOG_TAIL_BYTES:]).decode("ascii")


OPERATIONS: Mapping[str, Handler] = {
    "Invoke": invoke,
    "InvokeWithResponseStream": invoke_with_response_stream,
}
