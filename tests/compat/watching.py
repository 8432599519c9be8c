"""A boto3 client whose every answer is checked against the service model, and noted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.model import OperationModel

from tests.compat.contract import complaints
from tests.compat.outcomes import Outcomes

CALL_S = 60


@dataclass(slots=True)
class Watch:
    """What is noticed about the answers to one or several clients."""

    outcomes: Outcomes
    violations: list[str] = field(default_factory=list)
    status: int = 0
    """Of the newest answer."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None

    def notice(
        self, operation_model: OperationModel, response_dict: dict[str, Any], **_: object
    ) -> None:
        """botocore's before-parse hook."""
        body = response_dict["body"]
        self.status = response_dict["status_code"]
        self.headers = dict(response_dict["headers"])
        self.body = body if isinstance(body, bytes) else None
        found = complaints(operation_model, self.status, self.headers, self.body)
        self.violations += found
        kind = self.headers.get("x-amzn-ErrorType", "")
        if self.status < 300 and not found:
            self.outcomes.answered.add(operation_model.name)
        elif kind == "NotImplementedException":
            self.outcomes.refused.add(operation_model.name)


def watched_client(environment: Mapping[str, str], watch: Watch) -> Any:
    """A client for Lambda as `emberd env` sets it up; it tries once, and checks nothing itself."""
    client = client_for("lambda", environment, parameter_validation=False)
    client.meta.events.register("before-parse.lambda", watch.notice)
    return client


def client_for(
    service: str, environment: Mapping[str, str], *, parameter_validation: bool = True
) -> Any:
    """A boto3 client of a service that emberd has, from the variables that it exports."""
    session = boto3.session.Session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
    )
    return session.client(
        service,
        endpoint_url=endpoint_of(service, environment),
        config=Config(
            retries={"total_max_attempts": 1},
            read_timeout=CALL_S,
            parameter_validation=parameter_validation,
        ),
    )


def endpoint_of(service: str, environment: Mapping[str, str]) -> str:
    """Where a service is; one that has no variable of its own is where Lambda is."""
    own = environment.get(f"AWS_ENDPOINT_URL_{service.upper()}")
    return own or environment["AWS_ENDPOINT_URL_LAMBDA"]


def refusal(call: Any, **arguments: object) -> tuple[str, int, str]:
    """Make a call that must fail; return the error's name, its status and its message."""
    try:
        answer = call(**arguments)
    except ClientError as error:
        response = error.response
        message = response["Error"].get("Message") or response.get("message", "")
        return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], message
    raise AssertionError(f"it succeeded: {answer}")
