"""Fails in the ways a function can."""

import sys


class OutOfStock(Exception):
    """A function's own error."""


def raises(event, context):
    raise OutOfStock(event["item"])


def raises_deep(event, context):
    return _deeper(3)


def _deeper(levels):
    if levels == 0:
        raise ValueError("far down")
    return _deeper(levels - 1)


def leaves(event, context):
    sys.exit(event.get("status"))


def returns_a_set(event, context):
    return {1, 2}
