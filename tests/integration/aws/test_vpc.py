"""VpcConfig names a network that hosts offer, as boto3 sets it and as a host is asked for it."""

from __future__ import annotations

import pytest

from tests.fakes.archives import package
from tests.fakes.aws_system import ROLE, RUNTIMES, ScriptedHost
from tests.fakes.refusals import refusal

NOT_FOUND = (
    "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error "
    "Message: The subnet ID '{}' does not exist"
)
DB = {"SubnetIds": ["subnet-db"], "SecurityGroupIds": ["sg-1", "sg-2"]}
SHOWN = DB | {"VpcId": "vpc-db", "Ipv6AllowedForDualStack": False}


@pytest.fixture(autouse=True)
def walled(aws):
    """A second host, which is the only one that offers the network db."""
    return attached(aws, "walled", "db")


def attached(aws, host_id, *networks):
    host = ScriptedHost(aws.dispatcher, host_id=host_id, networks=frozenset(networks))

    async def attach():
        host.attach()

    aws.run(attach())
    return host


def update(client, **vpc):
    return client.update_function_configuration(FunctionName="thumb", VpcConfig=vpc)


def refused(client, **vpc):
    update = client.update_function_configuration
    return refusal(update, FunctionName="thumb", VpcConfig=vpc)


def network_of(host):
    return [placement.resolution.revision.network for placement in host.seen]


def test_a_subnet_is_a_network_and_is_shown_as_it_was_given(client):
    made = client.create_function(
        FunctionName="thumb",
        Runtime=RUNTIMES[-1],
        Handler="app.handler",
        Role=ROLE,
        Code={"ZipFile": package()},
        VpcConfig=DB,
        Publish=True,
    )
    assert made["VpcConfig"] == SHOWN
    assert client.get_function_configuration(FunctionName="thumb")["VpcConfig"] == SHOWN
    assert client.get_function(FunctionName="thumb")["Configuration"]["VpcConfig"] == SHOWN
    assert client.list_functions()["Functions"][0]["VpcConfig"] == SHOWN
    client.get_waiter("function_active_v2").wait(FunctionName="thumb")
    update(client, SubnetIds=[], SecurityGroupIds=[])
    kept = client.get_function_configuration(FunctionName="thumb", Qualifier="1")
    assert kept["VpcConfig"] == SHOWN


def test_a_function_of_a_network_runs_where_that_is_offered(aws, client, walled):
    aws.create_function("thumb", network="db")
    aws.create_function("alone", network="none")
    for name in ("thumb", "thumb", "alone"):
        client.invoke(FunctionName=name)["Payload"].read()
    assert network_of(walled).count("db") == 2
    assert "db" not in network_of(aws.host)
    assert sorted(network_of(walled) + network_of(aws.host)) == ["db", "db", "none"]


def test_empty_lists_and_an_empty_vpc_lead_back_to_egress(aws, client):
    for back in ({"SubnetIds": [], "SecurityGroupIds": []}, {}):
        aws.create_function("thumb", network="db", security_groups=("sg-1",))
        assert "VpcConfig" not in update(client, **back)
        assert aws.registry.get("thumb", "").version.configuration.network == "egress"
        client.delete_function(FunctionName="thumb")


def test_another_change_leaves_the_vpc_alone(aws, client):
    aws.create_function("thumb", network="db", security_groups=("sg-1", "sg-2"))
    changed = client.update_function_configuration(FunctionName="thumb", Timeout=9)
    assert changed["VpcConfig"] == SHOWN


def test_the_subnet_none_is_no_network_at_all(aws, client):
    aws.create_function("thumb")
    shown = update(client, SubnetIds=["subnet-none"], SecurityGroupIds=["sg-1"])["VpcConfig"]
    assert (shown["SubnetIds"], shown["VpcId"]) == (["subnet-none"], "vpc-none")
    assert aws.registry.get("thumb", "").version.configuration.network == "none"


@pytest.mark.parametrize("subnet", ["subnet-cache", "subnet-egress", "subnet-"])
def test_a_subnet_that_no_host_offers_does_not_exist(aws, client, subnet):
    aws.create_function("thumb")
    assert refused(client, SubnetIds=["subnet-db", subnet], SecurityGroupIds=["sg-1"]) == (
        "InvalidParameterValueException",
        400,
        NOT_FOUND.format(subnet),
    )
    assert "VpcConfig" not in client.get_function_configuration(FunctionName="thumb")


@pytest.mark.parametrize(
    ("vpc", "words"),
    [
        ({"SubnetIds": ["subnet-db", "subnet-none"]}, "belong to different networks"),
        (DB | {"Ipv6AllowedForDualStack": True}, "Ipv6AllowedForDualStack is not supported"),
        ({"SecurityGroupIds": ["sg-1"]}, "The security group 'sg-1' does not exist"),
    ],
)
def test_what_no_network_can_do_is_refused(aws, client, vpc, words):
    aws.create_function("thumb")
    code, status, message = refused(client, **vpc)
    assert (code, status) == ("InvalidParameterValueException", 400)
    assert words in message


def test_a_function_whose_network_is_gone_fails_at_once_and_says_so(aws, client, walled):
    aws.create_function("thumb", network="db")
    aws.call(aws.dispatcher.host_lost, walled)
    code, status, message = refusal(client.invoke, FunctionName="thumb")
    assert (code, status) == ("InvalidSubnetIDException", 502)
    assert "no host that offers python3.12 has the network db" in message
    attached(aws, "again", "db")
    assert client.invoke(FunctionName="thumb", Payload=b"1")["Payload"].read() == b"1"


def test_provisioned_concurrency_goes_to_hosts_of_the_network(aws, client, walled):
    aws.create_function("thumb", network="db", publish=True)
    client.get_waiter("published_version_active").wait(FunctionName="thumb", Qualifier="1")
    wanted = {"FunctionName": "thumb", "Qualifier": "1"}
    client.put_provisioned_concurrency_config(**wanted, ProvisionedConcurrentExecutions=3)
    assert [each.wanted for each in walled.orders] == [3]
    assert aws.host.orders == []
    aws.call(aws.dispatcher.host_lost, walled)
    found = client.get_provisioned_concurrency_config(**wanted)
    assert found["Status"] == "FAILED"
    assert found["StatusReason"] == (
        "No host is attached that offers python3.12 in the network db."
    )
