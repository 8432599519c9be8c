"""Provisioned concurrency on real sandboxes: there before any event, and again after a loss."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.system import Emberd, eventually

PATIENCE_S = 30.0
CODE = """
import os

born = os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
calls = 0


def handler(event, context):
    global calls
    if event.get("exit"):
        os._exit(1)
    calls += 1
    return {"born": born, "calls": calls}
"""


@pytest.fixture(scope="module")
def ready(emberd: Emberd, module_folder: Path, client: Any) -> dict[str, str]:
    """A version with two environments that stand ready."""
    folder = module_folder / "code"
    folder.mkdir()
    (folder / "app.py").write_text(CODE)
    emberd.deploy(folder, "ready", handler="app.handler")
    version = client.publish_version(FunctionName="ready")["Version"]
    reference = {"FunctionName": "ready", "Qualifier": version}
    client.get_waiter("published_version_active").wait(**reference)
    client.put_provisioned_concurrency_config(**reference, ProvisionedConcurrentExecutions=2)
    wait_until_ready(client, reference)
    return reference


def wait_until_ready(client: Any, reference: dict[str, str]) -> None:
    def state() -> dict[str, Any]:
        found: dict[str, Any] = client.get_provisioned_concurrency_config(**reference)
        return found

    eventually(
        lambda: state()["AvailableProvisionedConcurrentExecutions"] == 2,
        PATIENCE_S,
        what=lambda: f"two environments: {state()}",
    )
    assert state()["Status"] == "READY"


def invoke(client: Any, reference: dict[str, str], **event: Any) -> dict[str, Any]:
    answer = client.invoke(**reference, Payload=json.dumps(event))
    found: dict[str, Any] = json.load(answer["Payload"])
    return found


def test_the_first_event_finds_an_environment_that_was_made_before_it(
    emberd: Emberd, client: Any, ready: dict[str, str]
) -> None:
    assert invoke(client, ready) == {"born": "provisioned-concurrency", "calls": 1}
    query = ("hosts", "--query", "sum(Hosts[].Idle)", "--output", "text")
    assert int(emberd.ok(*query)) >= 2


def test_an_environment_that_is_lost_is_made_anew(client: Any, ready: dict[str, str]) -> None:
    assert invoke(client, ready, exit=True)["errorType"] == "Runtime.ExitError"
    wait_until_ready(client, ready)
    assert invoke(client, ready)["born"] == "provisioned-concurrency"


def test_a_host_that_comes_back_makes_them_all_anew(
    emberd: Emberd, client: Any, ready: dict[str, str]
) -> None:
    os.kill(emberd.part("agent").pid, signal.SIGKILL)
    eventually(
        lambda: client.get_provisioned_concurrency_config(**ready)["Status"] != "READY", PATIENCE_S
    )
    wait_until_ready(client, ready)
    assert invoke(client, ready)["born"] == "provisioned-concurrency"
