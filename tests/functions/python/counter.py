"""Counts its invocations in a global, which lives as long as the process."""

import os

_calls = 0


def handler(event, context):
    global _calls
    _calls += 1
    return {"calls": _calls, "pid": os.getpid()}
