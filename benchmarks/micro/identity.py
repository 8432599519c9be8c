"""What do signature and policies cost an Invoke?

The request is signed by botocore as boto3 sends it, with a payload of 1 KB. root: the account's own
key, whom policies cannot limit. user: an access key whose policy has five statements. role: a
session of a role with that policy, its signing key known from a call before, as a function has it.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from benchmarks.figures import Result, Samples
from benchmarks.harness import Effort, timed
from controlplane.api.aws.authorisation import Authoriser
from controlplane.api.aws.operation import Call
from controlplane.identity.parts import Identity, open_identity
from controlplane.identity.request import SignedRequest
from controlplane.model.credentials import Credentials
from controlplane.model.ids import ArnScheme
from controlplane.storage.ports import Put, Record, Write

REGION, ACCOUNT_ID = "us-east-1", "000000000000"
ARNS = ArnScheme(region=REGION, account_id=ACCOUNT_ID)
HOST, PATH = "127.0.0.1:4600", "/2015-03-31/functions/hello/invocations"
ROOT_KEY = Credentials(access_key_id="AKIA" + "B" * 16, secret_access_key="measured")
PAYLOAD = b"x" * 1024
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["logs:Describe*", "logs:Get*"], "Resource": "*"},
            {"Effect": "Deny", "Action": "iam:*", "Resource": "*"},
            {"Effect": "Allow", "Action": "lambda:Get*", "Resource": "*"},
            {
                "Effect": "Deny",
                "Action": "lambda:*",
                "Resource": f"arn:aws:lambda:*:{ACCOUNT_ID}:function:secret-*",
            },
            {
                "Effect": "Allow",
                "Action": "lambda:InvokeFunction",
                "Resource": f"arn:aws:lambda:*:{ACCOUNT_ID}:function:*",
                "Condition": {"StringEquals": {"aws:PrincipalAccount": ACCOUNT_ID}},
            },
        ],
    }
)
TRUST = json.dumps(
    {
        "Statement": {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "lambda.amazonaws.com"},
        }
    }
)


def run(effort: Effort) -> Result:
    """Measure each kind of caller."""
    identity, callers = asyncio.run(_callers())
    authoriser = Authoriser(ARNS, _NoPolicies(), lambda _arn: None, identity.roles)
    samples = []
    for name, credentials in callers.items():
        call = _call(identity, authoriser, _signed(credentials))
        values = timed(call, warmup=effort.decisions // 10, samples=effort.decisions)
        samples.append(Samples(name=name, values_ns=values))
    return Result(
        name="identity",
        question="What do signature and policies cost an Invoke with 1 KB?",
        samples=tuple(samples),
    )


async def _callers() -> tuple[Identity, dict[str, Credentials]]:
    identity = await open_identity(
        _Nowhere(),
        ARNS,
        data_key=bytes(32),
        root_key=ROOT_KEY,
        random_bytes=os.urandom,
        clock=lambda: datetime.now(UTC),
    )
    role = await identity.roles.create("worker", TRUST, tags={})
    await identity.roles.put_inline("worker", "may", POLICY)
    return identity, {
        "root": ROOT_KEY,
        "user": await identity.keys.create(user_name="ci", policy=POLICY),
        "role": identity.sessions.issue(role.arn, "hello", time.time(), 3_600),
    }


def _signed(credentials: Credentials) -> SignedRequest:
    request = AWSRequest(
        method="POST", url=f"http://{HOST}{PATH}", data=PAYLOAD, headers={"X-Amz-Log-Type": "None"}
    )
    signer = BotocoreCredentials(
        credentials.access_key_id, credentials.secret_access_key, credentials.session_token or None
    )
    SigV4Auth(signer, "lambda", REGION).add_auth(request)
    others = {"Host": HOST, "User-Agent": "Boto3/1.44", "Content-Length": str(len(PAYLOAD))}
    return SignedRequest(
        method="POST",
        raw_path=PATH,
        raw_query="",
        headers=(*others.items(), *request.headers.items()),
        body=PAYLOAD,
        now_ns=time.time_ns(),
    )


def _call(identity: Identity, authoriser: Authoriser, request: SignedRequest) -> Callable[[], None]:
    def call() -> None:
        principal = identity.authenticator.authenticate(request, "lambda")
        made = Call(
            request_id="measured",
            principal=principal,
            endpoint=f"http://{HOST}",
            arrival_ns=request.now_ns,
        )
        authoriser(made, "lambda", "Invoke", {"FunctionName": "hello", "Payload": PAYLOAD})

    return call


class _NoPolicies:
    """Functions without resource policies, which most are."""

    def policy_of(self, function_name: str, qualifier: str) -> str | None:
        """None."""


class _Nowhere:
    """A store that keeps nothing: what is measured reads memory alone."""

    async def get(self, key: str) -> Record | None:
        """None."""

    async def list(self, prefix: str, *, after: str = "", limit: int) -> list[Record]:
        """Nothing."""
        return []

    async def commit(self, writes: list[Write]) -> int:
        """Pretend."""
        assert all(isinstance(each, Put) for each in writes)
        return 1

    async def newest(self) -> int:
        """Nothing happened."""
        return 0

    async def changes(self, after: int, *, limit: int) -> list[object]:
        """Nothing happened."""
        return []

    async def close(self) -> None:
        """There is nothing to close."""
