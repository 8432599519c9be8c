"""Provisioned concurrency from the wish to READY, as a client and a host see it."""

from __future__ import annotations

import pytest

from controlplane.dispatch.ports import ProvisionReport

STATE = (
    "Status",
    "AllocatedProvisionedConcurrentExecutions",
    "AvailableProvisionedConcurrentExecutions",
    "StatusReason",
)


@pytest.fixture(autouse=True)
def function(aws, client):
    aws.create_function("thumb", publish=True)
    client.get_waiter("published_version_active").wait(FunctionName="thumb", Qualifier="1")


def provide(client, number, qualifier="1"):
    client.put_provisioned_concurrency_config(
        FunctionName="thumb", Qualifier=qualifier, ProvisionedConcurrentExecutions=number
    )


def state(client, qualifier="1"):
    found = client.get_provisioned_concurrency_config(FunctionName="thumb", Qualifier=qualifier)
    return tuple(found.get(name) for name in STATE)


def report(aws, allocated, failure="", idle=0):
    """The host says how far it has come with its newest order."""
    revision_id = aws.host.orders[-1].revision.revision_id

    async def tell():
        made = ProvisionReport(allocated=allocated, failure=failure)
        aws.dispatcher.provisioned(aws.host, revision_id, made)
        aws.dispatcher.pool_changed(aws.host, revision_id, idle)

    aws.run(tell())


def orders(aws):
    return [(each.revision.version, each.wanted) for each in aws.host.orders]


def test_it_is_ready_once_the_host_has_so_many_and_not_before(aws, client):
    provide(client, 2)
    assert orders(aws) == [("1", 2)]
    assert state(client) == ("IN_PROGRESS", 0, 0, None)
    report(aws, 1, idle=1)
    assert state(client) == ("IN_PROGRESS", 1, 1, None)
    report(aws, 2, idle=1)
    assert state(client) == ("READY", 2, 1, None)


def test_an_init_that_fails_is_a_failure_until_it_does_not(aws, client):
    provide(client, 2)
    report(aws, 0, "FUNCTION_ERROR_INIT_FAILURE")
    assert state(client) == ("FAILED", 0, 0, "FUNCTION_ERROR_INIT_FAILURE")
    report(aws, 2, idle=2)
    assert state(client) == ("READY", 2, 2, None)


def test_a_changed_wish_is_a_new_order_and_its_end_is_one_too(aws, client):
    provide(client, 2)
    provide(client, 3)
    provide(client, 3)
    client.delete_provisioned_concurrency_config(FunctionName="thumb", Qualifier="1")
    assert orders(aws) == [("1", 2), ("1", 3), ("1", 0)]


def test_an_alias_takes_its_environments_along_to_another_version(aws, client):
    client.create_alias(FunctionName="thumb", Name="live", FunctionVersion="1")
    provide(client, 4, "live")
    report(aws, 4, idle=4)
    assert state(client, "live") == ("READY", 4, 4, None)
    client.update_function_configuration(FunctionName="thumb", Description="new")
    client.get_waiter("function_updated_v2").wait(FunctionName="thumb")
    client.publish_version(FunctionName="thumb")
    client.get_waiter("published_version_active").wait(FunctionName="thumb", Qualifier="2")
    client.update_alias(
        FunctionName="thumb", Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.25}}
    )
    assert sorted(orders(aws)[1:]) == [("1", 3), ("2", 1)]
    client.update_alias(
        FunctionName="thumb",
        Name="live",
        FunctionVersion="2",
        RoutingConfig={"AdditionalVersionWeights": {}},
    )
    assert sorted(orders(aws)[3:]) == [("1", 0), ("2", 4)]
    client.delete_alias(FunctionName="thumb", Name="live")
    assert orders(aws)[5:] == [("2", 0)]


def test_a_host_that_is_lost_takes_its_environments_along_and_is_asked_anew(aws, client):
    provide(client, 1)
    report(aws, 1, idle=1)

    async def lose():
        aws.dispatcher.host_lost(aws.host)

    async def attach():
        aws.host.attach()

    aws.run(lose())
    status, allocated, _, reason = state(client)
    assert (status, allocated) == ("FAILED", 0)
    assert reason == "No host is attached that offers python3.12."
    aws.run(attach())
    assert orders(aws) == [("1", 1), ("1", 1)]
    assert state(client) == ("IN_PROGRESS", 0, 0, None)


def test_a_deleted_function_wants_nothing(aws, client):
    provide(client, 1)
    client.delete_function(FunctionName="thumb")
    assert aws.registry.wanted() == []
