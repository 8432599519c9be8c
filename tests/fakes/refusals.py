"""What a boto3 client is told when a call is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


def refusal(call: Callable[..., Any], **parameters: Any) -> tuple[str, int, str]:
    """The code, status and message of the error that a call ends with."""
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    response = refused.value.response
    return (
        response["Error"]["Code"],
        response["ResponseMetadata"]["HTTPStatusCode"],
        # botocore reads one spelling and leaves the other beside the error.
        response["Error"].get("Message") or response.get("message", ""),
    )


def content(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what the client adds."""
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}
