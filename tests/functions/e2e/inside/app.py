"""Tells what it sees, and beats until it is killed."""

import os
import time


def handler(event, context):
    match event["do"]:
        case "measure":
            found = os.statvfs("/tmp")
            return found.f_blocks * found.f_frsize >> 20
        case "mounts":
            return [line.split() for line in open("/proc/self/mountinfo").read().splitlines()]
        case "die":
            os.kill(os.getpid(), 9)
        case "beat":
            return beat(context)
    return None


def beat(context):
    yield f"{time.time_ns() + context.get_remaining_time_in_millis() * 1_000_000}\n"
    while True:
        yield f"{time.time_ns()}\n"
        time.sleep(0.002)
