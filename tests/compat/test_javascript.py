"""The AWS SDK for JavaScript v3: another implementation of protocol, signature and event stream."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

from tests.compat.functions import PYTHON, ROLE, package
from tests.compat.test_functions import arn_of
from tests.compat.tools import JAVASCRIPT, node

NAME = "from-javascript"

SOURCE = """
def handler(event, context):
    if event.get("fail"):
        raise ValueError("as asked")
    if not event["chunks"]:
        yield event["say"]
    for number in range(event["chunks"]):
        yield f"{event['say']} {number};"
"""


@pytest.fixture(scope="module")
def seen(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the journey saw."""
    archive = tmp_path_factory.mktemp("javascript") / "function.zip"
    archive.write_bytes(package(SOURCE))
    done = subprocess.run(
        [node(), "journey.mjs", NAME, PYTHON, ROLE, archive],
        env={**os.environ, **environment},
        cwd=JAVASCRIPT,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.shows("Clients", "SDK for JavaScript: create, wait, invoke, publish, list, delete")
def test_the_sdk_creates_invokes_publishes_and_deletes(seen: Any) -> None:
    assert seen["created"] == {"state": "Pending", "arn": arn_of(NAME)}
    assert seen["invoked"]["status"] == 200
    assert seen["invoked"]["payload"] == "hello"
    assert seen["failed"] == {"error": "Unhandled", "type": "ValueError"}
    assert seen["versions"] == ["1", "$LATEST", "1"]


@pytest.mark.shows("Clients", "SDK for JavaScript: InvokeWithResponseStream")
def test_the_sdk_reads_a_streamed_answer(seen: Any) -> None:
    assert "".join(seen["streamed"]["chunks"]) == "part 0;part 1;part 2;part 3;"
    assert seen["streamed"]["complete"]


@pytest.mark.shows("Clients", "SDK for JavaScript: errors have their names")
def test_the_sdk_knows_errors_by_their_names(seen: Any) -> None:
    assert seen["gone"] == {
        "name": "ResourceNotFoundException",
        "message": f"Function not found: {arn_of(NAME)}",
        "status": 404,
    }
    assert seen["invalid"]["name"] == "ValidationException"
    assert seen["invalid"]["status"] == 400
    assert seen["stranger"] == {"name": "InvalidSignatureException", "status": 403}
