"""Writes to its log in every way there is."""

import logging
import sys

logger = logging.getLogger("shop")


def prints(event, context):
    print("one")
    print("two", file=sys.stderr)
    print("three", "and", "four")
    sys.stdout.write("no line end")


def logs(event, context):
    logger.debug("a debug line")
    logger.info("an info line for %s", "Ada")
    logger.warning("a warning", extra={"order": 7})
    try:
        raise KeyError("gone")
    except KeyError:
        logger.exception("it went wrong")
