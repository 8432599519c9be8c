"""Keeps as many sandboxes of a revision ready as the control plane wants: provisioned concurrency.

What is missing is started before any event asks for it, what is lost is replaced, and what came of
it is reported whenever that changes. A start that failed is tried again after a pause.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from sandbox.pool import Pool
from sandbox.work import Provision, RefusedError

logger = logging.getLogger(__name__)

RETRY_S = 30.0
"""Pause after a start that failed."""

INIT_FAILED = "FUNCTION_ERROR_INIT_FAILURE"
"""Lambda's StatusReason where the function's own init failed."""

Report = Callable[[str, int, str], None]
"""Takes a revision's id, how many of it are ready, and why the newest start failed."""


@dataclass(eq=False, slots=True)
class _Want:
    provision: Provision
    failure: str = ""
    paused: bool = False
    """A start failed, and the pause after it is not over."""
    reported: tuple[int, str] | None = None


class Keeper:
    """Makes the pool hold what is wanted."""

    def __init__(self, pool: Pool, report: Report, *, retry_s: float = RETRY_S) -> None:
        self._pool = pool
        self._report = report
        self._retry_s = retry_s
        self._wants: dict[str, _Want] = {}
        self._starting: Counter[str] = Counter()
        self._woken = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        pool.on_lost = self._lost

    def want(self, provision: Provision) -> None:
        """Keep so many from now on; none ends it."""
        revision_id = provision.revision.revision_id
        self._pool.keep(revision_id, provision.wanted)
        if not provision.wanted:
            self._wants.pop(revision_id, None)
            return
        self._wants[revision_id] = _Want(provision=provision)
        self._woken.set()

    def forget(self, revision_id: str) -> None:
        """The revision is retired."""
        self._wants.pop(revision_id, None)
        self._pool.keep(revision_id, 0)

    def forget_all(self) -> None:
        """Nothing is wanted until it is said again."""
        for revision_id in list(self._wants):
            self.forget(revision_id)

    async def run(self) -> None:
        """Start what is missing, until cancelled."""
        try:
            while True:
                await self._woken.wait()
                self._woken.clear()
                for revision_id in list(self._wants):
                    self._top_up(revision_id)
        finally:
            for task in self._tasks:
                task.cancel()

    def _lost(self, revision_id: str) -> None:
        if revision_id in self._wants:
            self._woken.set()

    def _top_up(self, revision_id: str) -> None:
        want = self._wants[revision_id]
        alive, wanted = self._pool.alive(revision_id), want.provision.wanted
        missing = wanted - alive - self._starting[revision_id]
        if not want.paused:
            for _ in range(missing):
                self._starting[revision_id] += 1
                self._spawn(self._start(want.provision))
        if alive >= wanted:
            want.failure = ""
        state = (min(alive, wanted), want.failure)
        if state != want.reported:
            want.reported = state
            self._report(revision_id, *state)

    async def _start(self, provision: Provision) -> None:
        revision_id = provision.revision.revision_id
        failure = ""
        try:
            guard = await self._pool.start_spare(provision.revision, provision.credentials)
            if guard.init is None or not guard.init.ok:
                failure = INIT_FAILED
        except RefusedError as error:
            failure = error.message
        finally:
            self._starting[revision_id] -= 1
        # What is wanted may have changed meanwhile.
        want = self._wants.get(revision_id)
        if failure and want is not None and not want.paused:
            logger.warning(
                "a sandbox could not be made ready", extra={"id": revision_id, "why": failure}
            )
            want.failure = failure
            want.paused = True
            self._spawn(self._resume(want))
        self._woken.set()

    async def _resume(self, want: _Want) -> None:
        await asyncio.sleep(self._retry_s)
        want.paused = False
        self._woken.set()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
