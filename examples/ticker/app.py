"""Ticks once a second, and the caller hears every tick when it happens."""

import time


def handler(event, context):
    ticks = int(event.get("ticks", 3)) if isinstance(event, dict) else 3
    for number in range(1, ticks + 1):
        yield f"tick {number}\n"
        time.sleep(1)
    yield "done\n"
