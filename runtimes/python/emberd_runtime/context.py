"""The context object that a handler gets, with Lambda's names."""

from __future__ import annotations

import os
import sys
import time


class Current:
    """Which event is in work: what a log line is marked with."""

    request_id = ""
    tenant_id: str | None = None


class _Shown:
    """A plain record that prints its fields."""

    __slots__: tuple[str, ...] = ()

    def __repr__(self) -> str:
        fields = ",".join(f"{name}={getattr(self, name, None)}" for name in self.__slots__)
        return f"{type(self).__name__}([{fields}])"

    def fill(self, values: dict[str, object]) -> None:
        """Take each field from a dict, None where it has none."""
        for name in self.__slots__:
            setattr(self, name, values.get(name))


class CognitoIdentity(_Shown):
    """Who called, when the caller came through Cognito."""

    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")


class Client(_Shown):
    """The mobile application that called."""

    __slots__ = (
        "app_package_name",
        "app_title",
        "app_version_code",
        "app_version_name",
        "installation_id",
    )


class ClientContext(_Shown):
    """What the caller sent along."""

    __slots__ = ("client", "custom", "env")

    custom: dict[str, object] | None
    env: dict[str, object] | None
    client: Client | dict[str, object] | None


class LambdaContext:
    """What a handler can know about its invocation."""

    def __init__(
        self,
        *,
        request_id: str,
        deadline_ms: int,
        invoked_function_arn: str | None,
        client_context: dict[str, object] | None,
        cognito_identity: dict[str, object] | None,
        tenant_id: str | None,
        trace_fields: dict[str, str],
    ) -> None:
        environ = os.environ
        self.aws_request_id = request_id
        self.log_group_name = environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = invoked_function_arn
        self.tenant_id = tenant_id
        self._trace_fields = trace_fields
        self.client_context = _client_context(client_context)
        self.identity = CognitoIdentity()
        identity = cognito_identity or {}
        self.identity.fill(
            {
                "cognito_identity_id": identity.get("cognitoIdentityId"),
                "cognito_identity_pool_id": identity.get("cognitoIdentityPoolId"),
            }
        )
        self._deadline_ms = deadline_ms

    def get_remaining_time_in_millis(self) -> int:
        """What is left until the time-out, never below zero."""
        return max(0, self._deadline_ms - int(time.time() * 1000))

    def w3c(self) -> dict[str, str]:
        """The trace context of the call: traceparent, tracestate, baggage as far as they came."""
        return dict(self._trace_fields)

    def log(self, message: object) -> None:
        """Write to the function's log as it is, with no line end of its own."""
        sys.stdout.write(str(message))

    def __repr__(self) -> str:
        names = (
            "aws_request_id",
            "log_group_name",
            "log_stream_name",
            "function_name",
            "memory_limit_in_mb",
            "function_version",
            "invoked_function_arn",
            "client_context",
            "identity",
            "tenant_id",
        )
        return f"LambdaContext([{','.join(f'{name}={getattr(self, name)}' for name in names)}])"


TRACE_FIELDS = ("traceparent", "tracestate", "baggage")


def trace_fields(
    client_context: dict[str, object] | None, traceparent: str | None, tracestate: str | None
) -> dict[str, str]:
    """Take the trace context out of a client context; a header of its own wins."""
    raw = client_context.pop("w3c", None) if isinstance(client_context, dict) else None
    fields = {}
    if isinstance(raw, dict):
        fields = {name: raw[name] for name in TRACE_FIELDS if isinstance(raw.get(name), str)}
    if traceparent:
        # A tracestate belongs to its traceparent, so one of another is none.
        fields.pop("tracestate", None)
        fields["traceparent"] = traceparent
        if tracestate:
            fields["tracestate"] = tracestate
    return fields


def _client_context(values: dict[str, object] | None) -> ClientContext | None:
    if values is None:
        return None
    context = ClientContext()
    context.fill(values)
    if isinstance(context.client, dict):
        client = Client()
        client.fill(context.client)
        context.client = client
    return context
