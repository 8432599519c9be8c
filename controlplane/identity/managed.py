"""AWS's managed policies that functions' roles use, as far as they mean something here.

A managed policy that is not in this list can be attached, because tools insist, and allows nothing.
The documents say what AWS's own ones say about the services that emberd answers for; statements
about others are left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

MANAGED_PREFIX = "arn:aws:iam::aws:policy/"

WRITE_LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
_READ_LOGS = ("logs:Describe*", "logs:Get*", "logs:List*", "logs:FilterLogEvents")


def _allow(*actions: str, resource: str | Sequence[str] = "*") -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


_SQS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
_KINESIS = (
    *("kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords"),
    *("kinesis:GetShardIterator", "kinesis:ListShards", "kinesis:ListStreams"),
    "kinesis:SubscribeToShard",
)
_DYNAMODB = (
    *("dynamodb:DescribeStream", "dynamodb:GetRecords"),
    *("dynamodb:GetShardIterator", "dynamodb:ListStreams"),
)

DOCUMENTS: Mapping[str, str] = {
    "AdministratorAccess": _allow("*"),
    "AWSLambda_FullAccess": _allow("lambda:*", *_READ_LOGS, "iam:GetRole", "iam:ListRoles"),
    "AWSLambda_ReadOnlyAccess": _allow("lambda:Get*", "lambda:List*", *_READ_LOGS),
    "AWSLambdaExecute": _allow("logs:*", resource="arn:aws:logs:*:*:*"),
    "CloudWatchLogsFullAccess": _allow("logs:*"),
    "CloudWatchLogsReadOnlyAccess": _allow(*_READ_LOGS),
    "ReadOnlyAccess": _allow("lambda:Get*", "lambda:List*", "iam:Get*", "iam:List*", *_READ_LOGS),
    "service-role/AWSLambdaBasicExecutionRole": _allow(*WRITE_LOGS),
    "service-role/AWSLambdaDynamoDBExecutionRole": _allow(*_DYNAMODB, *WRITE_LOGS),
    "service-role/AWSLambdaKinesisExecutionRole": _allow(*_KINESIS, *WRITE_LOGS),
    "service-role/AWSLambdaRole": _allow("lambda:InvokeFunction"),
    "service-role/AWSLambdaSQSQueueExecutionRole": _allow(*_SQS, *WRITE_LOGS),
    "service-role/AWSLambdaVPCAccessExecutionRole": _allow(*WRITE_LOGS),
}
"""By path and name."""

NOTHING = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "NotAction": "*", "Resource": "*"}],
    }
)
"""Allows nothing and denies nothing: there is no action that is not any action."""


def managed_document(arn: str) -> str:
    """The document of a managed policy, known or not."""
    return DOCUMENTS.get(arn.removeprefix(MANAGED_PREFIX), NOTHING)
