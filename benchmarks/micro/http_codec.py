"""What does Lambda's HTTP API cost an invocation before and after anything runs?

invoke: route, parse, validate and serialise one Invoke as boto3 sends it; no sockets, no signature.
create: the same of a CreateFunction with a package of 1 KB, the widest input there is.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping

from multidict import CIMultiDict

from benchmarks.figures import Result, Samples
from benchmarks.harness import BenchmarkError, Effort, timed
from controlplane.api.aws.codec import Head
from controlplane.api.aws.doors import SignedRequest
from controlplane.api.aws.restjson import RestJson

ROLE = "arn:aws:iam::000000000000:role/emberd"
PACKAGE = base64.b64encode(bytes(1024)).decode()


def run(effort: Effort) -> Result:
    """Measure both."""
    codec = RestJson("lambda")
    return Result(
        name="http_codec",
        question="What does reading and writing one call of Lambda's HTTP API cost?",
        samples=tuple(
            Samples(
                name=name,
                values_ns=timed(call, warmup=effort.decisions // 10, samples=effort.decisions),
            )
            for name, call in (("invoke", _invoke(codec)), ("create", _create(codec)))
        ),
    )


def _invoke(codec: RestJson) -> Callable[[], None]:
    return _call(
        codec,
        "/2015-03-31/functions/thumb/invocations",
        "Qualifier=live",
        b'{"hello": "world", "numbers": [1, 2, 3]}',
        {"StatusCode": 200, "ExecutedVersion": "1", "Payload": b'{"answer": 42}'},
    )


def _create(codec: RestJson) -> Callable[[], None]:
    body = {
        "FunctionName": "thumb",
        "Runtime": "python3.12",
        "Role": ROLE,
        "Handler": "app.handler",
        "Code": {"ZipFile": PACKAGE},
        "Environment": {"Variables": {"KEY": "value"}},
    }
    output = {"FunctionName": "thumb", "Role": ROLE, "Timeout": 3, "Layers": []}
    return _call(codec, "/2015-03-31/functions", "", json.dumps(body).encode(), output)


def _call(
    codec: RestJson, path: str, query: str, body: bytes, output: Mapping[str, object]
) -> Callable[[], None]:
    headers = CIMultiDict(
        {
            "Host": "127.0.0.1:4600",
            "Accept-Encoding": "identity",
            "X-Amz-Log-Type": "None",
            "User-Agent": "Boto3/1.44",
            "X-Amz-Date": "20260101T000000Z",
            "Authorization": "AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...",
            "amz-sdk-request": "attempt=1",
            "Content-Length": str(len(body)),
        }
    )
    head = Head(method="POST", raw_path=path, raw_query=query, headers=headers)
    signed = SignedRequest(
        method="POST",
        raw_path=path,
        raw_query=query,
        headers=tuple(headers.items()),
        body=body,
        now_ns=0,
    )

    def call() -> None:
        operation, values = codec.begin(head).read(signed)
        answer = codec.write(operation, output, "a-request")
        if "FunctionName" not in values or not answer.body:
            raise BenchmarkError("a request was to be read and an answer written")

    return call
