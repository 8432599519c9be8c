"""Makes new versions ready to run, behind the answer to whoever made them.

Today it has little to do: a package must be on the shelf. Compiling and snapshots belong here.
What was being prepared when the control plane ended is taken up again at the next start.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from controlplane.model.functions import Function, FunctionVersion
from controlplane.model.status import Failure
from controlplane.registry.functions import Outcome, settle
from controlplane.registry.ledger import Ledger
from controlplane.registry.stamps import Stamps
from emberd.wire.errors import EmberdError, UnavailableError

logger = logging.getLogger(__name__)

AT_ONCE_MAX = 4
"""Functions prepared at a time."""

RETRY_S = 1.0
"""Pause after the store failed; doubles up to RETRY_MAX_S."""
RETRY_MAX_S = 30.0

Prepare = Callable[[FunctionVersion], Awaitable[None]]
"""Makes one version ready, or raises an EmberdError that says why it never will be."""


class Preparation:
    """One task per function that has versions to be made ready."""

    def __init__(self, ledger: Ledger, prepare: Prepare, stamps: Stamps) -> None:
        self._ledger = ledger
        self._prepare = prepare
        self._stamps = stamps
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE_MAX)
        self._closed = False
        ledger.on_changed(self._begin)

    def resume(self) -> None:
        """Take up what a control plane before this one left unfinished."""
        for function in self._ledger.index.all():
            self._begin(function)

    async def settled(self, name: str) -> None:
        """Wait until nothing of that function is being prepared."""
        while (task := self._tasks.get(name)) is not None:
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
        name = function.name
        if function.unsettled and name not in self._tasks and not self._closed:
            task = asyncio.create_task(self._run(name))
            self._tasks[name] = task
            task.add_done_callback(lambda ended: self._ended(name, ended))

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        del self._tasks[name]
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            logger.error("preparation broke", extra={"function": name}, exc_info=error)
            return
        # Another change may have come between the task's last look and its end.
        function, _ = self._ledger.index.get(name)
        if function is not None:
            self._begin(function)

    async def _run(self, name: str) -> None:
        pause_s = RETRY_S
        while True:
            function, _ = self._ledger.index.get(name)
            if function is None or not function.unsettled:
                return
            try:
                await self._settle(function)
            except EmberdError as error:
                logger.warning(
                    "preparation will be tried again",
                    extra={"function": name, "cause": error.message, "pause_s": pause_s},
                )
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, RETRY_MAX_S)

    async def _settle(self, function: Function) -> None:
        async with self._turns:
            outcomes = [await self._outcome(version) for version in function.unsettled]

        async def decide(before: Function | None) -> tuple[Function | None, None]:
            return (before and settle(before, outcomes, self._stamps)), None

        await self._ledger.change(function.name, decide)

    async def _outcome(self, version: FunctionVersion) -> Outcome:
        try:
            await self._prepare(version)
        except UnavailableError:
            raise
        except EmberdError as error:
            failure = Failure(code="InternalError", reason=error.message)
            return Outcome(version=version, failure=failure)
        return Outcome(version=version, failure=None)
