"""The environment variables of a function, as Lambda sets them (lambda-behaviour 3.3). Pure."""

from __future__ import annotations

from sandbox.work import Revision

RUNTIME_API_ADDRESS = "169.254.100.1:9001"
"""Where Lambda's sandboxes reach the Runtime API; ours are made to look the same."""


def log_group(revision: Revision) -> str:
    """The function's log group."""
    return f"/aws/lambda/{revision.function_name}"


def log_stream(revision: Revision, day: str, sandbox_hex: str) -> str:
    """One sandbox's log stream: YYYY/MM/DD/[version]32 hexadecimal digits."""
    return f"{day}/[{revision.version}]{sandbox_hex}"


def variables(revision: Revision, stream: str) -> dict[str, str]:
    """What the runtime process sees beyond the runtime's own defaults.

    The user's variables come first, so that none of them can replace a reserved one.
    """
    return {
        **revision.environment,
        "AWS_LAMBDA_FUNCTION_NAME": revision.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": revision.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(revision.memory_size_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": log_group(revision),
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_LAMBDA_RUNTIME_API": RUNTIME_API_ADDRESS,
        "AWS_REGION": revision.region,
        "AWS_DEFAULT_REGION": revision.region,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1:2000",
        "_AWS_XRAY_DAEMON_ADDRESS": "169.254.100.1",
        "_AWS_XRAY_DAEMON_PORT": "2000",
        "_HANDLER": revision.handler,
    }
