"""Says what its sandbox is connected to, and tries to reach what the event names."""

import errno
import os
import socket

ANSWER_S = 2.0


def handler(event, context):
    reached = [reach(address, port) for address, port in (event or {}).get("reach", [])]
    return {
        "environment": os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
        "reached": reached,
    }


def reach(address, port):
    """How a connection ends: connected, or the name of the error."""
    try:
        with socket.create_connection((address, port), ANSWER_S):
            return "connected"
    except OSError as error:
        return errno.errorcode.get(error.errno, type(error).__name__)
