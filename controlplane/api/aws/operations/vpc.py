"""VpcConfig as a network of emberd: the subnet `subnet-NAME` is the network NAME.

The name is the whole of it: what a network lets through is said by the hosts that offer it, so
security groups are kept and shown, as Terraform expects, and change nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from controlplane.api.aws.operation import Output
from controlplane.model.configuration import Configuration
from controlplane.model.networks import EGRESS, offers
from emberd.wire.errors import InvalidArgumentError

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import VpcConfigTypeDef

_SUBNET = "subnet-"


def network_of(vpc: VpcConfigTypeDef) -> str:
    """The network that a VpcConfig names; one without subnets leads back to egress.

    Raises:
        InvalidArgumentError: it names several, or asks for what emberd does not do.
    """
    if vpc.get("Ipv6AllowedForDualStack"):
        raise _refused(
            "Ipv6AllowedForDualStack is not supported by emberd: a network reaches what its host "
            "says."
        )
    names = {_name(subnet) for subnet in vpc.get("SubnetIds", [])}
    if len(names) > 1:
        raise _refused(
            "The provided subnets belong to different networks. Please provide subnets of the same "
            "VPC."
        )
    return next(iter(names), EGRESS)


def check_vpc(vpc: VpcConfigTypeDef | None, offered: Collection[str]) -> None:
    """Refuse a subnet that is no host's network, and groups without a subnet, in EC2's words.

    Raises:
        InvalidArgumentError: names the first that does not exist.
    """
    if vpc is None:
        return
    subnets = vpc.get("SubnetIds", [])
    for subnet in subnets:
        name = _name(subnet)
        if name == EGRESS or not offers(offered, name):
            raise _refused(
                "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. "
                f"EC2 Error Message: The subnet ID '{subnet}' does not exist"
            )
    for group in vpc.get("SecurityGroupIds", []) if not subnets else []:
        raise _refused(
            "Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. "
            f"EC2 Error Message: The security group '{group}' does not exist"
        )


def vpc_output(configuration: Configuration) -> Output | None:
    """The VpcConfig of a function; one with egress has none."""
    if configuration.network == EGRESS:
        return None
    groups: Sequence[str] = configuration.security_groups
    return {
        "SubnetIds": [_SUBNET + configuration.network],
        "SecurityGroupIds": list(groups),
        "VpcId": f"vpc-{configuration.network}",
        "Ipv6AllowedForDualStack": False,
    }


def _name(subnet: str) -> str:
    return subnet.removeprefix(_SUBNET)


def _refused(message: str) -> InvalidArgumentError:
    return InvalidArgumentError(message, reason="INVALID_PARAMETER_VALUE")
