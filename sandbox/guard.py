"""One sandbox made safe to hold: backend, Runtime API, log and lifecycle behind five methods.

Guarantees: calls follow the lifecycle or raise; a runtime that ends is noticed at once, in whatever
state; a time-out leaves no process behind; freezing twice is freezing once; what is destroyed stays
so. After a failure the environment is kept (BROKEN) until restart or destroy.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import TypeVar

from emberd.wire.errors import UnavailableError
from sandbox import outcomes, report
from sandbox.backend import ProcessExit, Sandbox, SandboxMaker, Usage
from sandbox.lifecycle import Event, Lifecycle, State
from sandbox.logs import SandboxLog
from sandbox.outcomes import InitOutcome, ServeOutcome
from sandbox.runtimeapi import (
    Beginning,
    BrokenOff,
    Initialised,
    ResponseStream,
    RuntimeApi,
    RuntimeEvent,
    SnapshotRefused,
)
from sandbox.spec import SandboxSpec
from sandbox.tracing.doors import SpanDoor
from sandbox.tunnels import CallbackDoor
from sandbox.work import Revision
from sandbox.workers.worker import Seat

T = TypeVar("T")

FREEZE_GRACE_S = 0.01
"""Back-to-back invocations within this time skip freeze and thaw."""

LAST_WORDS_S = 0.05
"""How long an exit waits for an answer that was already on its way."""


def _nobody_listens(stream: ResponseStream) -> None:
    """An event that wants no stream never gets one."""
    stream.pipe.discard()


def _nothing(_sandbox: Sandbox) -> None:
    """Nobody answers behind a door that is not there."""


class GuardedSandbox:
    """A sandbox with its Runtime API, its door to emberd, its log and its state. One owner."""

    def __init__(
        self,
        sandbox: Sandbox,
        revision: Revision,
        log: SandboxLog,
        door: CallbackDoor | None,
        spans: SpanDoor | None,
    ) -> None:
        self.revision = revision
        self.log = log
        self.spans = spans
        self.init: InitOutcome | None = None
        self.last_used_s = time.monotonic()
        self.start_s = 0.0
        """What it took to start it, once it was."""
        self.use_before_s = math.inf
        """Seconds since the epoch: no event is handed to it later, as its credentials end."""
        self.restore_duration_ns = 0
        """What it took to copy it from its template and to restore it; 0 for any other."""
        self._sandbox = sandbox
        self._seat = sandbox if isinstance(sandbox, Seat) else None
        self._door = door
        entrance = self._seat.entrance if self._seat else sandbox.listener
        self._api = RuntimeApi(entrance, self._idle_ended, _beginning(sandbox.spec))
        self._lifecycle = Lifecycle()
        self._frozen = False
        self._cpu_limited = False
        self._freeze_timer: asyncio.TimerHandle | None = None
        self._ended = asyncio.create_task(self._watch())
        self._oom_kills = 0
        self.on_ended: Callable[[GuardedSandbox], None] | None = None
        self.on_destroyed: Callable[[], None] | None = None

    @classmethod
    async def create(
        cls,
        backend: SandboxMaker,
        spec: SandboxSpec,
        revision: Revision,
        log: Callable[[Sandbox], SandboxLog],
        door: Callable[[Sandbox], CallbackDoor | None] = _nothing,
        spans: Callable[[Sandbox], SpanDoor | None] = _nothing,
    ) -> GuardedSandbox:
        """Make a sandbox and start its runtime. Without a door nobody answers behind it."""
        sandbox = await backend.create(spec)
        guard = cls(
            sandbox,
            revision,
            log(sandbox),
            door(sandbox),
            spans(sandbox),
        )
        await guard._api.start()
        return guard

    @property
    def sandbox_id(self) -> str:
        """Its id."""
        return self._sandbox.spec.sandbox_id

    @property
    def state(self) -> State:
        """Where it is in its life."""
        return self._lifecycle.state

    @property
    def is_alive(self) -> bool:
        """Whether a process tree runs in it that can take or is working on an event."""
        return self.state in (State.IDLE, State.BUSY)

    @property
    def is_outdated(self) -> bool:
        """Whether its credentials may end under the next event, or its worker should."""
        spent = self._seat is not None and self._seat.worker.spent
        return spent or time.time() >= self.use_before_s

    @property
    def has_room_beside(self) -> bool:
        """Whether it is a seat, and the next one needs no new worker."""
        return self._seat is not None and self._seat.worker.has_room_beside()

    @property
    def joined(self) -> bool:
        """Whether it is a seat at a worker that has had its init for another one."""
        return self._seat is not None and self._seat.joined

    @property
    def can_restart(self) -> bool:
        """Whether it can have a new init when this one's process is gone."""
        return not self.is_copy and (self._seat is None or self._seat.can_restart)

    @property
    def start_phases(self) -> list[tuple[str, int, int]]:
        """What making the newest tree took."""
        return list(self._sandbox.phases)

    @property
    def was_parked(self) -> bool:
        """Whether its newest tree was waiting in its started program."""
        return self._sandbox.was_parked

    @property
    def is_copy(self) -> bool:
        """Whether it was copied from a function template."""
        return bool(self._sandbox.spec.clone_of)

    @property
    def running_since_ns(self) -> int:
        """When the newest runtime process began to run, in ns since the epoch.

        It runs before the news of it is here, so an init phase is measured from then.
        """
        return max((end_ns for _, _, end_ns in self._sandbox.phases), default=time.time_ns())

    def use_until(self, before_s: float) -> None:
        """Hand no event to it later, as seconds since the epoch: of a seat, as its worker says."""
        if self._seat is not None:
            worker = self._seat.worker
            before_s = worker.use_before_s = min(before_s, worker.use_before_s)
        self.use_before_s = before_s

    def usage(self) -> Usage:
        """What the environment has used so far."""
        return self._sandbox.usage()

    async def initialise(self, timeout_s: float) -> InitOutcome:
        """Wait for the runtime's first /next, its posted error, its end or the time limit.

        Of a template: until it waits to be copied or says why it cannot be.
        """
        start_ns = self.running_since_ns
        posted = self._api.initialised()
        try:
            await self._either(posted, timeout_s)
            if not posted.done() and self._ended.done():
                await asyncio.wait({posted}, timeout=LAST_WORDS_S)
            outcome = self._init_outcome(posted, max(0, time.time_ns() - start_ns))
        finally:
            posted.cancel()
        if outcome.ok:
            self._lifecycle.apply(Event.INITIALISED)
        else:
            await self._break()
        self.log.drain()
        self.init = outcome
        return outcome

    def _init_outcome(self, posted: asyncio.Future[Initialised], took: int) -> InitOutcome:
        if posted.done():
            error = posted.result()
            if error is None:
                return InitOutcome(duration_ns=took)
            if isinstance(error, SnapshotRefused):
                return InitOutcome(duration_ns=took, refused=error.reason)
            return InitOutcome(
                duration_ns=took,
                payload=error.payload,
                error_type=error.error_type,
                status="error",
            )
        if self._ended.done():
            return InitOutcome(
                duration_ns=took,
                status="error",
                error_type=self._exit_type(),
                ended=self._ended.result(),
            )
        return InitOutcome(duration_ns=took, status="timeout", error_type=outcomes.TIMED_OUT)

    async def serve(
        self,
        event: RuntimeEvent,
        left_s: float,
        begun: Callable[[ResponseStream], None] = _nobody_listens,
    ) -> ServeOutcome:
        """Hand an event to the idle runtime and wait for its answer, its end or the time-out.

        Args:
            event: What to deliver.
            left_s: What is left of the function's time-out (a repeated init has eaten some).
            begun: Called when the runtime begins to stream its answer.
        """
        self._lifecycle.apply(Event.ASSIGNED)
        self._wake()
        start = time.monotonic_ns()
        self._api.deliver(event)
        answered = self._api.answered()
        try:
            await self._either(answered, left_s + outcomes.grace_s(self.revision.runtime_id))
            if not answered.done():
                return await self._failed(event.request_id, start)
            answer = answered.result()
        finally:
            answered.cancel()
        if isinstance(answer, ResponseStream):
            begun(answer)
            left_s -= (time.monotonic_ns() - start) / 1e9
            return await self._streamed(answer, event.request_id, left_s, start)
        self.log.drain()
        duration = time.monotonic_ns() - start
        if outcomes.was_interrupted(answer, self.revision.runtime_id):
            return self._timed_out(event.request_id, duration)
        return outcomes.of_answer(answer, duration)

    async def _streamed(
        self, stream: ResponseStream, request_id: str, left_s: float, start: int
    ) -> ServeOutcome:
        """Wait until an answer that has begun ends, in whatever way."""
        ended = stream.ended.wait()
        try:
            await self._either(ended, left_s)
            if self._ended.done() and not ended.done():
                # The end of the answer may be on its way behind the end of the process.
                await asyncio.wait({ended}, timeout=LAST_WORDS_S)
            how = ended.result() if ended.done() else None
            if isinstance(how, BrokenOff) and not self._ended.done():
                await asyncio.wait({self._ended}, timeout=LAST_WORDS_S)
            if how is None or (isinstance(how, BrokenOff) and self._ended.done()):
                return await self._failed(request_id, start)
        finally:
            ended.cancel()
            stream.pipe.close()
        self.log.drain()
        duration = time.monotonic_ns() - start
        return outcomes.of_stream(how, request_id, stream.content_type, duration)

    async def settle(self, timeout_s: float) -> bool:
        """Wait for the runtime to ask for the next event; only then may it be used again."""
        if self._api.is_idle:
            return not self._ended.done()
        idle = self._api.idle()
        try:
            await self._either(idle, timeout_s)
            return idle.done() and not self._ended.done()
        finally:
            idle.cancel()

    async def _either(self, awaited: asyncio.Future[T], timeout_s: float) -> None:
        """Wait for this, the end of the process tree, or the time to pass."""
        if awaited.done() or self._ended.done():
            return
        # What asyncio.wait does, for exactly two and a good deal cheaper.
        loop = asyncio.get_running_loop()
        first: asyncio.Future[None] = loop.create_future()

        def over(_done: object = None) -> None:
            if not first.done():
                first.set_result(None)

        timer = loop.call_later(timeout_s, over)
        ended = self._ended
        awaited.add_done_callback(over)
        ended.add_done_callback(over)
        try:
            await first
        finally:
            timer.cancel()
            awaited.remove_done_callback(over)
            ended.remove_done_callback(over)

    def release(self) -> None:
        """Back to idle after a settled invocation; it is frozen after a short grace."""
        self._lifecycle.apply(Event.RELEASED)
        self.rest()

    def rest(self) -> None:
        """Freeze it soon, unless it gets work before."""
        self.last_used_s = time.monotonic()
        loop = asyncio.get_running_loop()
        self._freeze_timer = loop.call_later(FREEZE_GRACE_S, self._freeze)

    async def abandon(self) -> None:
        """End what runs in it; the environment stays for a restart."""
        await self._break()

    async def restart(self) -> None:
        """A new process tree in the kept environment.

        Raises:
            EmberdError: there can be none, or it could not be made.
        """
        if self._seat is not None and not self._seat.can_restart:
            # Before its worker's connections are dropped, which are the others' too.
            raise UnavailableError("its worker has other events", reason="SERVICE")
        self._lifecycle.apply(Event.RESET)
        self.init = None
        self._frozen = self._cpu_limited = False
        self._api.reset()
        await self._sandbox.reset()
        self._ended = asyncio.create_task(self._watch())

    async def destroy(self) -> None:
        """End it and leave nothing. Idempotent."""
        if self.state is State.DESTROYED:
            return
        self._lifecycle.apply(Event.DESTROYED)
        self._cancel_freeze()
        self._ended.cancel()
        self.log.close()
        if self.spans is not None:
            await self.spans.close()
        if self._door is not None:
            await self._door.close()
        await self._api.close()
        await self._sandbox.destroy()
        if self.on_destroyed is not None:
            self.on_destroyed()

    async def _watch(self) -> ProcessExit:
        ended = await self._sandbox.wait()
        self._idle_ended()
        return ended

    def _idle_ended(self) -> None:
        """Nobody waits on an idle sandbox, so its end is noticed here.

        The Runtime API calls this too. A runtime that dies in a frozen sandbox hangs up at once,
        but its frozen pid 1 can tell of it only after the thaw: too late for the next event.
        """
        if self.state is not State.IDLE:
            return
        self._lifecycle.apply(Event.TREE_ENDED)
        self._cancel_freeze()
        if self.on_ended is not None:
            self.on_ended(self)

    async def _failed(self, request_id: str, start: int) -> ServeOutcome:
        """The runtime ended or ran out of time: say which, and leave no process of it."""
        timed_out = not self._ended.done()
        error_type = outcomes.TIMED_OUT if timed_out else self._exit_type()
        await self._break()
        self.log.drain()
        duration = time.monotonic_ns() - start
        if timed_out:
            return self._timed_out(request_id, duration)
        message = report.exit_message(self._ended.result())
        for line in report.exit_line(request_id, message).split(b"\n"):
            self.log.write(line)
        return ServeOutcome(
            payload=report.exit_payload(request_id, "Runtime.ExitError", message),
            error_type=error_type,
            status="error",
            duration_ns=duration,
        )

    def _timed_out(self, request_id: str, duration_ns: int) -> ServeOutcome:
        limit = self.revision.timeout_s
        self.log.write(report.timeout_line(request_id, limit, time.time_ns()))
        return ServeOutcome(
            payload=report.timeout_payload(request_id, limit),
            error_type=outcomes.TIMED_OUT,
            status="timeout",
            duration_ns=duration_ns,
        )

    def _exit_type(self) -> str:
        kills = self._sandbox.usage().oom_kills
        if kills > self._oom_kills:
            self._oom_kills = kills
            return "Runtime.OutOfMemory"
        return "Runtime.ExitError"

    async def _break(self) -> None:
        if self.state is State.DESTROYED:
            return
        self._cancel_freeze()
        self._lifecycle.apply(Event.TREE_ENDED)
        await self._sandbox.kill()

    def _wake(self) -> None:
        self._cancel_freeze()
        if self._frozen:
            self._sandbox.thaw()
            self._frozen = False
        if not self._cpu_limited:
            self._sandbox.limit_cpu()
            self._cpu_limited = True

    def _freeze(self) -> None:
        self._freeze_timer = None
        if self.state is State.IDLE and not self._frozen:
            self._sandbox.freeze()
            self._frozen = True

    def _cancel_freeze(self) -> None:
        if self._freeze_timer is not None:
            self._freeze_timer.cancel()
            self._freeze_timer = None


def _beginning(spec: SandboxSpec) -> Beginning:
    """What its process tree does before its first event."""
    if spec.is_template:
        return Beginning.SNAPSHOT
    return Beginning.RESTORE if spec.clone_of else Beginning.INIT
