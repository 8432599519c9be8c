"""The host's side of the wire: one outbound stream, kept up for ever, and the transfers beside it.

Where the control plane is on the same machine it offers a link beside the stream, on which frames
travel faster. Reading never waits on writing, and what is to be written stands in a bounded queue.
Frames that are queued in one turn of the loop leave as one message. When the stream breaks, what
runs goes on; results for callers that are gone are dropped, since the control plane has already
answered them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Protocol

import grpc

from emberd.fleet.v1 import fleet_pb2 as pb
from emberd.fleet.v1 import fleet_pb2_grpc
from emberd.wire import CHUNK_BYTES_MAX, FRAME_PAYLOAD_BYTES_MAX, WIRE_VERSION
from emberd.wire.channels import authorization, host_channel
from emberd.wire.errors import EmberdError, UnavailableError
from emberd.wire.framequeue import FrameQueue
from emberd.wire.link import FrameLink, join
from emberd.wire.status import error_from
from sandbox import frames, report
from sandbox.carrier import RpcTunnel
from sandbox.logs import LogQueue
from sandbox.pushing import Logs, Spans, keep_pushing
from sandbox.relay import Relay
from sandbox.runtimeapi import ResponseStream
from sandbox.tracing.queue import SpanQueue
from sandbox.work import (
    Attempt,
    AttemptResult,
    Credentials,
    Provision,
    RefusalReason,
    Revision,
    Snapshot,
)

logger = logging.getLogger(__name__)

RECONNECT_S = (0.05, 0.05, *(0.1,) * 4, *(0.2,) * 8, 0.5, 1.0, 2.0)
"""Waits between attempts to attach; the last repeats.

Short for the two seconds that a control plane on a busy machine may take to start: a host that then
waited long would hold up `emberd ready`.
"""

REVISIONS_KEPT = 1_000


class Host(Protocol):
    """What the session needs of the agent."""

    def hello(self, last_epoch: int) -> pb.HostFrame:
        """Introduce the host as it is now."""

    def on_dispatch(self, attempt: Attempt) -> None:
        """Run this."""

    def on_cancel(self, invocation_id: str) -> None:
        """Nobody waits for it any more."""

    def on_retire(self, revision_id: str) -> None:
        """Sandboxes of it will never be used again."""

    def on_drain(self) -> None:
        """Finish what runs, accept nothing new."""

    def on_provision(self, provision: Provision) -> None:
        """Keep so many sandboxes ready."""

    def on_snapshot(self, order: Snapshot) -> None:
        """Initialise a revision once, and say how that ended."""


class Session:
    """Speaks to the control plane for one host."""

    def __init__(self, address: str, token: str, logs: LogQueue, spans: SpanQueue) -> None:
        self._channel = host_channel(address)
        self._stub = fleet_pb2_grpc.FleetServiceStub(self._channel)
        self._metadata = authorization(token)
        self._logs = logs
        self._spans = spans
        self._epoch = 0
        self._revisions: dict[str, Revision] = {}
        self._credentials: dict[str, Credentials] = {}
        self._streams: dict[str, ResponseStream] = {}
        """Answers that are being streamed, by invocation."""
        self._outgoing: FrameLink[pb.HostFrame] | FrameQueue[pb.HostFrame] | None = None
        self._takes_link = True
        self._leaving = False
        self._left = asyncio.Event()

    async def run(self, host: Host) -> None:
        """Stay attached until cancelled."""
        async with asyncio.TaskGroup() as group:
            push_logs = partial(self._stub.PushLogs, metadata=self._metadata)
            group.create_task(keep_pushing(Logs(self._logs), push_logs))
            push_spans = partial(self._stub.PushSpans, metadata=self._metadata)
            group.create_task(keep_pushing(Spans(self._spans), push_spans))
            failures = 0
            while not self._leaving:
                try:
                    await self._attach(host)
                    failures = 0
                except (grpc.aio.AioRpcError, EmberdError) as error:
                    self._explain(error, failures)
                if self._leaving:
                    break
                await asyncio.sleep(RECONNECT_S[min(failures, len(RECONNECT_S) - 1)])
                failures += 1
            self._left.set()

    @property
    def speaks_over_link(self) -> bool:
        """Whether frames go past gRPC now."""
        return isinstance(self._outgoing, FrameLink)

    def leave(self) -> None:
        """Attach no more: a host that is stopping must not pass for one that takes work."""
        self._leaving = True
        if self._outgoing is None:
            self._left.set()

    async def left(self) -> None:
        """Return once the last stream is gone: what ends after this reaches nobody."""
        await self._left.wait()

    async def close(self) -> None:
        """Let go of the channel."""
        await self._channel.close()

    def send(self, frame: pb.HostFrame) -> None:
        """Queue a frame. Without a stream it is dropped: nobody waits for it any more."""
        if self._outgoing is None:
            return
        if not self._outgoing.send(frame):
            logger.error("a frame was dropped: the control plane does not read")

    def refuse(self, invocation_id: str, reason: RefusalReason, message: str) -> None:
        """Hand an attempt back."""
        self.send(frames.refused(invocation_id, reason, message))

    async def answer(self, result: AttemptResult) -> None:
        """Report the end of an attempt; a large payload goes ahead of the frame."""
        pushed = len(result.payload) > FRAME_PAYLOAD_BYTES_MAX
        if pushed:
            try:
                await self._push(result.invocation_id, result.payload)
            except grpc.aio.AioRpcError as error:
                # The caller may have gone, or the transfer broke. What ran has ended all the same,
                # and whoever still waits must be told.
                logger.warning("an answer could not be pushed", extra={"why": error.details()})
                result, pushed = report.undeliverable(result), False
        self.send(frames.result(result, pushed=pushed))

    async def relay(self, attempt: Attempt, stream: ResponseStream) -> bool:
        """Carry a streamed answer to its caller; say whether it got through."""
        self._streams[attempt.invocation_id] = stream
        try:
            return await Relay(self.send, self._stub, self._metadata).run(attempt, stream)
        finally:
            del self._streams[attempt.invocation_id]

    async def fetch_artifact(self, artifact_id: str) -> AsyncIterator[bytes]:
        """Stream a package.

        Raises:
            EmberdError: the control plane cannot give it.
        """
        request = pb.FetchArtifactRequest(artifact_id=artifact_id)
        try:
            async for piece in self._stub.FetchArtifact(request, metadata=self._metadata):
                yield piece.chunk
        except grpc.aio.AioRpcError as error:
            raise error_from(error) from error

    async def fetch_payload(self, invocation_id: str) -> bytes:
        """Get an event that was too large for its frame."""
        request = pb.FetchPayloadRequest(invocation_id=invocation_id)
        try:
            stream = self._stub.FetchPayload(request, metadata=self._metadata)
            return b"".join([piece.chunk async for piece in stream])
        except grpc.aio.AioRpcError as error:
            raise error_from(error) from error

    def open_tunnel(self, sandbox_id: str, function_arn: str) -> RpcTunnel:
        """Begin to carry one connection of a function to emberd's own API."""
        opening = pb.TunnelOpening(sandbox_id=sandbox_id, function_arn=function_arn)
        return RpcTunnel(self._stub.Tunnel(metadata=self._metadata), opening)

    async def _attach(self, host: Host) -> None:
        call = self._stub.Attach(metadata=self._metadata)
        hello = host.hello(self._epoch)
        hello.hello.takes_link = self._takes_link
        await call.write(pb.HostMessage(frames=[hello]))
        first = await call.read()
        if first is grpc.aio.EOF:
            raise UnavailableError("the control plane closed the stream", reason="STREAM_CLOSED")
        welcome = first.frames[0].welcome
        _demand_wire_version(welcome.wire_version)
        self._epoch = welcome.epoch
        if self._leaving:
            call.cancel()
            return
        logger.info("attached", extra={"epoch": welcome.epoch, "link": welcome.HasField("link")})
        try:
            if welcome.HasField("link"):
                await self._speak_over_link(call, welcome.link, host)
            else:
                await self._speak_over_grpc(call, host)
        finally:
            self._outgoing = None
            call.cancel()

    async def _speak_over_grpc(self, call: grpc.aio.StreamStreamCall, host: Host) -> None:
        self._outgoing = outgoing = FrameQueue[pb.HostFrame]()
        writer = asyncio.create_task(_write(call, outgoing))
        try:
            await self._read(call, host)
        finally:
            writer.cancel()

    async def _speak_over_link(
        self, call: grpc.aio.StreamStreamCall, offer: pb.Link, host: Host
    ) -> None:
        """Until the link or the stream ends."""

        def take(data: bytes) -> None:
            for frame in pb.ControlMessage.FromString(data).frames:
                self._handle(frame, host)

        # What comes first may be answered at once, so the way out is there before the way in.
        self._outgoing = link = FrameLink(_message_of, take, offer.ticket)
        reading = asyncio.create_task(self._read(call, host))
        try:
            try:
                await join(link, offer.address)
            except UnavailableError:
                self._takes_link = False
                raise
            await asyncio.wait({reading, link.lost}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()
            raise UnavailableError("the link to the control plane broke", reason="STREAM_CLOSED")
        finally:
            link.close()
            reading.cancel()

    async def _read(self, call: grpc.aio.StreamStreamCall, host: Host) -> None:
        while (message := await call.read()) is not grpc.aio.EOF:
            for frame in message.frames:
                self._handle(frame, host)
        raise UnavailableError("the control plane closed the stream", reason="STREAM_CLOSED")

    def _handle(self, frame: pb.ControlFrame, host: Host) -> None:
        match frame.WhichOneof("frame"):
            case "dispatch":
                dispatch = frame.dispatch
                if dispatch.epoch < self._epoch:
                    self.refuse(
                        dispatch.invocation_id,
                        RefusalReason.EPOCH,
                        f"epoch {dispatch.epoch} is over; this host serves {self._epoch}",
                    )
                    return
                revision = self._revision(dispatch.revision)
                credentials = self._credentials_of(dispatch.credentials)
                host.on_dispatch(frames.attempt_of(dispatch, revision, credentials))
            case "cancel":
                invocation_id = frame.cancel.invocation_id
                if invocation_id in self._streams:
                    self._streams[invocation_id].pipe.discard()
                host.on_cancel(invocation_id)
            case "retire":
                host.on_retire(frame.retire.revision_id)
            case "drain":
                host.on_drain()
            case "provision":
                provision = frame.provision
                host.on_provision(
                    Provision(
                        revision=self._revision(provision.revision),
                        wanted=provision.wanted,
                        credentials=self._credentials_of(provision.credentials),
                    )
                )
            case "snapshot":
                host.on_snapshot(
                    Snapshot(
                        revision=self._revision(frame.snapshot.revision),
                        credentials=self._credentials_of(frame.snapshot.credentials),
                    )
                )
            case unknown:
                logger.warning("a frame was ignored", extra={"frame": unknown})

    def _revision(self, message: pb.Revision) -> Revision:
        known = self._revisions.get(message.revision_id)
        if known is None:
            if len(self._revisions) >= REVISIONS_KEPT:
                self._revisions.clear()
            known = self._revisions[message.revision_id] = frames.revision_of(message)
        return known

    def _credentials_of(self, message: pb.Credentials) -> Credentials | None:
        key_id = message.access_key_id
        if not key_id:
            return None
        known = self._credentials.get(key_id)
        if known is None:
            if len(self._credentials) >= REVISIONS_KEPT:
                self._credentials.clear()
            known = self._credentials[key_id] = frames.credentials_of(message)
        return known

    async def _push(self, invocation_id: str, payload: bytes) -> None:
        async def pieces() -> AsyncIterator[pb.PushPayloadRequest]:
            for start in range(0, len(payload), CHUNK_BYTES_MAX):
                yield pb.PushPayloadRequest(
                    invocation_id=invocation_id, chunk=payload[start : start + CHUNK_BYTES_MAX]
                )

        await self._stub.PushPayload(pieces(), metadata=self._metadata)

    def _explain(self, error: grpc.aio.AioRpcError | EmberdError, failures: int) -> None:
        """Say once why the stream is down; repeats only count."""
        known = error if isinstance(error, EmberdError) else error_from(error)
        level = logging.WARNING if failures < 2 else logging.DEBUG
        logger.log(level, "not attached", extra={"why": known.message})


def _demand_wire_version(theirs: int) -> None:
    if theirs != WIRE_VERSION:
        raise UnavailableError(
            f"the control plane speaks wire version {theirs}, this agent {WIRE_VERSION}: "
            "run the same emberd on both",
            reason="WIRE_VERSION",
        )


def _message_of(batch: Sequence[pb.HostFrame]) -> bytes:
    return pb.HostMessage(frames=batch).SerializeToString()


async def _write(call: grpc.aio.StreamStreamCall, outgoing: FrameQueue[pb.HostFrame]) -> None:
    """Write what is queued until the stream breaks."""
    async for batch in outgoing.batches():
        try:
            await call.write(pb.HostMessage(frames=batch))
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            # The reader sees the same end and attaches again.
            return
