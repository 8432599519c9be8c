"""AWS's own SDK as a client of the emberd that `emberd env` described."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient


@contextmanager
def lambda_client(settings: Mapping[str, str]) -> Iterator[LambdaClient]:
    """boto3's client for Lambda with its defaults."""
    client = boto3.client(
        "lambda",
        endpoint_url=settings["AWS_ENDPOINT_URL_LAMBDA"],
        region_name=settings["AWS_REGION"],
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
    )
    try:
        yield client
    finally:
        client.close()
