"""The gRPC front of layers: messages in, one call, messages out."""

from __future__ import annotations

from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from controlplane.api.grpc.convert import code_of
from controlplane.registry import LayerDescription, LayerRegistry, LayerVersionView
from emberd.functions.v1 import layers_pb2 as pb
from emberd.functions.v1 import layers_pb2_grpc


class LayerService(layers_pb2_grpc.LayerServiceServicer):
    """Keeps layers."""

    def __init__(self, layers: LayerRegistry) -> None:
        self._layers = layers

    async def PublishLayerVersion(
        self, request: pb.PublishLayerVersionRequest, context: Any
    ) -> pb.PublishLayerVersionResponse:
        """Make the next version of a layer."""
        view = await self._layers.publish(
            request.layer_name,
            code_of(request.content),
            LayerDescription(
                text=request.description,
                license_info=request.license_info or None,
                runtimes=tuple(request.compatible_runtimes),
                architectures=tuple(request.compatible_architectures),
            ),
        )
        return pb.PublishLayerVersionResponse(version=_message(view))

    async def ListLayers(
        self, request: pb.ListLayersRequest, context: Any
    ) -> pb.ListLayersResponse:
        """One page of layers."""
        page = self._layers.list(
            runtime_id=request.compatible_runtime,
            architecture=request.compatible_architecture,
            marker=request.marker,
            max_items=request.max_items,
        )
        return pb.ListLayersResponse(
            layers=[_message(each) for each in page.items], next_marker=page.next_marker
        )

    async def ListLayerVersions(
        self, request: pb.ListLayerVersionsRequest, context: Any
    ) -> pb.ListLayerVersionsResponse:
        """One page of a layer's versions."""
        page = self._layers.list_versions(
            request.layer_name,
            runtime_id=request.compatible_runtime,
            architecture=request.compatible_architecture,
            marker=request.marker,
            max_items=request.max_items,
        )
        return pb.ListLayerVersionsResponse(
            versions=[_message(each) for each in page.items], next_marker=page.next_marker
        )

    async def DeleteLayerVersion(
        self, request: pb.DeleteLayerVersionRequest, context: Any
    ) -> pb.DeleteLayerVersionResponse:
        """Delete a version."""
        await self._layers.delete(request.layer_name, request.version)
        return pb.DeleteLayerVersionResponse()


def _message(view: LayerVersionView) -> pb.LayerVersion:
    version = view.version
    created = Timestamp()
    created.FromDatetime(version.created)
    return pb.LayerVersion(
        layer_name=version.layer_name,
        layer_arn=view.layer_arn,
        layer_version_arn=view.version_arn,
        version=version.number,
        description=version.description,
        create_time=created,
        compatible_runtimes=version.runtimes,
        compatible_architectures=version.architectures,
        license_info=version.license_info or "",
        code_sha256=version.code_sha256,
        code_size_bytes=version.size_bytes,
    )
