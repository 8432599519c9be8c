"""CreateFunction, GetFunction and their kin: functions as a whole and their $LATEST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from controlplane.api.aws.operation import Call, Handler, Output
from controlplane.api.aws.operations.configuration import (
    change_of,
    check_possible,
    configuration_of,
    configuration_output,
    listed_output,
    refused,
)
from controlplane.api.aws.operations.vpc import check_vpc
from controlplane.api.aws.services import Services
from controlplane.model.functions import X86_64
from controlplane.model.settings import FunctionSettings
from controlplane.registry.views import Code, InlineCode

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import (
        CreateFunctionRequestTypeDef,
        DeleteFunctionRequestTypeDef,
        FunctionCodeTypeDef,
        GetFunctionConfigurationRequestTypeDef,
        GetFunctionRequestTypeDef,
        LayerVersionContentInputTypeDef,
        ListFunctionsRequestTypeDef,
        UpdateFunctionCodeRequestTypeDef,
        UpdateFunctionConfigurationRequestTypeDef,
    )


async def create_function(
    services: Services, call: Call, request: CreateFunctionRequestTypeDef
) -> Output:
    """Make a function; the answer says Pending, and a moment later it is Active."""
    check_vpc(request.get("VpcConfig"), services.dispatcher.networks())
    configuration = configuration_of(request)
    if request["Code"].get("ImageUri"):
        raise refused(
            "Please don't provide ImageUri when creating a function with packageType Zip."
        )
    view = await services.registry.create(
        request["FunctionName"],
        configuration,
        code_of(request["Code"]),
        publish=request.get("Publish", False),
        architecture=request.get("Architectures", [X86_64])[0],
        settings=FunctionSettings(
            tags=dict(request.get("Tags", {})),
            code_signing_config_arn=request.get("CodeSigningConfigArn", ""),
        ),
    )
    return configuration_output(view, services.arns)


async def get_function(
    services: Services, call: Call, request: GetFunctionRequestTypeDef
) -> Output:
    """What a reference stands for, where its code can be fetched, and what hangs on it."""
    view = services.registry.get(request["FunctionName"], request.get("Qualifier", ""))
    settings = services.registry.settings_of(view)
    reserved = settings.reserved_concurrency
    return {
        "Configuration": configuration_output(view, services.arns),
        "Code": {
            "RepositoryType": "S3",
            "Location": services.downloads.location(call.endpoint, view.version.artifact_id),
        },
        "Tags": dict(settings.tags) or None,
        "Concurrency": None if reserved is None else {"ReservedConcurrentExecutions": reserved},
    }


async def get_function_configuration(
    services: Services, call: Call, request: GetFunctionConfigurationRequestTypeDef
) -> Output:
    """What a reference stands for."""
    view = services.registry.get(request["FunctionName"], request.get("Qualifier", ""))
    return configuration_output(view, services.arns)


async def list_functions(
    services: Services, call: Call, request: ListFunctionsRequestTypeDef
) -> Output:
    """One page of functions, on request with all their versions."""
    every_version = request.get("FunctionVersion") == "ALL"
    master = request.get("MasterRegion", "ALL")
    if "MasterRegion" in request and not every_version:
        raise refused("FunctionVersion must be set to ALL if MasterRegion is specified.")
    if master != "ALL":
        # Asks for replicas that Lambda@Edge made of functions there. Nothing is replicated here.
        return {"Functions": []}
    page = services.registry.list(
        request.get("Marker", ""), request.get("MaxItems", 0), every_version=every_version
    )
    return {
        "Functions": [listed_output(each) for each in page.items],
        "NextMarker": page.next_marker or None,
    }


async def update_function_code(
    services: Services, call: Call, request: UpdateFunctionCodeRequestTypeDef
) -> Output:
    """Give $LATEST another package; until that is prepared, the old one runs on."""
    check_possible(request)
    if request.get("ImageUri"):
        raise refused(
            "Please don't provide ImageUri when updating a function with packageType Zip."
        )
    view = await services.registry.update_code(
        request["FunctionName"],
        code_of(request),
        publish=request.get("Publish", False),
        dry_run=request.get("DryRun", False),
        revision_id=request.get("RevisionId", ""),
        architecture=request.get("Architectures", [""])[0],
    )
    return configuration_output(view, services.arns)


async def update_function_configuration(
    services: Services, call: Call, request: UpdateFunctionConfigurationRequestTypeDef
) -> Output:
    """Change what is given; until that is prepared, the old configuration runs on."""
    check_vpc(request.get("VpcConfig"), services.dispatcher.networks())
    view = await services.registry.update_configuration(
        request["FunctionName"], change_of(request), revision_id=request.get("RevisionId", "")
    )
    return configuration_output(view, services.arns)


async def delete_function(
    services: Services, call: Call, request: DeleteFunctionRequestTypeDef
) -> Output:
    """Delete one version, or the function with everything of it."""
    await services.registry.delete(request["FunctionName"], request.get("Qualifier", ""))
    return {}


def code_of(
    code: FunctionCodeTypeDef | UpdateFunctionCodeRequestTypeDef | LayerVersionContentInputTypeDef,
) -> Code | None:
    """The package, or None when the request has none.

    Raises:
        InvalidArgumentError: it lies in S3, and no bucket can be reached from here; or there is
            more than one source.
    """
    zip_file, in_s3 = code.get("ZipFile"), code.get("S3Bucket") or code.get("S3Key")
    if code.get("SourceKMSKeyArn"):
        raise refused("SourceKMSKeyArn is not supported by emberd: give a package in the clear.")
    if isinstance(zip_file, bytes):
        if in_s3:
            raise refused(
                "Please do not provide other FunctionCode parameters when providing a ZipFile."
            )
        return InlineCode(zip_file=zip_file)
    if in_s3:
        raise refused(
            "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The "
            "specified bucket does not exist"
        )
    return None


OPERATIONS: Mapping[str, Handler] = {
    "CreateFunction": create_function,
    "DeleteFunction": delete_function,
    "GetFunction": get_function,
    "GetFunctionConfiguration": get_function_configuration,
    "ListFunctions": list_functions,
    "UpdateFunctionCode": update_function_code,
    "UpdateFunctionConfiguration": update_function_configuration,
}
