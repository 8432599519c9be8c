"""Makes new versions ready to run, behind the answer to whoever made them.

Its packages must be on the shelf, and with SnapStart a host must have run its init once. That may
take minutes, so every version is prepared on its own and none waits for another.
What was being prepared when the control plane ended is taken up again at the next start.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
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


@dataclass(eq=False, slots=True)
class _Work:
    """The preparation of one state of one version."""

    name: str
    version: FunctionVersion
    task: asyncio.Task[None] | None = None
    deciding: bool = False
    """It is prepared, and only the record of that is to be written."""


class Preparation:
    """One task per version that is to be made ready, for as long as it is to be."""

    def __init__(self, ledger: Ledger, prepare: Prepare, stamps: Stamps) -> None:
        self._ledger = ledger
        self._prepare = prepare
        self._stamps = stamps
        self._works: list[_Work] = []
        self._closed = False
        ledger.on_changed(self._look)
        ledger.on_deleted(lambda name: self._drop(name, ()))

    def resume(self) -> None:
        """Take up what a control plane before this one left unfinished."""
        for function in self._ledger.index.all():
            self._look(function)

    async def settled(self, name: str, number: str) -> None:
        """Wait until that version, or $LATEST, is not being prepared."""
        while tasks := [
            each.task
            for each in self._works
            if each.task and (each.name, each.version.version) == (name, number)
        ]:
            await asyncio.wait(tasks)

    async def close(self) -> None:
        """Leave the rest to the next start."""
        self._closed = True
        tasks = [each.task for each in self._works if each.task]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _look(self, function: Function) -> None:
        """Begin with what is new, and end what nobody will have any more."""
        self._drop(function.name, function.unsettled)
        for version in function.unsettled:
            if not self._closed and not any(each.version is version for each in self._works):
                work = _Work(function.name, version)
                work.task = asyncio.create_task(self._run(work))
                self._works.append(work)
                work.task.add_done_callback(partial(self._ended, work))

    def _drop(self, name: str, wanted: Sequence[FunctionVersion]) -> None:
        for work in self._works:
            unwanted = not any(work.version is each for each in wanted)
            if work.name == name and unwanted and not work.deciding and work.task:
                work.task.cancel()

    def _ended(self, work: _Work, task: asyncio.Task[None]) -> None:
        self._works.remove(work)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("preparation broke", extra={"function": work.name}, exc_info=error)

    def _is_wanted(self, work: _Work) -> bool:
        function, _ = self._ledger.index.get(work.name)
        return function is not None and any(each is work.version for each in function.unsettled)

    async def _run(self, work: _Work) -> None:
        pause_s = RETRY_S
        while self._is_wanted(work):
            try:
                outcome = await self._outcome(work.version)
                work.deciding = True
                await self._settle(work.name, outcome)
            except EmberdError as error:
                work.deciding = False
                logger.warning(
                    "preparation will be tried again",
                    extra={"function": work.name, "cause": error.message, "pause_s": pause_s},
                )
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, RETRY_MAX_S)

    async def _settle(self, name: str, outcome: Outcome) -> None:
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
