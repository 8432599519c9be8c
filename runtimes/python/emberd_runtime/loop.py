"""Init, then one event after another, until the process is killed."""

from __future__ import annotations

import os
import sys

from . import Fault, bytecode, loader, logging_hook
from .api import Invocation, RuntimeApi
from .context import Current, LambdaContext, trace_fields
from .marshal import Marshaller

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    Handler = Callable[[object, object], object]


async def _asynchronous() -> AsyncGenerator[None, None]:
    yield


_GENERATORS = (type(_ for _ in ()), type(_asynchronous()))
"""Compared here without the module types, which takes longer to import than all of ours."""


def main() -> None:
    """Run the function of this process. Returns only by an exception."""
    _prepare()
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    marshaller = Marshaller()
    try:
        handler = loader.load(os.environ.get("_HANDLER", ""))
    except Exception as error:
        _report_failed_init(api, marshaller, error)
        sys.exit(1)
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        from . import snapshot

        api = snapshot.wait_to_be_copied(api, marshaller)
    while True:
        serve(api, marshaller, handler)


def _prepare() -> None:
    runtime_directory = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    loader.set_import_path(os.environ.get("LAMBDA_TASK_ROOT", "/var/task"), runtime_directory)
    bytecode.use()
    # A line leaves when it ends: in order with stderr, and never lost when the process is killed.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    logging_hook.set_up_when_imported()


def serve(api: RuntimeApi, marshaller: Marshaller, handler: Handler) -> None:
    """Wait for one event and answer it.

    Only Exception is the function's failure; SystemExit and the like end the process, and the
    platform reports that.
    """
    invocation = api.next()
    Current.request_id = invocation.headers["lambda-runtime-aws-request-id"]
    Current.tenant_id = invocation.header("lambda-runtime-aws-tenant-id")
    _set_variable("_X_AMZN_TRACE_ID", invocation.header("lambda-runtime-trace-id"))
    _set_variable("TRACEPARENT", invocation.header("traceparent"))
    _set_variable("TRACESTATE", invocation.header("tracestate"))
    try:
        context = context_of(invocation, marshaller)
        event = marshaller.event(invocation.body, invocation.header("content-type"))
        _answer(api, marshaller, invocation, handler(event, context))
    except Exception as error:
        _fail(api, marshaller, invocation, error)
    _flush()


def _answer(api: RuntimeApi, marshaller: Marshaller, invocation: Invocation, value: object) -> None:
    if type(value) in _GENERATORS:
        from . import stream

        stream.answer(api, marshaller, invocation, stream.iterator_of(value))
        return
    body, content_type = marshaller.result(value)
    api.respond(invocation, body, content_type)


def context_of(invocation: Invocation, marshaller: Marshaller) -> LambdaContext:
    """What the handler gets as its second argument."""
    client = _json_header(marshaller, invocation, "lambda-runtime-client-context", "Client Context")
    identity = _json_header(
        marshaller, invocation, "lambda-runtime-cognito-identity", "Cognito Identity"
    )
    fields = trace_fields(client, invocation.header("traceparent"), invocation.header("tracestate"))
    return LambdaContext(
        request_id=Current.request_id,
        deadline_ms=int(invocation.header("lambda-runtime-deadline-ms") or 0),
        invoked_function_arn=invocation.header("lambda-runtime-invoked-function-arn"),
        client_context=client,
        cognito_identity=identity,
        tenant_id=Current.tenant_id,
        trace_fields=fields,
    )


def _json_header(
    marshaller: Marshaller, invocation: Invocation, name: str, title: str
) -> dict[str, object] | None:
    text = invocation.header(name)
    if not text:
        return None
    try:
        value = marshaller.event(text.encode("utf-8"), "application/json")
    except Fault as error:
        why = error.message.partition(": ")[2]
        raise Fault(
            "Runtime.LambdaContextUnmarshalError", f"Unable to parse {title} JSON: {why}"
        ) from None
    return value if isinstance(value, dict) else None


def _fail(
    api: RuntimeApi, marshaller: Marshaller, invocation: Invocation, error: Exception
) -> None:
    from . import faults

    failure = faults.failure_of(error, Current.request_id)
    faults.log(failure, marshaller.error)
    body = marshaller.error(failure.payload).encode("utf-8", "backslashreplace")
    cause = faults.cause_header(failure, marshaller.header)
    api.fail(invocation, body, failure.error_type, cause)


def _report_failed_init(api: RuntimeApi, marshaller: Marshaller, error: Exception) -> None:
    import logging

    from . import faults

    failure = faults.failure_of(error, "")
    logging.warning(faults.UNHANDLED_AT_INIT)
    faults.log(failure, marshaller.error)
    _flush()
    body = marshaller.error(failure.payload).encode("utf-8", "backslashreplace")
    api.init_failed(body, failure.error_type)


def _set_variable(name: str, value: str | None) -> None:
    if value is not None:
        os.environ[name] = value
    else:
        os.environ.pop(name, None)


def _flush() -> None:
    """What was printed belongs to this event, line end or not."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # a function may put anything in place of its streams
            continue
