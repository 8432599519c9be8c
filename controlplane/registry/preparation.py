"""Makes new versions ready to run, behind the answer to whoever made them.

Its packages must be on the shelf, and with SnapStart a host must have run its init once. That may
take minutes, so every version is prepared on its own and none waits for another.
What was being prepared when the control plane ended is taken up again at the next start.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from controlplane.model.functions import Function, FunctionVersion
from controlplane.model.status import Failure, NotReadyError
from controlplane.registry.functions import Outcome, settle
from controlplane.registry.ledger import Ledger
from controlplane.registry.stamps import Stamps
from emberd.wire.errors import EmberdError, UnavailableError

logger = logging.getLogger(__name__)

RETRY_S = 1.0
"""Pause after the store failed; doubles up to RETRY_MAX_S."""
RETRY_MAX_S = 30.0

Prepare = Callable[[FunctionVersion], Awaitable[str]]
"""Makes one version ready, or raises NotReadyError or an EmberdError: why it never will be.
Returns why it goes without the snapshot that it wants; empty in all other cases."""


class Preparation:
    """One task per version that is to be made ready."""

    def __init__(self, ledger: Ledger, prepare: Prepare, stamps: Stamps) -> None:
        self._ledger = ledger
        self._prepare = prepare
        self._stamps = stamps
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._closed = False
        ledger.on_changed(self._begin)

    def resume(self) -> None:
        """Take up what a control plane before this one left unfinished."""
        for function in self._ledger.index.all():
            self._begin(function)

    async def settled(self, name: str, number: str) -> None:
        """Wait until that version, or $LATEST, is not being prepared."""
        while (task := self._tasks.get((name, number))) is not None:
            await asyncio.wait((task,))

    async def close(self) -> None:
        """Leave the rest to the next start."""
        self._closed = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _begin(self, function: Function) -> None:
        for version in function.unsettled:
            key = (function.name, version.version)
            if key not in self._tasks and not self._closed:
                task = asyncio.create_task(self._run(*key))
                self._tasks[key] = task
                task.add_done_callback(partial(self._ended, key))

    def _ended(self, key: tuple[str, str], task: asyncio.Task[None]) -> None:
        del self._tasks[key]
        if task.cancelled():
            return
        name, _ = key
        if (error := task.exception()) is not None:
            logger.error("preparation broke", extra={"function": name}, exc_info=error)
            return
        # Another change may have come between the task's last look and its end.
        function, _ = self._ledger.index.get(name)
        if function is not None:
            self._begin(function)

    async def _run(self, name: str, number: str) -> None:
        pause_s = RETRY_S
        while True:
            function, _ = self._ledger.index.get(name)
            version = None if function is None else function.version(number)
            if version is None or version.status.settled:
                return
            try:
                await self._settle(name, version)
            except EmberdError as error:
                logger.warning(
                    "preparation will be tried again",
                    extra={"function": name, "cause": error.message, "pause_s": pause_s},
                )
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, RETRY_MAX_S)

    async def _settle(self, name: str, version: FunctionVersion) -> None:
        outcome = await self._outcome(version)

        async def decide(before: Function | None) -> tuple[Function | None, None]:
            return (before and settle(before, [outcome], self._stamps)), None

        await self._ledger.change(name, decide)

    async def _outcome(self, version: FunctionVersion) -> Outcome:
        try:
            refusal = await self._prepare(version)
        except UnavailableError:
            raise
        except NotReadyError as error:
            return Outcome(version=version, failure=error.failure)
        except EmberdError as error:
            failure = Failure(code="InternalError", reason=error.message)
            return Outcome(version=version, failure=failure)
        return Outcome(version=version, failure=None, snapshot_refusal=refusal)
