"""The two operations of STS that tools call: who am I, and let me act as that role."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from controlplane.api.aws.operation import Call, Handler, Output
from controlplane.api.aws.services import Services
from controlplane.identity.callers import session_principal
from controlplane.identity.roles import SESSION_S
from emberd.wire.errors import InvalidArgumentError

if TYPE_CHECKING:
    from types_boto3_sts.type_defs import AssumeRoleRequestTypeDef

NS_PER_S = 1_000_000_000


async def get_caller_identity(
    services: Services, call: Call, request: Mapping[str, object]
) -> Output:
    """Who signed this request."""
    principal = call.principal
    return {"UserId": principal.user_id, "Account": principal.account_id, "Arn": principal.arn}


async def assume_role(services: Services, call: Call, request: AssumeRoleRequestTypeDef) -> Output:
    """Temporary credentials of a role; its trust policy was asked before."""
    if request.get("Policy") or request.get("PolicyArns"):
        raise InvalidArgumentError(
            "Session policies are not supported: leave out Policy and PolicyArns, and give the "
            "role itself the policies that bound it",
            reason="INVALID_PARAMETER_VALUE",
        )
    identity = services.identity
    role = identity.roles.get(request["RoleArn"].rpartition("/")[2])
    lifetime_s = request.get("DurationSeconds", min(SESSION_S, role.max_session_s))
    if lifetime_s > role.max_session_s:
        raise InvalidArgumentError(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            reason="INVALID_PARAMETER_VALUE",
        )
    issued = identity.sessions.issue(
        role.arn, request["RoleSessionName"], call.arrival_ns / NS_PER_S, lifetime_s
    )
    session = identity.sessions.open(issued.access_key_id, issued.session_token)
    assumed = session_principal(session, issued.access_key_id, identity.roles)
    return {
        "Credentials": {
            "AccessKeyId": issued.access_key_id,
            "SecretAccessKey": issued.secret_access_key,
            "SessionToken": issued.session_token,
            "Expiration": datetime.fromtimestamp(session.expires_s, UTC),
        },
        "AssumedRoleUser": {"AssumedRoleId": assumed.user_id, "Arn": assumed.arn},
    }


OPERATIONS: Mapping[str, Handler] = {
    "AssumeRole": assume_role,
    "GetCallerIdentity": get_caller_identity,
}
