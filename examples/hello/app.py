"""Greets, and shows what a function is told about its own invocation."""

import logging
import os
import sys

logger = logging.getLogger()
logger.setLevel(logging.INFO)


def handler(event, context):
    name = event.get("name", "world") if isinstance(event, dict) else "world"
    logger.info("greeting %s", name)
    return {
        "message": f"Hello, {name}!",
        "event": event,
        "function": f"{context.function_name}:{context.function_version}",
        "request_id": context.aws_request_id,
        "memory_limit_mb": context.memory_limit_in_mb,
        "remaining_ms": context.get_remaining_time_in_millis(),
        "log_stream": context.log_stream_name,
        "region": os.environ["AWS_REGION"],
        "python": sys.version.split()[0],
    }
