"""Answers in pieces."""

import time


def handler(event, context):
    """Say what the event has, one piece after the other; then end, hang, or fail."""
    if "head" in event:
        yield event["head"]
    yield from event.get("say", [])
    for _ in range(event.get("megabytes", 0)):
        yield b"x" * 1_000_000
    if event.get("then") == "hang":
        time.sleep(600)
    if event.get("then") == "raise":
        raise ValueError("after the first byte")
