"""As hello, after imports that take long: AWS's SDK with a client, and what often comes with it."""

import asyncio  # noqa: F401
import csv  # noqa: F401
import decimal  # noqa: F401
import os
import urllib.request  # noqa: F401
import zoneinfo  # noqa: F401

import boto3
from package_token import TOKEN

ENVIRONMENT = os.urandom(16).hex()
QUEUE = boto3.client(
    "sqs", region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none"
)


def handler(event, context):  # noqa: ANN001, ANN201
    """Show which code ran, and whether this environment had run before."""
    return {"token": TOKEN, "environment": ENVIRONMENT}
