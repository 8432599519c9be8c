"""Fails in the way that its event names."""

import os
import signal
import sys
import time


class OutOfStock(Exception):
    """An error of its own."""


def handler(event, context):
    match event["how"]:
        case "raise":
            raise OutOfStock("no more umbrellas")
        case "hang":
            time.sleep(600)
        case "spin":
            while True:
                pass
        case "eat memory":
            eaten = []
            while True:
                eaten.append(bytearray(8 << 20))
        case "exit":
            sys.exit(event["status"])
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "too much":
            return "x" * (7 << 20)
        case "no json":
            return {1, 2}
    return "well"
