"""The services on the port, each with its protocol and its operations. Lambda comes first."""

from __future__ import annotations

from collections.abc import Sequence

from controlplane.api.aws import iam, logs, operations, sts
from controlplane.api.aws.application import Neighbour
from controlplane.api.aws.json11 import Json11
from controlplane.api.aws.query import Query
from controlplane.api.aws.restjson import RestJson


def neighbours() -> Sequence[Neighbour]:
    """Every service; what names none of them is for the first."""
    return [
        Neighbour(codec=RestJson("lambda"), operations=operations.OPERATIONS),
        Neighbour(codec=Query("iam"), operations=iam.OPERATIONS),
        Neighbour(codec=Query("sts"), operations=sts.OPERATIONS),
        Neighbour(codec=Json11("logs"), operations=logs.OPERATIONS),
    ]
