"""SnapStart from publishing to the restored invocation, as a client and a host see it."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from controlplane.dispatch.ports import SnapshotReport, SnapshotResult
from controlplane.model.configuration import ConfigurationChange
from controlplane.scheduler import RefusalReason
from tests.fakes.archives import package
from tests.fakes.aws_system import ScriptedHost
from tests.integration.aws.thumb import BASIC

ON = {"ApplyOn": "PublishedVersions"}


def said(result, message="", error_type=""):
    return SnapshotReport(result=result, message=message, error_type=error_type)


@pytest.fixture
def thumb(aws, client):
    """A function with SnapStart, nothing published yet."""
    client.create_function(**BASIC, SnapStart=ON)
    settled(aws, client, "$LATEST")


def settled(aws, client, qualifier="1"):
    """The version, once it is not being prepared any more."""
    view = aws.registry.get("thumb", qualifier)
    aws.run(aws.registry.settled(view))
    return client.get_function_configuration(FunctionName="thumb", Qualifier=qualifier)


def asked(aws, times=1):
    """Wait until the host was asked for so many snapshots."""
    while len(aws.host.snapshots) < times:
        aws.run(_turn())


async def _turn():
    """One turn of the server's loop."""


def orders(aws):
    return [each.revision.version for each in aws.host.snapshots]


def refused(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response


def test_a_version_is_pending_until_a_host_has_run_its_init(aws, client, thumb):
    aws.host.snapshot_report = None
    made = client.publish_version(FunctionName="thumb")
    assert (made["State"], made["StateReasonCode"]) == ("Pending", "Creating")
    assert made["StateReason"] == "The function is being created."
    assert made["SnapStart"] == {**ON, "OptimizationStatus": "Off"}
    answer = refused(client.invoke, FunctionName="thumb", Qualifier="1")
    assert answer["Error"]["Code"] == "SnapStartNotReadyException"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 409
    asked(aws)
    aws.call(aws.host.report, aws.host.snapshots[0], said(SnapshotResult.READY))
    found = settled(aws, client)
    assert (found["State"], found["LastUpdateStatus"]) == ("Active", "Successful")
    assert "StateReason" not in found
    assert found["SnapStart"] == {**ON, "OptimizationStatus": "On"}
    latest = client.get_function_configuration(FunctionName="thumb")
    assert latest["SnapStart"] == {**ON, "OptimizationStatus": "Off"}
    assert orders(aws) == ["1"], "$LATEST is not copied from a snapshot"


def test_only_the_version_runs_with_a_snapshot(aws, client, thumb):
    client.publish_version(FunctionName="thumb")
    settled(aws, client)
    for qualifier in ("$LATEST", "1"):
        client.invoke(FunctionName="thumb", Qualifier=qualifier)
    assert [each.resolution.revision.snap_start for each in aws.host.seen] == [False, True]


def test_without_snap_start_nobody_makes_a_snapshot(aws, client):
    client.create_function(**BASIC, Publish=True)
    found = settled(aws, client)
    assert found["SnapStart"] == {"ApplyOn": "None", "OptimizationStatus": "Off"}
    assert aws.host.snapshots == []


@pytest.mark.parametrize(
    ("error_type", "message", "code", "reason"),
    [
        (
            "Runtime.ImportModuleError",
            '{"errorType":"Runtime.ImportModuleError","errorMessage":"No module named x"}',
            "FunctionError.RuntimeInitError",
            "The function's init failed: Runtime.ImportModuleError: No module named x",
        ),
        ("Sandbox.Timedout", "", "FunctionError.InitTimeout", None),
        ("Runtime.OutOfMemory", "", "FunctionError.InitResourceExhausted", None),
        ("Runtime.ExitError", "[1]", "FunctionError.RuntimeInitError", None),
        ("Runtime.Unknown", "[" * 60_000, "FunctionError.RuntimeInitError", None),
    ],
)
def test_a_version_whose_init_fails_has_failed(
    aws, client, thumb, error_type, message, code, reason
):
    aws.host.snapshot_report = said(SnapshotResult.INIT_FAILED, message, error_type)
    client.publish_version(FunctionName="thumb")
    found = settled(aws, client)
    assert (found["State"], found["StateReasonCode"]) == ("Failed", code)
    assert found["StateReason"] == (reason or f"The function's init failed: {error_type}")
    assert found["SnapStart"]["OptimizationStatus"] == "Off"
    answer = refused(client.invoke, FunctionName="thumb", Qualifier="1")
    assert answer["Error"]["Code"] == "ResourceConflictException"
    client.invoke(FunctionName="thumb")


def test_a_version_that_cannot_be_copied_runs_and_says_why(aws, client, thumb):
    aws.host.snapshot_report = said(SnapshotResult.REFUSED, "a thread is alive: MainThread-2")
    client.publish_version(FunctionName="thumb")
    found = settled(aws, client)
    assert found["StateReason"] == "a thread is alive: MainThread-2"
    assert found["SnapStart"] == {**ON, "OptimizationStatus": "Off"}
    assert client.invoke(FunctionName="thumb", Qualifier="1")["StatusCode"] == 200


def test_a_host_that_could_not_make_it_is_asked_again_later(aws, client, thumb, monkeypatch):
    monkeypatch.setattr("controlplane.registry.preparation.RETRY_S", 0.0)
    aws.host.snapshot_report = said(SnapshotResult.NOT_MADE, "no room")
    client.publish_version(FunctionName="thumb")
    asked(aws, 3)
    aws.host.snapshot_report = said(SnapshotResult.READY)
    assert settled(aws, client)["SnapStart"]["OptimizationStatus"] == "On"


def test_another_host_makes_it_where_the_first_has_no_room(aws, client, thumb):
    second = ScriptedHost(aws.dispatcher, host_id="second")
    aws.run(_attach(second))
    aws.host.snapshot_report = said(SnapshotResult.NOT_MADE, "no room")
    client.publish_version(FunctionName="thumb")
    assert settled(aws, client)["SnapStart"]["OptimizationStatus"] == "On"
    assert (len(aws.host.snapshots), len(second.snapshots)) == (1, 1)


async def _attach(host):
    host.attach()


def test_a_host_that_attaches_anew_is_asked_anew(aws, client, thumb):
    aws.host.snapshot_report = None
    client.publish_version(FunctionName="thumb")
    asked(aws)
    aws.host.snapshot_report = said(SnapshotResult.READY)

    async def again():
        aws.dispatcher.host_lost(aws.host)
        aws.host.attach()

    aws.run(again())
    assert settled(aws, client)["State"] == "Active"
    assert orders(aws) == ["1", "1"]


def test_nothing_waits_for_a_version_that_takes_its_time(aws, client, thumb):
    aws.host.snapshot_report = None
    client.publish_version(FunctionName="thumb")
    asked(aws)
    client.update_function_code(FunctionName="thumb", ZipFile=package(b"other = 1"))
    settled(aws, client, "$LATEST")
    aws.host.snapshot_report = said(SnapshotResult.READY)
    client.publish_version(FunctionName="thumb")
    assert settled(aws, client, "2")["State"] == "Active"
    first = client.get_function_configuration(FunctionName="thumb", Qualifier="1")
    assert first["State"] == "Pending"
    client.delete_function(FunctionName="thumb", Qualifier="1")
    assert (
        refused(client.get_function_configuration, FunctionName="thumb", Qualifier="1")["Error"][
            "Code"
        ]
        == "ResourceNotFoundException"
    )


def test_published_at_creation_the_version_waits_and_latest_does_not(aws, client):
    aws.host.snapshot_report = None
    client.create_function(**BASIC, SnapStart=ON, Publish=True)
    settled(aws, client, "$LATEST")
    found = client.get_function_configuration(FunctionName="thumb", Qualifier="1")
    assert found["State"] == "Pending"


@pytest.mark.parametrize(
    ("reason", "status", "code"),
    [
        (RefusalReason.RESTORE_FAILED, 400, "SnapStartException"),
        (RefusalReason.RESTORE_TIMED_OUT, 408, "SnapStartTimeoutException"),
    ],
)
def test_a_restore_that_fails_is_lambdas_exception_and_is_not_tried_elsewhere(
    aws, client, thumb, reason, status, code
):
    client.publish_version(FunctionName="thumb")
    settled(aws, client)

    def hand_back(placement):
        aws.call(
            aws.dispatcher.attempt_refused, aws.host, placement.request.request_id, reason, "why"
        )

    aws.host.answer = hand_back
    answer = refused(client.invoke, FunctionName="thumb", Qualifier="1")
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (status, code)
    assert len(aws.host.seen) == 1
    aws.host.answer = lambda placement: placement.request.payload
    assert client.invoke(FunctionName="thumb", Qualifier="1")["StatusCode"] == 200


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"Runtime": "nodejs22.x"},
            "nodejs22.x is not supported for SnapStart enabled functions.",
        ),
        (
            {"EphemeralStorage": {"Size": 513}},
            "Ephemeral storage of more than 512 MB is not supported for SnapStart enabled "
            "functions.",
        ),
    ],
)
def test_what_cannot_be_copied_is_refused(aws, client, change, message, monkeypatch):
    monkeypatch.setattr(aws.registry, "_runtimes", lambda: {"python3.12", "nodejs22.x"})
    answer = refused(client.create_function, **BASIC | change, SnapStart=ON)
    assert answer["Error"] == {"Code": "InvalidParameterValueException", "Message": message}
    client.create_function(**BASIC | change)
    settled(aws, client, "$LATEST")
    answer = refused(client.update_function_configuration, FunctionName="thumb", SnapStart=ON)
    assert answer["Error"]["Message"] == message


@pytest.mark.parametrize("qualifier", ["1", "live"])
def test_provisioned_concurrency_does_not_go_with_it(aws, client, thumb, qualifier):
    client.publish_version(FunctionName="thumb")
    settled(aws, client)
    client.create_alias(FunctionName="thumb", Name="live", FunctionVersion="1")
    answer = refused(
        client.put_provisioned_concurrency_config,
        FunctionName="thumb",
        Qualifier=qualifier,
        ProvisionedConcurrentExecutions=1,
    )
    assert answer["Error"] == {
        "Code": "InvalidParameterValueException",
        "Message": "Provisioned Concurrency is not supported for SnapStart enabled functions.",
    }


def every_version(aws):
    change = ConfigurationChange(snap_start_apply_on="EveryVersion")
    view = aws.run(aws.registry.update_configuration("thumb", change, revision_id=""))
    return aws.run(aws.registry.settled(view))


def test_emberds_own_option_takes_latest_too_and_lambdas_clients_read_it(aws, client, thumb):
    every_version(aws)
    found = client.get_function_configuration(FunctionName="thumb")
    assert found["SnapStart"] == {**ON, "OptimizationStatus": "On"}
    client.invoke(FunctionName="thumb")
    assert aws.host.seen[-1].resolution.revision.snap_start
    assert orders(aws) == ["$LATEST"]


def test_an_update_serves_the_old_code_until_the_new_is_ready_and_never_after(aws, client, thumb):
    every_version(aws)
    old = aws.host.snapshots[-1].revision
    aws.host.snapshot_report = None
    client.update_function_code(FunctionName="thumb", ZipFile=package(b"other = 1"))
    client.invoke(FunctionName="thumb")
    assert aws.host.seen[-1].resolution.revision == old
    asked(aws, 2)
    new = aws.host.snapshots[-1]
    aws.call(aws.host.report, new, said(SnapshotResult.READY))
    settled(aws, client, "$LATEST")
    client.invoke(FunctionName="thumb")
    assert aws.host.seen[-1].resolution.revision == new.revision


def test_a_latest_whose_init_fails_runs_as_ever_and_says_why(aws, client, thumb):
    message = json.dumps({"errorType": "ValueError", "errorMessage": "no"})
    aws.host.snapshot_report = said(SnapshotResult.INIT_FAILED, message, "ValueError")
    every_version(aws)
    found = client.get_function_configuration(FunctionName="thumb")
    assert (found["State"], found["LastUpdateStatus"]) == ("Active", "Successful")
    assert found["StateReason"] == "The function's init failed: ValueError: no"
    assert found["SnapStart"]["OptimizationStatus"] == "Off"
    assert client.invoke(FunctionName="thumb")["StatusCode"] == 200
