"""Policies that roles share: AWS's own by their ARNs, and those that callers make.

Of a policy the newest version is kept, and is the default one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from controlplane.api.aws.iam.pages import document_text, page, tags_input, tags_output
from controlplane.api.aws.operation import Call, Handler, Output
from controlplane.api.aws.services import Services
from controlplane.identity.names import no_such
from controlplane.identity.policies import ManagedPolicy
from emberd.wire.errors import ConflictError

if TYPE_CHECKING:
    from types_boto3_iam import type_defs as iam


async def create_policy(
    services: Services, call: Call, request: iam.CreatePolicyRequestTypeDef
) -> Output:
    """Make a policy."""
    policy = await services.identity.roles.policies.create(
        request["PolicyName"],
        request["PolicyDocument"],
        path=request.get("Path", "/"),
        description=request.get("Description", ""),
        tags=tags_input(request.get("Tags", [])),
    )
    return {"Policy": _policy_output(services, policy)}


async def create_policy_version(
    services: Services, call: Call, request: iam.CreatePolicyVersionRequestTypeDef
) -> Output:
    """Replace a policy's document by a new version's."""
    policy = await services.identity.roles.policies.replace_document(
        request["PolicyArn"], request["PolicyDocument"]
    )
    return {"PolicyVersion": _version_output(policy)}


async def get_policy(
    services: Services, call: Call, request: iam.GetPolicyRequestTypeDef
) -> Output:
    """One policy, without its document."""
    policy = services.identity.roles.policies.get(request["PolicyArn"])
    return {"Policy": _policy_output(services, policy)}


async def get_policy_version(
    services: Services, call: Call, request: iam.GetPolicyVersionRequestTypeDef
) -> Output:
    """A policy's document."""
    policy = services.identity.roles.policies.get(request["PolicyArn"])
    version_id = request["VersionId"]
    if version_id != policy.version_id:
        raise no_such(f"Policy {policy.arn} version {version_id} does not exist.")
    return {"PolicyVersion": _version_output(policy)}


async def list_policy_versions(
    services: Services, call: Call, request: iam.ListPolicyVersionsRequestTypeDef
) -> Output:
    """The one version that is kept."""
    policy = services.identity.roles.policies.get(request["PolicyArn"])
    return page("Versions", [_version_output(policy)], request)


async def list_policies(
    services: Services, call: Call, request: iam.ListPoliciesRequestTypeDef
) -> Output:
    """The policies that callers made; AWS's own are not listed."""
    policies = services.identity.roles.policies.list()
    if request.get("Scope") == "AWS":
        policies = []
    return page("Policies", [_policy_output(services, each) for each in policies], request)


async def list_policy_tags(
    services: Services, call: Call, request: iam.ListPolicyTagsRequestTypeDef
) -> Output:
    """A policy's tags."""
    policy = services.identity.roles.policies.get(request["PolicyArn"])
    return page("Tags", tags_output(policy.tags), request)


async def delete_policy(
    services: Services, call: Call, request: iam.DeletePolicyRequestTypeDef
) -> Output:
    """Delete a policy that no role has any more."""
    roles = services.identity.roles
    if roles.attached_to(request["PolicyArn"]):
        raise ConflictError(
            "Cannot delete a policy attached to entities.", reason="DELETE_CONFLICT"
        )
    await roles.policies.delete(request["PolicyArn"])
    return {}


def _policy_output(services: Services, policy: ManagedPolicy) -> Output:
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.policy_id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": policy.version_id,
        "AttachmentCount": services.identity.roles.attached_to(policy.arn),
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
        "Description": policy.description or None,
        "CreateDate": policy.created,
        "UpdateDate": policy.updated,
        "Tags": tags_output(policy.tags) or None,
    }


def _version_output(policy: ManagedPolicy) -> Output:
    return {
        "Document": document_text(policy.document),
        "VersionId": policy.version_id,
        "IsDefaultVersion": True,
        "CreateDate": policy.updated,
    }


OPERATIONS: Mapping[str, Handler] = {
    "CreatePolicy": create_policy,
    "CreatePolicyVersion": create_policy_version,
    "DeletePolicy": delete_policy,
    "GetPolicy": get_policy,
    "GetPolicyVersion": get_policy_version,
    "ListPolicies": list_policies,
    "ListPolicyTags": list_policy_tags,
    "ListPolicyVersions": list_policy_versions,
}
