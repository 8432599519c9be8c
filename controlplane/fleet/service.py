"""The servicer of FleetService: attach, and the transfers that do not fit a frame."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Protocol

from controlplane.dispatch.dispatcher import Dispatcher
from controlplane.fleet import messages
from controlplane.fleet.attach import HostStream
from controlplane.fleet.links import Links
from controlplane.fleet.spans import span_of
from controlplane.fleet.tunnels import Tunnels
from controlplane.model.log import LogLine
from controlplane.model.spans import Span
from emberd.fleet.v1 import fleet_pb2 as pb
from emberd.fleet.v1 import fleet_pb2_grpc
from emberd.wire import CHUNK_BYTES_MAX, RESPONSE_BYTES_MAX, WIRE_VERSION
from emberd.wire.errors import InvalidArgumentError
from emberd.wire.pipe import BytePipe

READER_STALL_S = 60.0
SPANS_PER_PUSH_MAX = 500


class Artifacts(Protocol):
    """Where packages come from."""

    def chunks(self, artifact_id: str) -> AsyncIterator[bytes]:
        """Stream a package.

        Raises:
            NotFoundError: it is not here.
        """


class FleetService(fleet_pb2_grpc.FleetServiceServicer):
    """What host agents call."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        artifacts: Artifacts,
        tunnels: Tunnels,
        *,
        epoch: int,
        take_logs: Callable[[Sequence[LogLine]], None],
        take_spans: Callable[[Sequence[Span], int], None],
        attached: Callable[[], None],
        links: Links | None = None,
        reader_stall_s: float = READER_STALL_S,
    ) -> None:
        """reader_stall_s is how long a caller may read nothing of a streamed answer.

        Without a door for links, all frames travel on the hosts' streams.
        """
        self._links = links or Links()
        self._dispatcher = dispatcher
        self._artifacts = artifacts
        self._tunnels = tunnels
        self._epoch = epoch
        self._take_logs = take_logs
        self._take_spans = take_spans
        self._attached = attached
        self._reader_stall_s = reader_stall_s
        self._streams: set[HostStream] = set()

    def end_streams(self) -> None:
        """Close every stream, so that the server can stop."""
        for stream in list(self._streams):
            stream.end()

    async def Attach(  # gRPC's name
        self, request_iterator: AsyncIterator[pb.HostMessage], context: Any
    ) -> AsyncIterator[pb.ControlMessage]:
        """Keep one host attached for as long as its stream lives."""
        first = await anext(aiter(request_iterator), None)
        hello = _hello_in(first)
        stream = HostStream(hello.host_id, self._dispatcher)
        self._streams.add(stream)
        beside: list[asyncio.Task[None]] = []
        try:
            if hello.takes_link and self._links.is_for(context.peer()):
                with self._links.offer(stream.make_link()) as offer:
                    yield self._welcome(pb.Link(address=offer.address, ticket=offer.ticket))
                    await offer.taken()
            else:
                yield self._welcome()
            beside.append(asyncio.create_task(stream.read(request_iterator)))
            beside.append(asyncio.create_task(stream.watch()))
            self._dispatcher.host_attached(messages.hello_of(hello), stream, self._epoch)
            self._attached()
            async for message in stream.messages():
                yield message
        finally:
            self._streams.discard(stream)
            stream.end()
            for task in beside:
                task.cancel()
            self._dispatcher.host_lost(stream)

    def _welcome(self, link: pb.Link | None = None) -> pb.ControlMessage:
        welcome = pb.Welcome(epoch=self._epoch, wire_version=WIRE_VERSION, link=link)
        return pb.ControlMessage(frames=[pb.ControlFrame(welcome=welcome)])

    async def FetchArtifact(
        self, request: pb.FetchArtifactRequest, context: Any
    ) -> AsyncIterator[pb.FetchArtifactResponse]:
        """Stream a package."""
        async for chunk in self._artifacts.chunks(request.artifact_id):
            yield pb.FetchArtifactResponse(chunk=chunk)

    async def FetchPayload(
        self, request: pb.FetchPayloadRequest, context: Any
    ) -> AsyncIterator[pb.FetchPayloadResponse]:
        """Stream an event that was too large for its frame."""
        payload = self._dispatcher.transfers.payload_of(request.invocation_id)
        for start in range(0, len(payload), CHUNK_BYTES_MAX):
            yield pb.FetchPayloadResponse(chunk=payload[start : start + CHUNK_BYTES_MAX])

    async def PushPayload(
        self, request_iterator: AsyncIterator[pb.PushPayloadRequest], context: Any
    ) -> pb.PushPayloadResponse:
        """Take an answer that is too large for a frame; its Result follows on the stream."""
        invocation_id = ""
        async for piece in request_iterator:
            invocation_id = piece.invocation_id or invocation_id
            self._dispatcher.transfers.take_pushed(invocation_id, piece.chunk, RESPONSE_BYTES_MAX)
        return pb.PushPayloadResponse()

    async def PushChunks(
        self, request_iterator: AsyncIterator[pb.PushChunksRequest], context: Any
    ) -> pb.PushChunksResponse:
        """Pass an answer on while it is written; a caller that reads slowly makes the host wait."""
        transfers, invocation_id = self._dispatcher.transfers, ""
        pipe: BytePipe | None = None
        async for piece in request_iterator:
            if pipe is None:
                invocation_id = piece.invocation_id
                pipe = await transfers.stream_of(invocation_id)
            pipe.write(piece.chunk)
            try:
                async with asyncio.timeout(self._reader_stall_s):
                    await pipe.room()
            except TimeoutError:
                transfers.reader_stalled(invocation_id, self._reader_stall_s)
        return pb.PushChunksResponse()

    async def PushLogs(
        self, request_iterator: AsyncIterator[pb.PushLogsRequest], context: Any
    ) -> pb.PushLogsResponse:
        """Take log lines."""
        async for batch in request_iterator:
            self._take_logs([messages.log_line_of(each) for each in batch.records])
        return pb.PushLogsResponse()

    async def PushSpans(
        self, request_iterator: AsyncIterator[pb.PushSpansRequest], context: Any
    ) -> pb.PushSpansResponse:
        """Take what functions tell of their own work."""
        async for batch in request_iterator:
            spans = [span_of(each) for each in batch.spans[:SPANS_PER_PUSH_MAX]]
            known = [each for each in spans if each is not None]
            self._take_spans(known, batch.dropped + len(batch.spans) - len(known))
        return pb.PushSpansResponse()

    async def Tunnel(
        self, request_iterator: AsyncIterator[pb.HostTunnelMessage], context: Any
    ) -> AsyncIterator[pb.ControlTunnelMessage]:
        """Carry one connection of a function to emberd's own API."""
        async for answer in self._tunnels.carry(request_iterator):
            yield answer


def _hello_in(first: pb.HostMessage | None) -> pb.Hello:
    """The Hello that every stream begins with, of our wire version."""
    frame = first.frames[0] if first is not None and first.frames else None
    if frame is None or frame.WhichOneof("frame") != "hello":
        raise InvalidArgumentError("a stream begins with a Hello", reason="HELLO_EXPECTED")
    hello = frame.hello
    if hello.wire_version != WIRE_VERSION:
        raise InvalidArgumentError(
            f"host {hello.host_id} speaks wire version {hello.wire_version}, this control plane "
            f"{WIRE_VERSION}: run the same emberd on both",
            reason="WIRE_VERSION",
            host_id=hello.host_id,
        )
    if not hello.host_id:
        raise InvalidArgumentError("a host needs an id", reason="HOST_ID_EXPECTED")
    return hello
