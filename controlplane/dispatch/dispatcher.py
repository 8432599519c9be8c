"""The driver around the pure scheduler: one future per invocation, one link per host.

Everything here runs between two awaits of the event loop, so no lock is needed: an event goes in,
the scheduler's commands are carried out at once, and only the caller waits.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from controlplane.dispatch.ports import (
    AttachedHost,
    HostHello,
    HostLink,
    HostReport,
    Placement,
    ProvisionReport,
    Resolver,
    SnapshotReport,
)
from controlplane.dispatch.records import record_of
from controlplane.dispatch.restores import restore_error
from controlplane.dispatch.running import AnswerStream, Running, StreamedAnswer
from controlplane.dispatch.transfers import Transfers
from controlplane.model.credentials import Credentials
from controlplane.model.invocation import (
    AttemptResult,
    InvocationRecord,
    InvocationRequest,
    InvocationResult,
    RefusedAttempt,
    StreamLimits,
)
from controlplane.model.revision import Resolution, Revision
from controlplane.model.trace import TraceContext, TraceHeaders
from controlplane.scheduler import (
    AttemptEnded,
    AttemptRefused,
    CancelOn,
    Command,
    Event,
    Fail,
    HostAttached,
    HostDraining,
    HostLost,
    HostReported,
    InvocationCancelled,
    Place,
    PoolChanged,
    RefusalReason,
    RetireOn,
    RevisionRetired,
    Scheduler,
    Throttle,
)
from emberd.wire.errors import (
    CapacityError,
    EmberdError,
    UnavailableError,
)

logger = logging.getLogger(__name__)

LAMBDAS_LIMITS = StreamLimits()

Record = Callable[[InvocationRecord], None]
CredentialsOf = Callable[[Revision], Credentials | None]
"""What a function's code may sign its calls with. Asked for every attempt: it must be quick."""


class Dispatcher:
    """Runs synchronous invocations over the attached hosts."""

    def __init__(
        self,
        scheduler: Scheduler,
        resolver: Resolver,
        *,
        draw: Callable[[], float],
        new_trace: Callable[[TraceHeaders], TraceContext],
        record: Record,
        stream_limits: StreamLimits = LAMBDAS_LIMITS,
        credentials_of: CredentialsOf = lambda _revision: None,
    ) -> None:
        self._scheduler = scheduler
        self._resolver = resolver
        self._draw = draw
        self.new_trace = new_trace
        """Joins the trace that a request's headers name, or begins one. For fronts."""
        self._record = record
        self._stream_limits = stream_limits
        self._credentials_of = credentials_of
        self._running: dict[str, Running] = {}
        self.transfers = Transfers(self._running)
        self._hosts: dict[str, AttachedHost] = {}
        self._fleet_changed: list[Callable[[], None]] = []
        self._snapshot_made: list[Callable[[HostLink, str, SnapshotReport], None]] = []

    @property
    def hosts(self) -> list[AttachedHost]:
        """The attached hosts."""
        return list(self._hosts.values())

    def runtimes(self) -> set[str]:
        """Every runtime that some attached host offers."""
        return {each for host in self._hosts.values() for each in host.hello.runtimes}

    def networks(self) -> set[str]:
        """Every named network that some attached host offers."""
        return {each for host in self._hosts.values() for each in host.hello.networks}

    @property
    def in_flight(self) -> int:
        """Invocations that count as running now, those of callers that have gone included."""
        return self._scheduler.running

    def running_on(self, host_id: str) -> int:
        """Invocations that run on a host now."""
        return sum(1 for each in self._running.values() if each.host_id == host_id)

    def idle_on(self, host_id: str) -> int:
        """Idle warm sandboxes on a host."""
        return self._scheduler.idle_on(host_id)

    def idle_of(self, revision_id: str) -> int:
        """Idle warm sandboxes of a revision on all hosts."""
        return self._scheduler.idle_of(revision_id)

    def credentials_of(self, revision: Revision) -> Credentials | None:
        """What a revision's code may sign its calls with now."""
        return self._credentials_of(revision)

    def on_fleet_changed(self, callback: Callable[[], None]) -> None:
        """Call this whenever a host comes, goes, or begins to drain."""
        self._fleet_changed.append(callback)

    def on_snapshot_made(self, callback: Callable[[HostLink, str, SnapshotReport], None]) -> None:
        """Call this with whatever a host says of a revision's snapshot."""
        self._snapshot_made.append(callback)

    def resolve(self, function_name: str, qualifier: str) -> Resolution:
        """What a reference stands for now; with weighted aliases each call may differ."""
        return self._resolver.resolve(function_name, qualifier, self._draw())

    async def invoke(self, request: InvocationRequest) -> InvocationResult:
        """Run an invocation to its definite end.

        Raises:
            NotFoundError: no such function, version or alias.
            CapacityError: throttled, or no host has room.
            UnavailableError: the host was lost while it ran, or no host can start it.
        """
        return await self._run(self._running_of(request))

    @asynccontextmanager
    async def stream(self, request: InvocationRequest) -> AsyncIterator[StreamedAnswer]:
        """Run an invocation and read its answer while the function writes it.

        Entered once the answer begins or all has ended. Who leaves before the end has gone: the
        function runs on without a reader, as on Lambda.

        Raises:
            EmberdError: the same as for invoke, before anything of the answer came.
        """
        running = self._running_of(request)
        running.stream = AnswerStream()
        ending = asyncio.create_task(self._run(running))
        answer = StreamedAnswer(running, ending)
        try:
            await answer.begun()
            yield answer
        finally:
            running.stream.pipe.discard()
            ending.cancel()
            await asyncio.wait({ending})
            if not ending.cancelled():
                ending.exception()  # whoever read the answer has seen it

    def _running_of(self, request: InvocationRequest) -> Running:
        start_ns = time.time_ns()
        return Running(
            request,
            self.resolve(request.function_name, request.qualifier),
            start_ns,
            asyncio.get_running_loop().create_future(),
        )

    async def _run(self, running: Running) -> InvocationResult:
        request, resolution = running.request, running.resolution
        self._running[request.request_id] = running
        try:
            self._feed(running.arrival(time.monotonic()))
            attempt = await running.future
        except asyncio.CancelledError:
            self._feed(
                InvocationCancelled(now_s=time.monotonic(), invocation_id=request.request_id)
            )
            raise
        except EmberdError as error:
            self._finish(running, None, error.reason, error.message)
            raise
        finally:
            self._running.pop(request.request_id, None)
        self._finish(running, attempt, attempt.error_type)
        return InvocationResult(
            request_id=request.request_id,
            trace_id=request.trace.trace_id,
            executed_version=resolution.revision.version,
            host_id=running.host_id,
            attempt=attempt,
        )

    def host_attached(self, hello: HostHello, link: HostLink, epoch: int) -> None:
        """A host opened its stream; an older stream of the same host is over."""
        if hello.host_id in self._hosts:
            self.host_lost(self._hosts[hello.host_id].link)
        self._hosts[hello.host_id] = AttachedHost(hello, link, epoch, time.time_ns())
        self._feed(
            HostAttached(
                now_s=time.monotonic(),
                host_id=hello.host_id,
                epoch=epoch,
                memory_bytes=hello.memory_bytes,
                sandboxes_max=hello.sandboxes_max,
                cpu_millis=hello.cpu_millis,
                runtimes=frozenset(hello.runtimes),
                architecture=hello.architecture,
                idle=dict(hello.idle),
                artifacts=hello.artifact_ids,
                networks=hello.networks,
            )
        )
        self._tell_fleet_changed()

    def host_lost(self, link: HostLink) -> None:
        """A stream ended: what ran there ends for its callers, once and definitely."""
        host = self._hosts.get(link.host_id)
        if host is None or host.link is not link:
            return
        del self._hosts[link.host_id]
        self._feed(HostLost(now_s=time.monotonic(), host_id=link.host_id, epoch=host.epoch))
        self._tell_fleet_changed()

    def host_reported(self, link: HostLink, report: HostReport) -> None:
        """A heartbeat."""
        host = self._hosts.get(link.host_id)
        if host is None or host.link is not link:
            return
        host.report = report
        self._feed(
            HostReported(
                now_s=time.monotonic(),
                host_id=link.host_id,
                memory_charged_bytes=report.memory_charged_bytes,
                sandboxes=report.sandboxes,
            )
        )

    def pool_changed(self, link: HostLink, revision_id: str, idle: int) -> None:
        """A host's idle sandboxes changed without an invocation."""
        self._feed(
            PoolChanged(
                now_s=time.monotonic(), host_id=link.host_id, revision_id=revision_id, idle=idle
            )
        )

    def provisioned(self, link: HostLink, revision_id: str, report: ProvisionReport) -> None:
        """A host says how far it has come with sandboxes that shall stand ready."""
        host = self._hosts.get(link.host_id)
        if host is not None and host.link is link:
            host.provisioned[revision_id] = report

    def snapshot_made(self, link: HostLink, revision_id: str, report: SnapshotReport) -> None:
        """A host says how the making of a snapshot ended."""
        for callback in self._snapshot_made:
            callback(link, revision_id, report)

    def attempt_ended(
        self, link: HostLink, invocation_id: str, attempt: AttemptResult, *, pushed: bool
    ) -> None:
        """A host reports how an attempt ended. Late and foreign reports change nothing."""
        running = self._running.get(invocation_id)
        # A caller that has gone leaves nothing here, but the scheduler still counts what runs.
        if running is not None and running.host_id == link.host_id and not running.future.done():
            if pushed:
                attempt = replace(attempt, payload=bytes(running.pushed))
            running.end(attempt)
        self._feed(
            AttemptEnded(
                now_s=time.monotonic(),
                invocation_id=invocation_id,
                host_id=link.host_id,
                sandbox_kept=attempt.sandbox_kept,
                memory_peak_bytes=attempt.memory_charge_bytes or attempt.memory_peak_bytes,
            )
        )

    def attempt_refused(
        self, link: HostLink, invocation_id: str, reason: RefusalReason, message: str
    ) -> None:
        """A host hands an attempt back."""
        running = self._running.get(invocation_id)
        if running is not None and running.host_id == link.host_id:
            running.refused.append(
                RefusedAttempt(
                    host_id=link.host_id,
                    reason=reason.value,
                    message=message,
                    start_ns=running.placed_ns,
                    end_ns=time.time_ns(),
                )
            )
        final: EmberdError | None = restore_error(reason)
        if running is not None and running.stream is not None and running.stream.has_begun:
            # Its caller has seen a part of it, so no other host may begin again.
            final = UnavailableError(message, reason="HOST_LOST")
        if final is not None:
            if running is not None and running.host_id == link.host_id:
                running.fail(final)
            self._feed(
                AttemptEnded(
                    now_s=time.monotonic(),
                    invocation_id=invocation_id,
                    host_id=link.host_id,
                    sandbox_kept=False,
                    memory_peak_bytes=0,
                )
            )
            return
        self._feed(
            AttemptRefused(
                now_s=time.monotonic(),
                invocation_id=invocation_id,
                host_id=link.host_id,
                reason=reason,
                message=message,
            )
        )

    def revision_retired(self, revision_id: str) -> None:
        """An update or a deletion: no new invocation will ask for it."""
        self._feed(RevisionRetired(now_s=time.monotonic(), revision_id=revision_id))

    def drain(self) -> None:
        """Give no host new work."""
        for host in self._hosts.values():
            host.draining = True
            host.link.drain()
            self._feed(HostDraining(now_s=time.monotonic(), host_id=host.hello.host_id))
        self._tell_fleet_changed()

    async def drained(self, timeout_s: float) -> None:
        """Wait until nothing runs any more, but not longer than that."""
        futures = {each.future for each in self._running.values()}
        if futures:
            await asyncio.wait(futures, timeout=timeout_s)

    def _tell_fleet_changed(self) -> None:
        for callback in self._fleet_changed:
            callback()

    def _feed(self, event: Event) -> None:
        for command in self._scheduler.handle(event):
            self._carry_out(command)

    def _carry_out(self, command: Command) -> None:
        match command:
            case Place():
                self._place(command)
            case Throttle():
                error = CapacityError(
                    command.message, reason="TOO_MANY_REQUESTS", throttle=command.reason.value
                )
                self._fail(command.invocation_id, error)
            case Fail():
                self._fail(
                    command.invocation_id,
                    UnavailableError(command.message, reason=command.reason),
                )
            case RetireOn():
                self._hosts[command.host_id].link.retire(command.revision_id)
            case CancelOn():
                self._hosts[command.host_id].link.cancel(command.invocation_id)

    def _place(self, command: Place) -> None:
        running = self._running[command.invocation_id]
        running.host_id = command.host_id
        running.placed_ns = time.time_ns()
        running.provisioned = command.provisioned
        running.pushed.clear()
        self._hosts[command.host_id].link.dispatch(
            Placement(
                epoch=command.epoch,
                request=running.request,
                resolution=running.resolution,
                trace_header=running.request.trace.xray_header(),
                tracestate=running.request.trace.tracestate,
                queue_timeout_s=command.queue_timeout_s,
                credentials=self._credentials_of(running.resolution.revision),
                stream=None if running.stream is None else self._stream_limits,
            )
        )

    def _fail(self, invocation_id: str, error: EmberdError) -> None:
        running = self._running.get(invocation_id)
        if running is not None:
            running.fail(error)

    def _finish(
        self,
        running: Running,
        attempt: AttemptResult | None,
        error_type: str,
        error_message: str = "",
    ) -> None:
        """Hand the story to telemetry once the answer is on its way."""
        end_ns = time.time_ns()
        asyncio.get_running_loop().call_soon(
            lambda: self._record(
                record_of(
                    running,
                    attempt,
                    end_ns=end_ns,
                    error_type=error_type,
                    error_message=error_message,
                )
            )
        )
