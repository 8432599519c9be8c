"""Answers with its event, after the time that the event asks for."""

import time


def handler(event, context):
    if isinstance(event, dict) and "sleep_s" in event:
        time.sleep(event["sleep_s"])
    return event
