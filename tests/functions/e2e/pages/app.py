"""A page that is written while it is read."""

import time


def handler(event, context):
    """Show what was asked; hang afterwards when that is what was asked."""
    yield {
        "statusCode": 206,
        "headers": {"Content-Type": "text/event-stream"},
        "cookies": ["a=b"],
    }
    method = event["requestContext"]["http"]["method"]
    yield f"{method} {event['rawPath']} {event['rawQueryString']}\n"
    if event["rawPath"] == "/hang":
        time.sleep(600)
