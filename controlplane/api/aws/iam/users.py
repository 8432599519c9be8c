"""Who has a key here. Keys are made by `emberd keys`, not over this API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from controlplane.api.aws.operation import Call, Handler, Output
from controlplane.api.aws.services import Services
from controlplane.identity.names import no_such
from controlplane.identity.policies import BEGINNING
from controlplane.model.principal import PrincipalKind

if TYPE_CHECKING:
    from types_boto3_iam import type_defs as iam


async def get_user(services: Services, call: Call, request: iam.GetUserRequestTypeDef) -> Output:
    """A user, or without a name whoever asks."""
    name = request.get("UserName", "")
    principal = call.principal
    if not name and principal.kind is PrincipalKind.ROOT:
        return {
            "User": {"UserId": principal.user_id, "Arn": principal.arn, "CreateDate": BEGINNING}
        }
    if not name and principal.kind is PrincipalKind.USER:
        name = principal.arn.rpartition("/")[2]
    key = next((each for each in services.identity.keys.list() if each.user_name == name), None)
    if key is None or not name:
        raise no_such(f"The user with name {name} cannot be found.")
    return {
        "User": {
            "Path": "/",
            "UserName": name,
            "UserId": "AIDA" + key.access_key_id[4:],
            "Arn": f"arn:aws:iam::{services.arns.account_id}:user/{name}",
            "CreateDate": key.created,
        }
    }


OPERATIONS: Mapping[str, Handler] = {"GetUser": get_user}
