"""Function URLs: CreateFunctionUrlConfig and its kin."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from controlplane.api.aws.operation import Call, Handler, Output
from controlplane.api.aws.services import Services
from controlplane.model.settings import BUFFERED, Cors
from controlplane.registry.settings.urls import UrlChange, UrlView

if TYPE_CHECKING:
    from types_boto3_lambda.type_defs import (
        CorsUnionTypeDef,
        CreateFunctionUrlConfigRequestTypeDef,
        DeleteFunctionUrlConfigRequestTypeDef,
        GetFunctionUrlConfigRequestTypeDef,
        ListFunctionUrlConfigsRequestTypeDef,
        UpdateFunctionUrlConfigRequestTypeDef,
    )

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


async def create_function_url(
    services: Services, call: Call, request: CreateFunctionUrlConfigRequestTypeDef
) -> Output:
    """Give a function or an alias a URL."""
    view = await services.settings.urls.create(
        request["FunctionName"],
        request.get("Qualifier", ""),
        auth_type=request["AuthType"],
        invoke_mode=request.get("InvokeMode", BUFFERED),
        cors=_cors(request.get("Cors")),
    )
    # Lambda says the mode here only if it was asked for, and nothing of a last change.
    left_out = {"LastModifiedTime", "InvokeMode"} - request.keys()
    output = _output(services, call, view)
    return {name: value for name, value in output.items() if name not in left_out}


async def get_function_url(
    services: Services, call: Call, request: GetFunctionUrlConfigRequestTypeDef
) -> Output:
    """The URL of a function or an alias."""
    view = services.settings.urls.get(request["FunctionName"], request.get("Qualifier", ""))
    return _output(services, call, view)


async def update_function_url(
    services: Services, call: Call, request: UpdateFunctionUrlConfigRequestTypeDef
) -> Output:
    """Change what is given."""
    change = UrlChange(
        auth_type=request.get("AuthType"),
        invoke_mode=request.get("InvokeMode"),
        cors=_cors(request.get("Cors")),
    )
    view = await services.settings.urls.update(
        request["FunctionName"], request.get("Qualifier", ""), change
    )
    return _output(services, call, view)


async def delete_function_url(
    services: Services, call: Call, request: DeleteFunctionUrlConfigRequestTypeDef
) -> Output:
    """Take a URL away."""
    await services.settings.urls.delete(request["FunctionName"], request.get("Qualifier", ""))
    return {}


async def list_function_urls(
    services: Services, call: Call, request: ListFunctionUrlConfigsRequestTypeDef
) -> Output:
    """One page of the URLs of a function and its aliases."""
    page = services.settings.urls.list(
        request["FunctionName"], request.get("Marker", ""), request.get("MaxItems", 0)
    )
    return {
        "FunctionUrlConfigs": [_output(services, call, each) for each in page.items],
        "NextMarker": page.next_marker or None,
    }


def url_of(url_id: str, region: str, endpoint: str) -> str:
    """The address of a function URL for a caller who reached us by that endpoint.

    Every name below localhost is this machine, so callers here get a host name of the form that
    Lambda's have. To those elsewhere such a name would mean their own machine: they get a path.
    """
    parts = urlsplit(endpoint)
    if parts.hostname in _LOOPBACK or str(parts.hostname).endswith(".localhost"):
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{url_id}.lambda-url.{region}.localhost{port}/"
    return f"{endpoint}/emberd/urls/{url_id}/"


def _output(services: Services, call: Call, view: UrlView) -> Output:
    config = view.config
    return {
        "FunctionUrl": url_of(config.url_id, services.arns.region, call.endpoint),
        "FunctionArn": view.function_arn,
        "AuthType": config.auth_type,
        "Cors": _cors_output(config.cors),
        "CreationTime": _time(config.created),
        "LastModifiedTime": _time(config.last_modified),
        "InvokeMode": config.invoke_mode,
    }


def _cors(cors: CorsUnionTypeDef | None) -> Cors | None:
    if cors is None:
        return None
    return Cors(
        allow_credentials=cors.get("AllowCredentials"),
        allow_headers=tuple(cors.get("AllowHeaders", ())),
        allow_methods=tuple(cors.get("AllowMethods", ())),
        allow_origins=tuple(cors.get("AllowOrigins", ())),
        expose_headers=tuple(cors.get("ExposeHeaders", ())),
        max_age_s=cors.get("MaxAge"),
    )


def _cors_output(cors: Cors | None) -> Output | None:
    if cors is None:
        return None
    return {
        "AllowCredentials": cors.allow_credentials,
        "AllowHeaders": cors.allow_headers or None,
        "AllowMethods": cors.allow_methods or None,
        "AllowOrigins": cors.allow_origins or None,
        "ExposeHeaders": cors.expose_headers or None,
        "MaxAge": cors.max_age_s,
    }


def _time(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


OPERATIONS: Mapping[str, Handler] = {
    "CreateFunctionUrlConfig": create_function_url,
    "DeleteFunctionUrlConfig": delete_function_url,
    "GetFunctionUrlConfig": get_function_url,
    "ListFunctionUrlConfigs": list_function_urls,
    "UpdateFunctionUrlConfig": update_function_url,
}
