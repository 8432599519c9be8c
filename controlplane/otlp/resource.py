"""What everything that is sent says of its origin."""

from __future__ import annotations

from importlib.metadata import version

from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

SCOPE = InstrumentationScope("emberd")


def control_planes(service_instance: str) -> Resource:
    """The control plane's own, with what OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES add."""
    resource = Resource.create(
        {SERVICE_INSTANCE_ID: service_instance, SERVICE_VERSION: version("emberd")}
    )
    if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: "emberd"}))
    return resource


def of_function(control_plane: Resource, function_name: str) -> Resource:
    """A function's own: a service beside emberd's."""
    named = {SERVICE_NAME: function_name, "faas.name": function_name}
    return control_plane.merge(Resource(named))
