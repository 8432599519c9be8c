"""The gRPC front of the registry: messages in, one call, messages out.

What makes or changes a function answers once it is ready to run: no caller here has to poll.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from controlplane.api.grpc.convert import (
    alias_change_of,
    alias_message,
    code_of,
    configuration_change_of,
    configuration_of,
    function_message,
)
from controlplane.model.functions import X86_64
from controlplane.registry import ArtifactStore, FunctionRegistry
from emberd.functions.v1 import functions_pb2 as pb
from emberd.functions.v1 import functions_pb2_grpc


class FunctionService(functions_pb2_grpc.FunctionServiceServicer):
    """Keeps what has been deployed."""

    def __init__(self, registry: FunctionRegistry, artifacts: ArtifactStore) -> None:
        self._registry = registry
        self._artifacts = artifacts

    async def UploadArtifact(
        self, request_iterator: AsyncIterator[pb.UploadArtifactRequest], context: Any
    ) -> pb.UploadArtifactResponse:
        """Store a package."""
        artifact = await self._artifacts.upload(_chunks(request_iterator))
        return pb.UploadArtifactResponse(
            artifact_id=artifact.artifact_id, size_bytes=artifact.size_bytes
        )

    async def CreateFunction(
        self, request: pb.CreateFunctionRequest, context: Any
    ) -> pb.CreateFunctionResponse:
        """Make a function and its $LATEST."""
        made = await self._registry.create(
            request.function_name,
            configuration_of(request),
            code_of(request.code),
            publish=request.publish,
            architecture=request.architecture or X86_64,
        )
        view = await self._registry.settled(made)
        return pb.CreateFunctionResponse(configuration=function_message(view))

    async def GetFunction(
        self, request: pb.GetFunctionRequest, context: Any
    ) -> pb.GetFunctionResponse:
        """What a reference stands for."""
        view = self._registry.get(request.function_name, request.qualifier)
        return pb.GetFunctionResponse(
            configuration=function_message(view), artifact_id=view.version.artifact_id
        )

    async def ListFunctions(
        self, request: pb.ListFunctionsRequest, context: Any
    ) -> pb.ListFunctionsResponse:
        """One page of functions."""
        page = self._registry.list(request.marker, request.max_items)
        return pb.ListFunctionsResponse(
            functions=[function_message(each) for each in page.items],
            next_marker=page.next_marker,
        )

    async def UpdateFunctionCode(
        self, request: pb.UpdateFunctionCodeRequest, context: Any
    ) -> pb.UpdateFunctionCodeResponse:
        """Give $LATEST new code."""
        made = await self._registry.update_code(
            request.function_name,
            code_of(request.code),
            publish=request.publish,
            dry_run=request.dry_run,
            revision_id=request.revision_id,
            architecture=request.architecture,
        )
        view = await self._registry.settled(made)
        return pb.UpdateFunctionCodeResponse(configuration=function_message(view))

    async def UpdateFunctionConfiguration(
        self, request: pb.UpdateFunctionConfigurationRequest, context: Any
    ) -> pb.UpdateFunctionConfigurationResponse:
        """Change what is set."""
        made = await self._registry.update_configuration(
            request.function_name,
            configuration_change_of(request),
            revision_id=request.revision_id,
        )
        view = await self._registry.settled(made)
        return pb.UpdateFunctionConfigurationResponse(configuration=function_message(view))

    async def DeleteFunction(
        self, request: pb.DeleteFunctionRequest, context: Any
    ) -> pb.DeleteFunctionResponse:
        """Delete a version or the function."""
        await self._registry.delete(request.function_name, request.qualifier)
        return pb.DeleteFunctionResponse()

    async def PublishVersion(
        self, request: pb.PublishVersionRequest, context: Any
    ) -> pb.PublishVersionResponse:
        """Freeze $LATEST."""
        made = await self._registry.versions.publish(
            request.function_name,
            description=request.description,
            code_sha256=request.code_sha256,
            revision_id=request.revision_id,
        )
        view = await self._registry.settled(made)
        return pb.PublishVersionResponse(configuration=function_message(view))

    async def ListVersionsByFunction(
        self, request: pb.ListVersionsByFunctionRequest, context: Any
    ) -> pb.ListVersionsByFunctionResponse:
        """One page of versions."""
        page = self._registry.versions.list(
            request.function_name, request.marker, request.max_items
        )
        return pb.ListVersionsByFunctionResponse(
            versions=[function_message(each) for each in page.items],
            next_marker=page.next_marker,
        )

    async def CreateAlias(
        self, request: pb.CreateAliasRequest, context: Any
    ) -> pb.CreateAliasResponse:
        """Name a version."""
        view = await self._registry.aliases.create(
            request.function_name,
            request.name,
            function_version=request.function_version,
            description=request.description,
            weights=dict(request.routing_config.additional_version_weights),
        )
        return pb.CreateAliasResponse(alias=alias_message(view))

    async def GetAlias(self, request: pb.GetAliasRequest, context: Any) -> pb.GetAliasResponse:
        """One alias."""
        view = self._registry.aliases.get(request.function_name, request.name)
        return pb.GetAliasResponse(alias=alias_message(view))

    async def ListAliases(
        self, request: pb.ListAliasesRequest, context: Any
    ) -> pb.ListAliasesResponse:
        """One page of aliases."""
        page = self._registry.aliases.list(
            request.function_name,
            function_version=request.function_version,
            marker=request.marker,
            max_items=request.max_items,
        )
        return pb.ListAliasesResponse(
            aliases=[alias_message(each) for each in page.items], next_marker=page.next_marker
        )

    async def UpdateAlias(
        self, request: pb.UpdateAliasRequest, context: Any
    ) -> pb.UpdateAliasResponse:
        """Change what is set."""
        view = await self._registry.aliases.update(
            request.function_name,
            request.name,
            alias_change_of(request),
            revision_id=request.revision_id,
        )
        return pb.UpdateAliasResponse(alias=alias_message(view))

    async def DeleteAlias(
        self, request: pb.DeleteAliasRequest, context: Any
    ) -> pb.DeleteAliasResponse:
        """Delete an alias."""
        await self._registry.aliases.delete(request.function_name, request.name)
        return pb.DeleteAliasResponse()


async def _chunks(requests: AsyncIterator[pb.UploadArtifactRequest]) -> AsyncIterator[bytes]:
    async for request in requests:
        yield request.chunk
