"""Takes as long as its event says, and tells which environment ran it."""

import os
import time

from package_token import TOKEN

ENVIRONMENT = os.urandom(16).hex()


def handler(event, context):  # noqa: ANN001, ANN201
    """Be busy without using anything."""
    time.sleep(event["seconds"])
    return {"token": TOKEN, "environment": ENVIRONMENT}
