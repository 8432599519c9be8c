"""The environment variables of a function, as Lambda sets them (lambda-behaviour 3.3). Pure."""

from __future__ import annotations

from sandbox.work import Credentials, Revision

RUNTIME_API_ADDRESS = "169.254.100.1:9001"
"""Where Lambda's sandboxes reach the Runtime API; ours are made to look the same."""


CALLBACK_URL = "http://169.254.100.1:9002"
"""emberd's own API, as a function reaches it."""

SERVICES = ("LAMBDA", "SQS", "CLOUDWATCH_LOGS", "STS")
"""What AWS's SDKs find there, by their names for AWS_ENDPOINT_URL_*. The variable for all services
is left alone: it would swallow S3 and everything else that emberd is not."""

XRAY_HOST, XRAY_PORT = "169.254.100.1", 2000
TRACES_URL = "http://169.254.100.1:4318/v1/traces"
"""Where OpenTelemetry's SDKs send spans to, by HTTP."""

LOG_STREAM = "AWS_LAMBDA_LOG_STREAM_NAME"
"""The variable that names a sandbox's log stream."""

CREDENTIALS_LEFT_S = 15 * 60.0
"""What credentials must still be good for beyond the longest invocation, or the sandbox goes."""


def log_group(revision: Revision) -> str:
    """The function's log group."""
    return revision.log_group or f"/aws/lambda/{revision.function_name}"


def log_stream(revision: Revision, day: str, sandbox_hex: str) -> str:
    """One sandbox's log stream: YYYY/MM/DD/[version]32 hexadecimal digits."""
    return f"{day}/[{revision.version}]{sandbox_hex}"


def use_before_s(credentials: Credentials, timeout_s: float) -> float:
    """When a sandbox with these is used for the last time, in seconds since the epoch."""
    return credentials.expires_s - timeout_s - CREDENTIALS_LEFT_S


def variables(
    revision: Revision,
    stream: str,
    credentials: Credentials | None = None,
    *,
    provisioned: bool = False,
    snap_start: bool = False,
) -> dict[str, str]:
    """What the runtime process sees beyond the runtime's own defaults.

    The user's variables replace what is only preset; the reserved ones replace the user's. One
    that is provisioned is started before any event needs it; with snap_start it is a template, or
    copied from one.
    """
    return {
        **_preset(revision),
        **revision.environment,
        **_reserved(revision, stream),
        "AWS_LAMBDA_INITIALIZATION_TYPE": _kind(provisioned=provisioned, snap_start=snap_start),
        **_signing(credentials),
    }


def _preset(revision: Revision) -> dict[str, str]:
    return {
        **{f"AWS_ENDPOINT_URL_{each}": CALLBACK_URL for each in SERVICES},
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": f"{XRAY_HOST}:{XRAY_PORT}",
        "_AWS_XRAY_DAEMON_ADDRESS": XRAY_HOST,
        "_AWS_XRAY_DAEMON_PORT": str(XRAY_PORT),
        **_tracing(revision),
        **_logging(revision),
    }


def _tracing(revision: Revision) -> dict[str, str]:
    """What OpenTelemetry's SDKs go by, where the function does not say it itself."""
    if any(name.startswith("OTEL_EXPORTER_OTLP_") for name in revision.environment):
        return {}
    return {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": TRACES_URL,
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
    }


def _logging(revision: Revision) -> dict[str, str]:
    """What the runtime's logger goes by; a text log has no variables, as on Lambda."""
    if revision.log_format != "JSON":
        return {}
    level = {"AWS_LAMBDA_LOG_LEVEL": revision.log_level} if revision.log_level else {}
    return {"AWS_LAMBDA_LOG_FORMAT": revision.log_format, **level}


def _kind(*, provisioned: bool, snap_start: bool) -> str:
    if snap_start:
        return "snap-start"
    return "provisioned-concurrency" if provisioned else "on-demand"


def _reserved(revision: Revision, stream: str) -> dict[str, str]:
    return {
        "AWS_LAMBDA_FUNCTION_NAME": revision.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": revision.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(revision.memory_size_mb),
        "AWS_LAMBDA_LOG_GROUP_NAME": log_group(revision),
        LOG_STREAM: stream,
        "AWS_LAMBDA_RUNTIME_API": RUNTIME_API_ADDRESS,
        "AWS_REGION": revision.region,
        "AWS_DEFAULT_REGION": revision.region,
        "_HANDLER": revision.handler,
    }


def _signing(credentials: Credentials | None) -> dict[str, str]:
    if credentials is None:
        return {}
    return {
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_SESSION_TOKEN": credentials.session_token,
    }
