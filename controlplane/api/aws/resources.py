"""Which action on which resource an operation is, and what conditions may ask about it; pure.

An action is called like its operation, and its resource is what the operation names, but for the
exceptions below. Source: lambda-behaviour.md 6.1, and AWS's Service Authorization Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from controlplane.model.ids import ArnScheme, FunctionReference

Request: TypeAlias = Mapping[str, object]

ACTIONS = {
    "Invoke": "lambda:InvokeFunction",
    "InvokeAsync": "lambda:InvokeFunction",
    "InvokeWithResponseStream": "lambda:InvokeFunction",
    "GetLayerVersionByArn": "lambda:GetLayerVersion",
}
"""Those that are not called like their operation."""

OF_NO_RESOURCE = frozenset(
    {
        "CreateCodeSigningConfig",
        "CreateEventSourceMapping",
        "GetAccountSettings",
        "ListCodeSigningConfigs",
        "ListEventSourceMappings",
        "ListFunctions",
        "ListLayerVersions",
        "ListLayers",
    }
)
"""Those that a policy can only name with a star."""

_BY_ARN = ("Resource", "ResourceArn", "Arn", "CodeSigningConfigArn", "DurableExecutionArn")
"""Members that are the resource's ARN."""

_CONDITION_MEMBERS = {
    "AuthType": "lambda:functionurlauthtype",
    "CodeSigningConfigArn": "lambda:codesigningconfigarn",
    "FunctionUrlAuthType": "lambda:functionurlauthtype",
    "Principal": "lambda:principal",
}
"""Members whose value is that of a condition key."""


def action_of(service: str, operation: str) -> str:
    """The action that a policy has to allow."""
    if service == "lambda" and operation in ACTIONS:
        return ACTIONS[operation]
    return f"{service}:{operation}"


def function_of(arns: ArnScheme, request: Request) -> FunctionReference | None:
    """The function that a request of Lambda names, or None.

    Raises:
        EmberdError: it cannot be one of ours.
    """
    name = request.get("FunctionName")
    if not isinstance(name, str):
        return None
    return arns.parse(name, text_of(request, "Qualifier"))


def lambda_resource(
    arns: ArnScheme, operation: str, request: Request, function: FunctionReference | None
) -> str:
    """The ARN that an operation of Lambda is about; * where it is about none."""
    if operation in OF_NO_RESOURCE:
        return "*"
    if function is not None:
        return arns.function_arn(function.name, function.qualifier)
    for member in _BY_ARN:
        if text_of(request, member):
            return text_of(request, member)
    if text_of(request, "LayerName"):
        arn = layer_arn(arns, text_of(request, "LayerName"))
        number = request.get("VersionNumber")
        return arn if number is None else f"{arn}:{number}"
    if text_of(request, "UUID"):
        place = f"{arns.region}:{arns.account_id}"
        return f"arn:aws:lambda:{place}:event-source-mapping:{text_of(request, 'UUID')}"
    return "*"


def layer_arn(arns: ArnScheme, name_or_arn: str) -> str:
    """The ARN of a layer that was named by its name or its ARN."""
    if name_or_arn.startswith("arn:"):
        return name_or_arn
    return f"arn:aws:lambda:{arns.region}:{arns.account_id}:layer:{name_or_arn}"


def iam_resource(account_id: str, request: Request) -> str:
    """The ARN that an operation of IAM is about; * where it is about none."""
    path = text_of(request, "Path") or "/"
    if text_of(request, "RoleName"):
        return f"arn:aws:iam::{account_id}:role{path}{text_of(request, 'RoleName')}"
    if text_of(request, "PolicyArn"):
        return text_of(request, "PolicyArn")
    if text_of(request, "PolicyName"):
        return f"arn:aws:iam::{account_id}:policy{path}{text_of(request, 'PolicyName')}"
    return "*"


def logs_resource(arns: ArnScheme, request: Request) -> str:
    """The ARN of the log group or stream that an operation of CloudWatch Logs is about."""
    given = text_of(request, "resourceArn") or text_of(request, "logGroupIdentifier")
    if given.startswith("arn:"):
        return given
    group = text_of(request, "logGroupName") or given or "*"
    stream = text_of(request, "logStreamName")
    arn = f"arn:aws:logs:{arns.region}:{arns.account_id}:log-group:{group}"
    return f"{arn}:log-stream:{stream}" if stream else f"{arn}:*" if group != "*" else arn


def layers_of(request: Request) -> tuple[str, ...]:
    """ARNs of the layer versions that a function is to use."""
    layers = request.get("Layers")
    if not isinstance(layers, list):
        return ()
    return tuple(each for each in layers if isinstance(each, str))


def condition_values(
    arns: ArnScheme, request: Request, function: FunctionReference | None
) -> dict[str, tuple[str, ...]]:
    """What a request of Lambda says, by condition key."""
    values: dict[str, tuple[str, ...]] = {
        key: (value,)
        for member, key in _CONDITION_MEMBERS.items()
        if (value := text_of(request, member))
    }
    if function is not None:
        values["lambda:functionarn"] = (arns.function_arn(function.name, function.qualifier),)
    if layers := layers_of(request):
        values["lambda:layer"] = layers
    tags = request.get("Tags")
    if isinstance(tags, Mapping):
        values["aws:tagkeys"] = tuple(str(key) for key in tags)
        for key, value in tags.items():
            values[f"aws:requesttag/{str(key).lower()}"] = (str(value),)
    return values


def text_of(request: Request, member: str) -> str:
    """A member that is text; empty when it is missing."""
    value = request.get(member)
    return value if isinstance(value, str) else ""
