"""boto3: SnapStart from publishing to an invocation of what was restored."""

from __future__ import annotations

import base64
import re

import pytest

from tests.compat.functions import Workshop
from tests.compat.watching import refusal

ON = {"ApplyOn": "PublishedVersions"}

THREADED = """
import threading

threading.Thread(target=threading.Event().wait, daemon=True).start()


def handler(event, context):
    return event
"""


@pytest.mark.shows("Functions", "SnapStart: a version is Pending until its snapshot is made")
def test_a_version_is_optimised_and_its_invocations_are_restored(
    workshop: Workshop, name: str
) -> None:
    client = workshop.client
    workshop.active(name, SnapStart=ON)
    made = client.publish_version(FunctionName=name)
    assert (made["Version"], made["State"], made["StateReasonCode"]) == ("1", "Pending", "Creating")
    reference = {"FunctionName": name, "Qualifier": "1"}
    client.get_waiter("published_version_active").wait(**reference)
    version = client.get_function_configuration(**reference)
    assert version["SnapStart"] == {**ON, "OptimizationStatus": "On"}
    latest = client.get_function_configuration(FunctionName=name)
    assert latest["SnapStart"] == {**ON, "OptimizationStatus": "Off"}
    answer = client.invoke(**reference, LogType="Tail", Payload=b"{}")
    log = base64.b64decode(answer["LogResult"]).decode()
    assert re.search(r"\tRestore Duration: [\d.]+ ms\tBilled Restore Duration: \d+ ms\t", log)
    assert "Init Duration" not in log


@pytest.mark.shows("Functions", "SnapStart: a version whose init fails is Failed")
def test_a_version_whose_init_fails_has_failed(workshop: Workshop, name: str) -> None:
    workshop.active(name, "import nothing_of_that_name", SnapStart=ON)
    workshop.client.publish_version(FunctionName=name)
    found = workshop.settled(name, "1")
    assert (found["State"], found["StateReasonCode"]) == (
        "Failed",
        "FunctionError.RuntimeInitError",
    )


@pytest.mark.shows("Functions", "SnapStart does not go with other runtimes, storage, concurrency")
def test_what_snap_start_does_not_go_with_is_refused(workshop: Workshop, name: str) -> None:
    client = workshop.client
    workshop.active(name, SnapStart=ON)
    code, status, message = refusal(
        client.update_function_configuration, FunctionName=name, EphemeralStorage={"Size": 1024}
    )
    assert (code, status) == ("InvalidParameterValueException", 400)
    assert message.endswith("is not supported for SnapStart enabled functions.")
    client.publish_version(FunctionName=name)
    reference = {"FunctionName": name, "Qualifier": "1"}
    client.get_waiter("published_version_active").wait(**reference)
    code, status, _ = refusal(
        client.put_provisioned_concurrency_config, **reference, ProvisionedConcurrentExecutions=1
    )
    assert (code, status) == ("InvalidParameterValueException", 400)


@pytest.mark.shows(
    "Functions",
    "SnapStart of what cannot be copied",
    differs="it is Active without a snapshot: OptimizationStatus says Off, StateReason why",
)
def test_a_version_that_cannot_be_copied_runs_without(workshop: Workshop, name: str) -> None:
    workshop.active(name, THREADED, SnapStart=ON)
    workshop.client.publish_version(FunctionName=name)
    found = workshop.settled(name, "1")
    assert (found["State"], found["SnapStart"]["OptimizationStatus"]) == ("Active", "Off")
    assert "thread" in found["StateReason"]
    assert workshop.client.invoke(FunctionName=name, Qualifier="1")["StatusCode"] == 200
