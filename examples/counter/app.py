"""Counts its invocations: what is global outlives an invocation as long as its sandbox is kept."""

import uuid

SANDBOX = uuid.uuid4().hex[:8]  # made once per sandbox, in its init phase
count = 0


def handler(event, context):
    global count
    count += 1
    return {"sandbox": SANDBOX, "count": count}
