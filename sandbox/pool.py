"""Warm sandboxes by revision, and the bounded queue of starts behind them.

An attempt takes the most recently used idle sandbox of its revision. Where there is none it joins a
queue: a few starts per core run at once, and a sandbox that becomes idle meanwhile goes to the
oldest waiter of its revision, so nobody waits for a start that is no longer needed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable

from sandbox import keepalive
from sandbox.capacity import Capacity
from sandbox.guard import GuardedSandbox
from sandbox.lifecycle import State
from sandbox.sharing import Sharing
from sandbox.spec import MIB
from sandbox.starts import Lease, Spare, Start, Starter, Waiter
from sandbox.work import Credentials, Phase, RefusalReason, RefusedError, Revision
from sandbox.workers.backend import places_of

logger = logging.getLogger(__name__)

WAITING_MAX = 2_000
"""Attempts that may wait for a sandbox on one host."""

REAP_EVERY_S = keepalive.SHORTEST_S / 10
"""How often idle sandboxes are looked at."""

RETIRED_MAX = 10_000
"""Retired revisions remembered, so that what is still running of them is not kept afterwards."""

STARTS_PER_CORE = 2
"""More starts at once only make each of them slower."""


class Pool:
    """All sandboxes of one host."""

    def __init__(
        self,
        start: Starter,
        capacity: Capacity,
        *,
        cores: int,
        new_id: Callable[[], str],
        changed: Callable[[str, int], None],
    ) -> None:
        self.on_lost: Callable[[str], None] = lambda _revision_id: None
        """Called with the revision of a sandbox that is not alive any more."""
        self.give_room: Callable[[], bool] = lambda: False
        """Gives memory that is held beside the sandboxes; says whether there was some."""
        self.make_ready: Callable[[Revision], Awaitable[None]] = _is_ready
        """Awaited before an attempt waits for a start."""
        self._start = start
        self._capacity = capacity
        self._new_id = new_id
        self._changed = changed
        self._idle: defaultdict[str, list[GuardedSandbox]] = defaultdict(list)
        self._broken: dict[str, GuardedSandbox] = {}
        self._busy: set[GuardedSandbox] = set()
        self._waiters: defaultdict[str, deque[Waiter]] = defaultdict(deque)
        self._kept: dict[str, int] = {}
        self._starts: asyncio.Queue[Waiter | Spare] = asyncio.Queue(maxsize=WAITING_MAX)
        self._retired: dict[str, None] = {}
        self._cores = cores
        self._starters = cores * STARTS_PER_CORE
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def idle_counts(self) -> dict[str, int]:
        """Idle warm sandboxes by revision."""
        return {revision_id: len(guards) for revision_id, guards in self._idle.items() if guards}

    def lacks_idle(self, revision_id: str) -> bool:
        """Whether a revision that is not retired has no idle sandbox."""
        return not self._idle.get(revision_id) and revision_id not in self._retired

    @property
    def starts_waiting(self) -> int:
        """Starts that wait for their turn."""
        return self._starts.qsize()

    async def run(self) -> None:
        """Start what is asked for and reap what grew old, until cancelled; then destroy all."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._starters):
                    group.create_task(self._start_loop())
                group.create_task(self._reap_loop())
        finally:
            await self._destroy_all()

    async def acquire(
        self, revision: Revision, timeout_s: float, credentials: Credentials | None = None
    ) -> Lease:
        """Take an idle sandbox, or wait for one to be started or released.

        credentials are for a sandbox that must be started.

        Raises:
            RefusedError: no memory, the queue is full, or the time is up.
        """
        # Equal descriptions have equal ids: a change that is taken back revives a revision.
        self._retired.pop(revision.revision_id, None)
        idle = self._idle.get(revision.revision_id)
        while idle:
            guard = idle[-1]
            if guard.is_outdated:
                self._discard_idle(guard)
                continue
            idle.pop()
            self._busy.add(guard)
            return Lease(guard=guard, warm=True)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._started(revision, credentials)
        except TimeoutError:
            raise RefusedError(
                RefusalReason.BUSY, f"no sandbox was free within {timeout_s:.0f} s on this host"
            ) from None

    async def _started(self, revision: Revision, credentials: Credentials | None) -> Lease:
        since_ns = time.time_ns()
        await self.make_ready(revision)
        waiter = self._enqueue(revision, credentials, since_ns)
        try:
            return await waiter.future
        except asyncio.CancelledError:
            self._withdraw(waiter)
            raise

    async def start_spare(
        self, revision: Revision, credentials: Credentials | None
    ) -> GuardedSandbox:
        """Start one more sandbox for nobody in particular: the oldest waiter's, or an idle one.

        The one that is returned belongs to the pool; its init may have failed.

        Raises:
            RefusedError: no memory, the queue is full, or it could not be started.
        """
        return await self._spare(revision, credentials, provisioned=True)

    def start_ahead(
        self, revision: Revision, credentials: Credentials | None
    ) -> asyncio.Future[GuardedSandbox]:
        """The same for one that is not provisioned, without waiting for it.

        Raises:
            RefusedError: no memory, or the queue is full.
        """
        return self._spare(revision, credentials, provisioned=False)

    def _spare(
        self, revision: Revision, credentials: Credentials | None, *, provisioned: bool
    ) -> asyncio.Future[GuardedSandbox]:
        self._retired.pop(revision.revision_id, None)
        future: asyncio.Future[GuardedSandbox] = asyncio.get_running_loop().create_future()
        self._queue(Spare(revision, credentials, provisioned, future))
        return future

    def keep(self, revision_id: str, count: int) -> None:
        """Neither age nor need of room takes the last so many of a revision; 0 ends that."""
        if count:
            self._kept[revision_id] = count
        else:
            self._kept.pop(revision_id, None)

    def alive(self, revision_id: str) -> int:
        """Sandboxes of a revision that are idle or run an event."""
        busy = sum(1 for guard in self._busy if guard.revision.revision_id == revision_id)
        return len(self._idle.get(revision_id, ())) + busy

    def _enqueue(
        self, revision: Revision, credentials: Credentials | None, since_ns: int
    ) -> Waiter:
        future: asyncio.Future[Lease] = asyncio.get_running_loop().create_future()
        waiter = Waiter(revision, credentials, future, since_ns)
        self._queue(waiter)
        self._waiters[revision.revision_id].append(waiter)
        return waiter

    def _queue(self, start: Waiter | Spare) -> None:
        revision = start.revision
        places = places_of(revision.runtime_id, revision.memory_size_mb * MIB)
        if places > 1:
            supposed = Sharing.unknown(places=places, cores=self._cores)
            self._capacity.suppose(revision.revision_id, supposed)
        self.make_room(revision.revision_id)
        try:
            self._starts.put_nowait(start)
        except asyncio.QueueFull:
            raise RefusedError(
                RefusalReason.BUSY, f"{WAITING_MAX} attempts wait for a sandbox on this host"
            ) from None

    def make_room(self, revision_id: str) -> None:
        """Let idle sandboxes of others go until one of this revision fits.

        Raises:
            RefusedError: the budget is spent on what is not idle.
        """
        while not self._capacity.fits(revision_id, waiting=self._starts.qsize()):
            oldest = self._oldest_idle()
            if oldest is None:
                if self.give_room():
                    continue
                raise RefusedError(
                    RefusalReason.MEMORY,
                    f"the host's budget is spent: {self._capacity.describe()}",
                )
            self._discard_idle(oldest)

    def release(self, guard: GuardedSandbox) -> None:
        """An attempt is done with a settled sandbox: the oldest waiter gets it, else it rests."""
        self._busy.discard(guard)
        guard.release()
        revision_id = guard.revision.revision_id
        if revision_id in self._retired or guard.is_outdated:
            self._destroy_later(guard)
            return
        if not self._hand_over(guard, warm=True, phases=()):
            self._idle[revision_id].append(guard)
            guard.on_ended = self._idle_ended

    def announce(self, guard: GuardedSandbox) -> None:
        """Tell the scheduler of a sandbox whose attempt was reported before it was free."""
        self._tell(guard.revision.revision_id)

    def give_up(self, guard: GuardedSandbox) -> None:
        """An attempt broke its sandbox: keep one environment for the next init, drop the rest.

        With SnapStart nothing is kept either: the next one is rather copied from the template. Nor
        is a seat: its worker has others.
        """
        self._busy.discard(guard)
        revision_id = guard.revision.revision_id
        gone = revision_id in self._retired or revision_id in self._broken
        if gone or guard.revision.snap_start or not guard.can_restart:
            self._destroy_later(guard)
        else:
            self._broken[revision_id] = guard
            self.on_lost(revision_id)

    def retire(self, revision_id: str) -> None:
        """Sandboxes of this revision will never be used again."""
        self._retired[revision_id] = None
        if len(self._retired) > RETIRED_MAX:
            del self._retired[next(iter(self._retired))]
        for guard in self._idle.pop(revision_id, []):
            self._destroy_later(guard)
        broken = self._broken.pop(revision_id, None)
        if broken is not None:
            self._destroy_later(broken)
        self._capacity.forget(revision_id)

    def _hand_over(self, guard: GuardedSandbox, *, warm: bool, phases: tuple[Phase, ...]) -> bool:
        waiters = self._waiters.get(guard.revision.revision_id)
        while waiters:
            waiter = waiters.popleft()
            if not waiter.future.done():
                queued = Phase(name="queue", start_ns=waiter.since_ns, end_ns=_start_of(phases))
                self._busy.add(guard)
                waiter.future.set_result(Lease(guard=guard, warm=warm, phases=(queued, *phases)))
                return True
        return False

    def _withdraw(self, waiter: Waiter) -> None:
        """A waiter goes away; a sandbox that reached it in the same moment goes to another."""
        waiters = self._waiters[waiter.revision.revision_id]
        if waiter in waiters:
            waiters.remove(waiter)
        future = waiter.future
        if future.cancel() or future.cancelled() or future.exception() is not None:
            return
        lease = future.result()
        self._busy.discard(lease.guard)
        self._offer(lease.guard, warm=lease.warm, phases=lease.phases[1:])

    async def _start_loop(self) -> None:
        while True:
            waiter = await self._starts.get()
            if not waiter.future.done():
                await self._start_for(waiter)

    async def _start_for(self, waiter: Waiter | Spare) -> None:
        revision = waiter.revision
        broken = self._broken.pop(revision.revision_id, None)
        if broken is not None and broken.is_outdated:
            self._destroy_later(broken)
            broken = None
        sandbox_id = broken.sandbox_id if broken else self._new_id()
        self._capacity.charge(sandbox_id, revision.revision_id)
        try:
            started = await self._start(
                Start(
                    revision=revision,
                    sandbox_id=sandbox_id,
                    credentials=waiter.credentials,
                    broken=broken,
                    provisioned=isinstance(waiter, Spare) and waiter.provisioned,
                )
            )
        except RefusedError as error:
            self._start_failed(waiter, sandbox_id, error)
            return
        except Exception as error:
            # The one supervision point of starts: a surprise costs one attempt, not the host.
            logger.exception("a start failed unexpectedly", extra={"id": sandbox_id})
            refusal = RefusedError(RefusalReason.START_FAILED, f"internal error: {error!r}")
            self._start_failed(waiter, sandbox_id, refusal)
            return
        started.guard.start_s = started.taken_s
        self._offer(started.guard, warm=False, phases=started.phases)
        if isinstance(waiter, Spare) and not waiter.future.done():
            waiter.future.set_result(started.guard)

    def _start_failed(self, waiter: Waiter | Spare, sandbox_id: str, error: RefusedError) -> None:
        self._capacity.release(sandbox_id)
        if not waiter.future.done():
            waiter.future.set_exception(error)

    def _offer(self, guard: GuardedSandbox, *, warm: bool, phases: tuple[Phase, ...]) -> None:
        """To the oldest waiter, else to the idle ones, else nobody wants it."""
        if self._hand_over(guard, warm=warm, phases=phases):
            return
        if guard.state is State.IDLE and guard.revision.revision_id not in self._retired:
            self._idle[guard.revision.revision_id].append(guard)
            guard.on_ended = self._idle_ended
            guard.rest()
            self._tell(guard.revision.revision_id)
        else:
            self._destroy_later(guard)

    def _idle_ended(self, guard: GuardedSandbox) -> None:
        guards = self._idle[guard.revision.revision_id]
        if guard in guards:
            guards.remove(guard)
            self._tell(guard.revision.revision_id)
            self._destroy_later(guard)

    async def _reap_loop(self) -> None:
        while True:
            await asyncio.sleep(REAP_EVERY_S)
            self._reap(time.monotonic())

    def _reap(self, now_s: float) -> None:
        for revision_id, guards in list(self._idle.items()):
            outdated = [each for each in guards if each.is_outdated]
            aged = [each for each in self._spared(revision_id) if _is_aged(each, now_s)]
            for guard in {*outdated, *aged}:
                self._discard_idle(guard)
        for revision_id, guard in list(self._broken.items()):
            if _is_aged(guard, now_s):
                del self._broken[revision_id]
                self._destroy_later(guard)

    def _oldest_idle(self) -> GuardedSandbox | None:
        idle = (guard for revision_id in self._idle for guard in self._spared(revision_id))
        unused = [*self._broken.values(), *idle]
        return min(unused, key=lambda guard: guard.last_used_s, default=None)

    def _spared(self, revision_id: str) -> list[GuardedSandbox]:
        """Idle sandboxes that need not be kept, the one used longest ago first."""
        idle = self._idle[revision_id]
        kept = self._kept.get(revision_id)
        return idle if kept is None else idle[: max(0, self.alive(revision_id) - kept)]

    def _discard_idle(self, guard: GuardedSandbox) -> None:
        revision_id = guard.revision.revision_id
        if self._broken.get(revision_id) is guard:
            del self._broken[revision_id]
        else:
            self._idle[revision_id].remove(guard)
            self._tell(revision_id)
        self._destroy_later(guard)

    def _tell(self, revision_id: str) -> None:
        self._changed(revision_id, len(self._idle.get(revision_id, ())))

    def _destroy_later(self, guard: GuardedSandbox) -> None:
        """Room is given back at once: what is being destroyed starts nothing any more."""
        revision_id = guard.revision.revision_id
        self._capacity.release(guard.sandbox_id)
        if revision_id in self._retired:
            # What its last events measured is of no more use either.
            self._capacity.forget(revision_id)
        task = asyncio.ensure_future(self._destroy(guard))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        self.on_lost(revision_id)

    async def _destroy(self, guard: GuardedSandbox) -> None:
        try:
            await guard.destroy()
        except Exception:
            logger.exception("a sandbox could not be destroyed", extra={"id": guard.sandbox_id})

    async def _destroy_all(self) -> None:
        everything = [
            *self._busy,
            *self._broken.values(),
            *(guard for guards in self._idle.values() for guard in guards),
        ]
        for guard in everything:
            self._destroy_later(guard)
        self._idle.clear()
        self._broken.clear()
        self._busy.clear()
        if self._ending:
            await asyncio.wait(set(self._ending), timeout=5)


def _is_aged(guard: GuardedSandbox, now_s: float) -> bool:
    return guard.last_used_s + keepalive.keep_s(guard.start_s) < now_s


def _start_of(phases: tuple[Phase, ...]) -> int:
    return phases[0].start_ns if phases else time.time_ns()


async def _is_ready(_revision: Revision) -> None:
    """Most packages need nothing before their first start."""
