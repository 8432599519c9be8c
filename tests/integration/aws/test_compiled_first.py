"""Functions in WebAssembly are compiled before they are Active, as a client and a host see it."""

from __future__ import annotations

import pytest

from controlplane.dispatch.ports import SnapshotReport, SnapshotResult
from tests.integration.aws.thumb import BASIC

WASM = {**BASIC, "Runtime": "wasm", "Handler": "main.wasm"}


def said(result, message=""):
    return SnapshotReport(result=result, message=message, error_type="")


def settled(aws, client):
    """The function, once it is not being prepared any more."""
    aws.run(aws.registry.settled(aws.registry.get("thumb", "$LATEST")))
    return client.get_function_configuration(FunctionName="thumb")


async def _turn():
    """One turn of the server's loop."""


def asked(aws, times=1):
    """Wait until the host was asked so many times; the last order."""
    while len(aws.host.snapshots) < times:
        aws.run(_turn())
    return aws.host.snapshots[-1]


def test_a_module_is_pending_until_a_host_has_compiled_it(aws, client):
    aws.host.snapshot_report = None
    made = client.create_function(**WASM)
    assert (made["State"], made["Runtime"]) == ("Pending", "wasm")
    order = asked(aws)
    assert not order.revision.snap_start, "nothing of the function runs"
    aws.call(aws.host.report, order, said(SnapshotResult.READY))
    assert settled(aws, client)["State"] == "Active"
    assert client.invoke(FunctionName="thumb", Payload=b"{}")["StatusCode"] == 200


def test_an_update_is_compiled_while_the_function_is_active(aws, client):
    client.create_function(**WASM)
    settled(aws, client)
    aws.host.snapshot_report = None
    client.update_function_configuration(FunctionName="thumb", MemorySize=256)
    order = asked(aws, times=2)
    found = client.get_function_configuration(FunctionName="thumb")
    assert (found["State"], found["LastUpdateStatus"]) == ("Active", "InProgress")
    aws.call(aws.host.report, order, said(SnapshotResult.READY))
    assert settled(aws, client)["LastUpdateStatus"] == "Successful"


@pytest.mark.parametrize("result", [SnapshotResult.NOT_MADE, SnapshotResult.REFUSED])
def test_what_no_host_can_compile_is_active_all_the_same(aws, client, result):
    aws.host.snapshot_report = said(result, "no disk")
    client.create_function(**WASM)
    assert settled(aws, client)["State"] == "Active"
    assert len(aws.host.snapshots) == 1, "no host is asked again and again"


def test_what_is_not_compiled_first_asks_no_host(aws, client):
    client.create_function(**BASIC)
    assert settled(aws, client)["State"] == "Active"
    assert aws.host.snapshots == []
