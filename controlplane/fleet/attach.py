"""One host's open stream: a bounded queue out, frames in, and a watch for silence."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence

from controlplane.dispatch.dispatcher import Dispatcher
from controlplane.dispatch.ports import (
    Placement,
    ProvisionOrder,
    ProvisionReport,
    SnapshotOrder,
)
from controlplane.fleet import messages
from controlplane.model.credentials import Credentials
from controlplane.model.revision import Revision
from controlplane.scheduler import RefusalReason
from emberd.fleet.v1 import fleet_pb2 as pb
from emberd.wire.framequeue import FrameQueue
from emberd.wire.link import FrameLink

logger = logging.getLogger(__name__)

REVISIONS_KEPT = 1_000
SILENCE_S = 4.0
"""A host says something every second; after this long without a word it is lost."""


class HostStream:
    """The control plane's end of one stream; implements HostLink."""

    def __init__(self, host_id: str, dispatcher: Dispatcher) -> None:
        self._host_id = host_id
        self._link: FrameLink[pb.ControlFrame] | None = None
        self._dispatcher = dispatcher
        self._queue = FrameQueue[pb.ControlFrame]()
        self._heard_s = time.monotonic()
        self._over = False
        self._revisions: dict[str, pb.Revision] = {}
        self._known_credentials: dict[str, pb.Credentials] = {}

    @property
    def host_id(self) -> str:
        """Whose stream it is."""
        return self._host_id

    def dispatch(self, placement: Placement) -> None:
        """Ask for one attempt."""
        self._send(
            messages.dispatch_of(
                placement,
                self._revision(placement.resolution.revision),
                self._credentials(placement.credentials),
            )
        )

    def cancel(self, invocation_id: str) -> None:
        """Nobody waits for it any more."""
        self._send(pb.ControlFrame(cancel=pb.Cancel(invocation_id=invocation_id)))

    def retire(self, revision_id: str) -> None:
        """Sandboxes of it will never be used again."""
        self._send(pb.ControlFrame(retire=pb.Retire(revision_id=revision_id)))

    def drain(self) -> None:
        """Finish what runs, accept nothing new."""
        self._send(pb.ControlFrame(drain=pb.Drain()))

    def provision(self, order: ProvisionOrder) -> None:
        """Keep so many sandboxes ready."""
        self._send(
            pb.ControlFrame(
                provision=pb.Provision(
                    revision=self._revision(order.revision),
                    wanted=order.wanted,
                    credentials=self._credentials(order.credentials),
                )
            )
        )

    def snapshot(self, order: SnapshotOrder) -> None:
        """Run this revision's init once."""
        self._send(
            pb.ControlFrame(
                snapshot=pb.Snapshot(
                    revision=self._revision(order.revision),
                    credentials=self._credentials(order.credentials),
                )
            )
        )

    def end(self) -> None:
        """Close the stream from this side. Idempotent."""
        if not self._over:
            self._over = True
            if self._link is not None:
                self._link.close()
            self._queue.end()

    def make_link(self) -> FrameLink[pb.ControlFrame]:
        """Have frames go over a link from now on, both ways; the end of it ends the stream."""
        self._link = link = FrameLink(_message_of, self._take)
        link.lost.add_done_callback(lambda _: self.end())
        return link

    async def messages(self) -> AsyncIterator[pb.ControlMessage]:
        """What goes out: everything queued in one turn of the loop as one message."""
        async for batch in self._queue.batches():
            yield pb.ControlMessage(frames=batch)

    async def read(self, incoming: AsyncIterator[pb.HostMessage]) -> None:
        """Take what comes in until the host is gone, then end the stream."""
        try:
            async for message in incoming:
                self._hear(message)
        finally:
            self.end()

    async def watch(self) -> None:
        """End the stream when the host has been silent for too long."""
        # A look once a second is cheaper than a wake-up with every message.
        while time.monotonic() - self._heard_s < SILENCE_S:  # noqa: ASYNC110
            await asyncio.sleep(SILENCE_S / 4)
        logger.warning("a host fell silent", extra={"host": self._host_id})
        self.end()

    def _take(self, data: bytes) -> None:
        self._hear(pb.HostMessage.FromString(data))

    def _hear(self, message: pb.HostMessage) -> None:
        self._heard_s = time.monotonic()
        for frame in message.frames:
            self._handle(frame)

    def _revision(self, revision: Revision) -> pb.Revision:
        known = self._revisions.get(revision.revision_id)
        if known is None:
            if len(self._revisions) >= REVISIONS_KEPT:
                self._revisions.clear()
            known = messages.revision_message(revision)
            self._revisions[revision.revision_id] = known
        return known

    def _credentials(self, credentials: Credentials | None) -> pb.Credentials | None:
        if credentials is None:
            return None
        known = self._known_credentials.get(credentials.access_key_id)
        if known is None:
            if len(self._known_credentials) >= REVISIONS_KEPT:
                self._known_credentials.clear()
            known = messages.credentials_message(credentials)
            self._known_credentials[credentials.access_key_id] = known
        return known

    def _send(self, frame: pb.ControlFrame) -> None:
        if self._over or (self._link or self._queue).send(frame):
            return
        logger.warning("a host does not read its stream", extra={"host": self._host_id})
        self.end()

    def _handle(self, frame: pb.HostFrame) -> None:
        match frame.WhichOneof("frame"):
            case "result":
                result = frame.result
                self._dispatcher.attempt_ended(
                    self,
                    result.invocation_id,
                    messages.attempt_of(result),
                    pushed=result.payload_pushed,
                )
            case "refused":
                refused = frame.refused
                reason = messages.REASONS.get(refused.reason, RefusalReason.START_FAILED)
                self._dispatcher.attempt_refused(
                    self, refused.invocation_id, reason, refused.message
                )
            case "heartbeat":
                self._dispatcher.host_reported(self, messages.host_report_of(frame.heartbeat))
            case "pool_changed":
                entry = frame.pool_changed.entry
                self._dispatcher.pool_changed(self, entry.revision_id, entry.idle)
            case "stream_began":
                began = frame.stream_began
                transfers = self._dispatcher.transfers
                transfers.stream_began(began.invocation_id, began.content_type).write(began.chunk)
            case "provisioned":
                report = frame.provisioned
                self._dispatcher.provisioned(
                    self,
                    report.revision_id,
                    ProvisionReport(allocated=report.allocated, failure=report.failure),
                )
            case "snapshot_made":
                made = frame.snapshot_made
                self._dispatcher.snapshot_made(
                    self, made.revision_id, messages.snapshot_report_of(made)
                )
            case unknown:
                logger.warning("a frame was ignored", extra={"frame": unknown})


def _message_of(frames: Sequence[pb.ControlFrame]) -> bytes:
    return pb.ControlMessage(frames=frames).SerializeToString()
