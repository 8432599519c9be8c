"""The calls that Terraform's AWS provider was recorded to make, in its order, signed by hand.

This runs where Terraform itself is missing, too. After each step everything is read back as the
provider reads it, and must equal what was sent, member by member: that is what makes the next plan
empty. The URLs are written out as the provider sends them, encoded ARNs included.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.compat.functions import PYTHON, ROLE, package
from tests.compat.test_functions import arn_of
from tests.compat.test_layers import layer

NAME = "replayed"
FUNCTION = f"/2015-03-31/functions/{NAME}"
URL = f"/2021-10-31/functions/{NAME}/url"
RETRIES = f"/2019-09-25/functions/{NAME}/event-invoke-config"
SIGNING = f"/2020-06-30/functions/{NAME}/code-signing-config"


@dataclass(frozen=True, slots=True)
class Raw:
    """Signs and sends one request, and knows nothing of Lambda."""

    environment: dict[str, str]

    def __call__(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        endpoint = self.environment["AWS_ENDPOINT_URL_LAMBDA"]
        content = b"" if body is None else json.dumps(body).encode()
        request = AWSRequest(method, endpoint + path, data=content, headers={"Host": self.host})
        keys = Credentials(
            self.environment["AWS_ACCESS_KEY_ID"], self.environment["AWS_SECRET_ACCESS_KEY"]
        )
        SigV4Auth(keys, "lambda", self.environment["AWS_REGION"]).add_auth(request)
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.request(method, path, content, dict(request.headers))
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        return answer.status, json.loads(text) if text else None

    @property
    def host(self) -> str:
        """Where Lambda's API is."""
        return urlsplit(self.environment["AWS_ENDPOINT_URL_LAMBDA"]).netloc

    def settled(self) -> Any:
        """Ask for the function until nothing is in progress, as the provider does."""
        until = time.monotonic() + 30
        while True:
            status, got = self("GET", FUNCTION)
            assert status == 200
            configuration = got["Configuration"]
            if (configuration["State"], configuration.get("LastUpdateStatus")) == (
                "Active",
                "Successful",
            ):
                return got
            assert time.monotonic() < until, configuration


def has(sent: dict[str, Any], read: dict[str, Any]) -> None:
    """Everything that was sent is read back as it was sent."""
    assert {key: read.get(key) for key in sent} == sent


@pytest.fixture
def raw(environment: dict[str, str]) -> Callable[..., tuple[int, Any]]:
    """Sends a signed request; returns status and document."""
    return Raw(environment)


CONFIGURATION = {
    "Description": "by hand",
    "Environment": {"Variables": {"STAGE": "test"}},
    "EphemeralStorage": {"Size": 512},
    "Handler": "app.handler",
    "MemorySize": 128,
    "Role": ROLE,
    "Runtime": PYTHON,
    "Timeout": 10,
    "TracingConfig": {"Mode": "PassThrough"},
}


def created(raw: Raw, layer_arn: str) -> None:
    """`aws_lambda_function`, as it is created and read."""
    archive = package()
    status, answer = raw(
        "POST",
        "/2015-03-31/functions",
        {
            **CONFIGURATION,
            "FunctionName": NAME,
            "Architectures": ["x86_64"],
            "Code": {"ZipFile": base64.b64encode(archive).decode()},
            "Layers": [layer_arn],
            "PackageType": "Zip",
            "Publish": True,
            "Tags": {"team": "compat"},
        },
    )
    assert (status, answer["State"]) == (201, "Pending")
    got = raw.settled()
    has(CONFIGURATION, got["Configuration"])
    assert got["Configuration"]["Layers"][0]["Arn"] == layer_arn
    assert got["Configuration"]["CodeSha256"] == (
        base64.b64encode(hashlib.sha256(archive).digest()).decode()
    )
    assert got["Tags"] == {"team": "compat"}
    status, versions = raw("GET", f"{FUNCTION}/versions?MaxItems=10000")
    assert (status, [each["Version"] for each in versions["Versions"]]) == (200, ["$LATEST", "1"])
    status, signing = raw("GET", SIGNING)
    assert (status, signing) == (200, {})  # a 404 broke the provider once


def updated(raw: Raw) -> None:
    """A changed configuration and changed code, published."""
    changed = {**CONFIGURATION, "MemorySize": 256, "Description": "changed"}
    status, _ = raw("PUT", f"{FUNCTION}/configuration", changed)
    assert status == 200
    has(changed, raw.settled()["Configuration"])
    archive = package("def handler(event, context):\n    return 2\n")
    code = {"ZipFile": base64.b64encode(archive).decode(), "Architectures": ["x86_64"]}
    status, _ = raw("PUT", f"{FUNCTION}/code", code)
    assert status == 200
    raw.settled()
    status, version = raw("POST", f"{FUNCTION}/versions", {})
    assert (status, version["Version"]) == (201, "2")
    encoded = quote(f"{arn_of(NAME)}:2", safe="")
    status, read = raw("GET", f"/2015-03-31/functions/{encoded}/configuration")
    assert (status, read["Version"], read["MemorySize"]) == (200, "2", 256)


def snap_started(raw: Raw) -> None:
    """`snap_start { apply_on = "PublishedVersions" }`, set, published and taken away."""
    for apply_on in ("PublishedVersions", "None"):
        changed = {**CONFIGURATION, "SnapStart": {"ApplyOn": apply_on}}
        assert raw("PUT", f"{FUNCTION}/configuration", changed)[0] == 200
        # The provider keeps optimization_status too, which it only reads.
        has(
            {**CONFIGURATION, "SnapStart": {"ApplyOn": apply_on, "OptimizationStatus": "Off"}},
            raw.settled()["Configuration"],
        )
        status, version = raw("POST", f"{FUNCTION}/versions", {})
        assert (status, version["SnapStart"]["ApplyOn"]) == (201, apply_on)


def aliased(raw: Raw) -> None:
    """`aws_lambda_alias`, made and moved."""
    sent = {"Name": "live", "FunctionVersion": "1", "Description": ""}
    assert raw("POST", f"{FUNCTION}/aliases", sent)[0] == 201
    has(sent, raw("GET", f"{FUNCTION}/aliases/live")[1])
    moved = {"FunctionVersion": "2", "Description": "", "RoutingConfig": {}}
    assert raw("PUT", f"{FUNCTION}/aliases/live", moved)[0] == 200
    read = raw("GET", f"{FUNCTION}/aliases/live")[1]
    assert (read["FunctionVersion"], read.get("RoutingConfig")) == ("2", None)


def addressed(raw: Raw) -> None:
    """`aws_lambda_function_url`, `aws_lambda_permission`, the event-invoke configuration."""
    sent = {"AuthType": "NONE", "InvokeMode": "BUFFERED", "Cors": {"AllowOrigins": ["*"]}}
    assert raw("POST", f"{URL}?Qualifier=live", sent)[0] == 201
    has(sent, raw("GET", f"{URL}?Qualifier=live")[1])
    statement = {
        "StatementId": "everyone",
        "Action": "lambda:InvokeFunctionUrl",
        "Principal": "*",
        "FunctionUrlAuthType": "NONE",
    }
    assert raw("POST", f"{FUNCTION}/policy?Qualifier=live", statement)[0] == 201
    policy = json.loads(raw("GET", f"{FUNCTION}/policy?Qualifier=live")[1]["Policy"])
    (read,) = policy["Statement"]
    assert (read["Sid"], read["Action"], read["Principal"]) == (
        "everyone",
        "lambda:InvokeFunctionUrl",
        "*",
    )
    retries = {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
    assert raw("PUT", RETRIES, retries)[0] == 200
    has(retries, raw("GET", RETRIES)[1])


def destroyed(raw: Raw) -> None:
    """Everything that hangs on a function, then itself."""
    assert raw("DELETE", RETRIES)[0] == 204
    assert raw("GET", RETRIES)[0] == 404
    assert raw("DELETE", f"{FUNCTION}/policy/everyone?Qualifier=live")[0] == 204
    assert raw("GET", f"{FUNCTION}/policy?Qualifier=live")[0] == 404
    assert raw("DELETE", f"{URL}?Qualifier=live")[0] == 204
    assert raw("GET", f"{URL}?Qualifier=live")[0] == 404
    assert raw("DELETE", f"{FUNCTION}/aliases/live")[0] == 204
    assert raw("GET", f"{FUNCTION}/aliases/live")[0] == 404
    assert raw("DELETE", FUNCTION)[0] in (200, 204)
    assert raw("GET", FUNCTION)[0] == 404


@pytest.mark.shows("Clients", "the recorded calls of Terraform's provider, read back as sent")
def test_what_terraform_reads_back_is_what_it_sent(raw: Raw) -> None:
    content = {"ZipFile": base64.b64encode(layer("replayed")).decode()}
    layers = f"/2018-10-31/layers/{NAME}/versions"
    sent = {"Content": content, "CompatibleRuntimes": [PYTHON], "LicenseInfo": "MIT"}
    status, made = raw("POST", layers, sent)
    assert status == 201
    version = f"{layers}/{made['Version']}"
    has({"CompatibleRuntimes": [PYTHON], "LicenseInfo": "MIT"}, raw("GET", version)[1])
    created(raw, made["LayerVersionArn"])
    aliased_first = raw("GET", f"{FUNCTION}/aliases/live")
    assert aliased_first[0] == 404
    updated(raw)
    snap_started(raw)
    aliased(raw)
    addressed(raw)
    destroyed(raw)
    assert raw("DELETE", version)[0] == 204
    assert raw("GET", version)[0] == 404
