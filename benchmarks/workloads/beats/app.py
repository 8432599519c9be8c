"""Streams its deadline and then the time, every other millisecond, for as long as it lives."""

import time

from package_token import TOKEN


def handler(event, context):  # noqa: ANN001, ANN201
    """Nanoseconds since 1970, one a line."""
    yield f"{TOKEN}\n{time.time_ns() + context.get_remaining_time_in_millis() * 1_000_000}\n"
    while True:
        yield f"{time.time_ns()}\n"
        time.sleep(0.002)
