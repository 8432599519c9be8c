"""Resource policies: AddPermission, RemovePermission, GetPolicy, and whole documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from controlplane.api.aws.operation import Call, Handler, Output
from controlplane.api.aws.services import Services
from controlplane.registry.settings.permissions import Permission
from controlplane.registry.settings.policies import PolicyView

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import (
        AddPermissionRequestTypeDef,
        DeleteResourcePolicyRequestTypeDef,
        GetPolicyRequestTypeDef,
        GetResourcePolicyRequestTypeDef,
        PutResourcePolicyRequestTypeDef,
        RemovePermissionRequestTypeDef,
    )


async def add_permission(
    services: Services, call: Call, request: AddPermissionRequestTypeDef
) -> Output:
    """Allow somebody something."""
    permission = Permission(
        statement_id=request["StatementId"],
        action=request["Action"],
        principal=request["Principal"],
        source_arn=request.get("SourceArn", ""),
        source_account=request.get("SourceAccount", ""),
        event_source_token=request.get("EventSourceToken", ""),
        function_url_auth_type=request.get("FunctionUrlAuthType", ""),
        invoked_via_function_url=request.get("InvokedViaFunctionUrl"),
        principal_org_id=request.get("PrincipalOrgID", ""),
    )
    statement = await services.settings.policies.add_permission(
        request["FunctionName"],
        request.get("Qualifier", ""),
        permission,
        revision_id=request.get("RevisionId", ""),
    )
    return {"Statement": statement}


async def remove_permission(
    services: Services, call: Call, request: RemovePermissionRequestTypeDef
) -> Output:
    """Take a permission away."""
    await services.settings.policies.remove_permission(
        request["FunctionName"],
        request.get("Qualifier", ""),
        request["StatementId"],
        revision_id=request.get("RevisionId", ""),
    )
    return {}


async def get_policy(services: Services, call: Call, request: GetPolicyRequestTypeDef) -> Output:
    """The policy of a function, version or alias."""
    policies = services.settings.policies
    return _output(policies.get(request["FunctionName"], request.get("Qualifier", "")))


async def put_resource_policy(
    services: Services, call: Call, request: PutResourcePolicyRequestTypeDef
) -> Output:
    """Replace a whole policy."""
    view = await services.settings.policies.put(
        request["ResourceArn"], request["Policy"], revision_id=request.get("RevisionId", "")
    )
    return _output(view)


async def get_resource_policy(
    services: Services, call: Call, request: GetResourcePolicyRequestTypeDef
) -> Output:
    """The policy of a function, version or alias."""
    return _output(services.settings.policies.get(request["ResourceArn"], ""))


async def delete_resource_policy(
    services: Services, call: Call, request: DeleteResourcePolicyRequestTypeDef
) -> Output:
    """Take a whole policy away."""
    await services.settings.policies.delete(
        request["ResourceArn"], revision_id=request.get("RevisionId", "")
    )
    return {}


def _output(view: PolicyView) -> Output:
    return {"Policy": view.document, "RevisionId": view.lambda_revision_id}


OPERATIONS: Mapping[str, Handler] = {
    "AddPermission": add_permission,
    "DeleteResourcePolicy": delete_resource_policy,
    "GetPolicy": get_policy,
    "GetResourcePolicy": get_resource_policy,
    "PutResourcePolicy": put_resource_policy,
    "RemovePermission": remove_permission,
}
