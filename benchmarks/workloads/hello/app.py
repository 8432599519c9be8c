"""Answers with the token of its package and an id that each environment makes once."""

import os

from package_token import TOKEN

ENVIRONMENT = os.urandom(16).hex()


def handler(event, context):  # noqa: ANN001, ANN201
    """Show which code ran, and whether this environment had run before."""
    return {"token": TOKEN, "environment": ENVIRONMENT}
