"""Roles with the policies of their own and those attached to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from controlplane.api.aws.iam.pages import document_text, page, tags_input, tags_output
from controlplane.api.aws.operation import Call, Handler, Output
from controlplane.api.aws.services import Services
from controlplane.identity.names import no_such
from controlplane.identity.roles import SESSION_S, Role
from emberd.wire.errors import InvalidArgumentError

if TYPE_CHECKING:
    from types_boto3_iam import type_defs as iam


async def create_role(
    services: Services, call: Call, request: iam.CreateRoleRequestTypeDef
) -> Output:
    """Make a role."""
    if request.get("PermissionsBoundary"):
        raise InvalidArgumentError(
            "Permissions boundaries are not supported: leave out PermissionsBoundary, and give "
            "the role the narrower policies themselves",
            reason="INVALID_PARAMETER_VALUE",
        )
    role = await services.identity.roles.create(
        request["RoleName"],
        request["AssumeRolePolicyDocument"],
        path=request.get("Path", "/"),
        description=request.get("Description", ""),
        max_session_s=request.get("MaxSessionDuration", SESSION_S),
        tags=tags_input(request.get("Tags", [])),
    )
    return {"Role": role_output(role)}


async def get_role(services: Services, call: Call, request: iam.GetRoleRequestTypeDef) -> Output:
    """One role."""
    return {"Role": role_output(services.identity.roles.get(request["RoleName"]))}


async def list_roles(
    services: Services, call: Call, request: iam.ListRolesRequestTypeDef
) -> Output:
    """One page of the roles."""
    roles = services.identity.roles.list(request.get("PathPrefix", "/"))
    return page("Roles", [role_output(each) for each in roles], request)


async def delete_role(
    services: Services, call: Call, request: iam.DeleteRoleRequestTypeDef
) -> Output:
    """Delete a role that has no policies any more."""
    await services.identity.roles.delete(request["RoleName"])
    return {}


async def update_role(
    services: Services, call: Call, request: iam.UpdateRoleRequestTypeDef
) -> Output:
    """Change what is given."""
    await services.identity.roles.update(
        request["RoleName"],
        description=request.get("Description"),
        max_session_s=request.get("MaxSessionDuration"),
    )
    return {}


async def update_role_description(
    services: Services, call: Call, request: iam.UpdateRoleDescriptionRequestTypeDef
) -> Output:
    """Change the description."""
    roles = services.identity.roles
    await roles.update(request["RoleName"], description=request["Description"])
    return {"Role": role_output(roles.get(request["RoleName"]))}


async def update_assume_role_policy(
    services: Services, call: Call, request: iam.UpdateAssumeRolePolicyRequestTypeDef
) -> Output:
    """Replace who may assume a role."""
    await services.identity.roles.set_trust(request["RoleName"], request["PolicyDocument"])
    return {}


async def put_role_policy(
    services: Services, call: Call, request: iam.PutRolePolicyRequestTypeDef
) -> Output:
    """Give a role a policy of its own."""
    await services.identity.roles.put_inline(
        request["RoleName"], request["PolicyName"], request["PolicyDocument"]
    )
    return {}


async def get_role_policy(
    services: Services, call: Call, request: iam.GetRolePolicyRequestTypeDef
) -> Output:
    """One policy of a role's own."""
    role, name = services.identity.roles.get(request["RoleName"]), request["PolicyName"]
    if name not in role.inline:
        raise no_such(f"The role policy with name {name} cannot be found.")
    return {
        "RoleName": role.name,
        "PolicyName": name,
        "PolicyDocument": document_text(role.inline[name]),
    }


async def delete_role_policy(
    services: Services, call: Call, request: iam.DeleteRolePolicyRequestTypeDef
) -> Output:
    """Take a policy of its own from a role."""
    await services.identity.roles.delete_inline(request["RoleName"], request["PolicyName"])
    return {}


async def list_role_policies(
    services: Services, call: Call, request: iam.ListRolePoliciesRequestTypeDef
) -> Output:
    """Names of the policies of a role's own."""
    role = services.identity.roles.get(request["RoleName"])
    return page("PolicyNames", sorted(role.inline), request)


async def attach_role_policy(
    services: Services, call: Call, request: iam.AttachRolePolicyRequestTypeDef
) -> Output:
    """Attach a managed policy."""
    await services.identity.roles.attach(request["RoleName"], request["PolicyArn"])
    return {}


async def detach_role_policy(
    services: Services, call: Call, request: iam.DetachRolePolicyRequestTypeDef
) -> Output:
    """Detach a managed policy."""
    await services.identity.roles.detach(request["RoleName"], request["PolicyArn"])
    return {}


async def list_attached_role_policies(
    services: Services, call: Call, request: iam.ListAttachedRolePoliciesRequestTypeDef
) -> Output:
    """The managed policies of a role."""
    role = services.identity.roles.get(request["RoleName"])
    attached = [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in role.attached]
    return page("AttachedPolicies", attached, request)


async def list_instance_profiles_for_role(
    services: Services, call: Call, request: iam.ListInstanceProfilesForRoleRequestTypeDef
) -> Output:
    """None: there are no instances."""
    services.identity.roles.get(request["RoleName"])
    return page("InstanceProfiles", list[Output](), request)


async def tag_role(services: Services, call: Call, request: iam.TagRoleRequestTypeDef) -> Output:
    """Set tags."""
    await services.identity.roles.tag(request["RoleName"], tags_input(request["Tags"]))
    return {}


async def untag_role(
    services: Services, call: Call, request: iam.UntagRoleRequestTypeDef
) -> Output:
    """Remove tags."""
    await services.identity.roles.untag(request["RoleName"], request["TagKeys"])
    return {}


async def list_role_tags(
    services: Services, call: Call, request: iam.ListRoleTagsRequestTypeDef
) -> Output:
    """A role's tags."""
    role = services.identity.roles.get(request["RoleName"])
    return page("Tags", tags_output(role.tags), request)


def role_output(role: Role) -> Output:
    """A role as the model's Role."""
    return {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.role_id,
        "Arn": role.arn,
        "CreateDate": role.created,
        "AssumeRolePolicyDocument": document_text(role.trust_policy),
        "Description": role.description or None,
        "MaxSessionDuration": role.max_session_s,
        "Tags": tags_output(role.tags) or None,
    }


OPERATIONS: Mapping[str, Handler] = {
    "AttachRolePolicy": attach_role_policy,
    "CreateRole": create_role,
    "DeleteRole": delete_role,
    "DeleteRolePolicy": delete_role_policy,
    "DetachRolePolicy": detach_role_policy,
    "GetRole": get_role,
    "GetRolePolicy": get_role_policy,
    "ListAttachedRolePolicies": list_attached_role_policies,
    "ListInstanceProfilesForRole": list_instance_profiles_for_role,
    "ListRolePolicies": list_role_policies,
    "ListRoleTags": list_role_tags,
    "ListRoles": list_roles,
    "PutRolePolicy": put_role_policy,
    "TagRole": tag_role,
    "UntagRole": untag_role,
    "UpdateAssumeRolePolicy": update_assume_role_policy,
    "UpdateRole": update_role,
    "UpdateRoleDescription": update_role_description,
}
