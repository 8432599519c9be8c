"""boto3: VpcConfig, whose subnets are emberd's networks."""

from __future__ import annotations

from typing import Any

import pytest

from tests.compat.functions import Workshop
from tests.compat.watching import refusal

ALONE = {"SubnetIds": ["subnet-none"], "SecurityGroupIds": ["sg-1"]}
SHOWN = {**ALONE, "VpcId": "vpc-none", "Ipv6AllowedForDualStack": False}

REACH = """
import errno, socket

def handler(event, context):
    try:
        socket.create_connection(("169.254.100.2", 53), 2).close()
        return "connected"
    except OSError as error:
        return errno.errorcode[error.errno]
"""


@pytest.mark.shows("Networks", "VpcConfig: kept, answered, replaced, taken away by empty lists")
def test_a_vpc_config_is_kept_and_taken_away(workshop: Workshop, name: str) -> None:
    client = workshop.client
    made = workshop.active(name, VpcConfig=ALONE)
    assert made["VpcConfig"] == SHOWN
    assert client.get_function_configuration(FunctionName=name)["VpcConfig"] == SHOWN
    client.update_function_configuration(FunctionName=name, Timeout=9)
    assert workshop.settle(name)["VpcConfig"] == SHOWN
    other = {**ALONE, "SecurityGroupIds": ["sg-2"]}
    client.update_function_configuration(FunctionName=name, VpcConfig=other)
    assert workshop.settle(name)["VpcConfig"]["SecurityGroupIds"] == ["sg-2"]
    nothing: dict[str, list[str]] = {"SubnetIds": [], "SecurityGroupIds": []}
    client.update_function_configuration(FunctionName=name, VpcConfig=nothing)
    assert "VpcConfig" not in workshop.settle(name)


@pytest.mark.shows("Networks", "a subnet that does not exist is refused in EC2's words")
def test_a_subnet_that_no_host_offers_is_refused(
    client: Any, workshop: Workshop, name: str
) -> None:
    workshop.active(name)
    assert refusal(
        client.update_function_configuration,
        FunctionName=name,
        VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
    ) == (
        "InvalidParameterValueException",
        400,
        "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 "
        "Error Message: The subnet ID 'subnet-1' does not exist",
    )


@pytest.mark.shows(
    "Networks", "a function in the subnet `subnet-none` reaches nothing, not even a resolver"
)
def test_a_function_without_network_reaches_nothing(workshop: Workshop, name: str) -> None:
    workshop.active(name, REACH, VpcConfig=ALONE)
    answer = workshop.client.invoke(FunctionName=name)
    assert answer["Payload"].read() == b'"ENETUNREACH"'
