"""Function templates: a revision's init runs once, and its sandboxes are copied from what it left.

    Restorer (what the pool asks)  ->  FunctionTemplates  ->  SandboxStarter, backend
                                          |  TemplateShelf: which there are (pure)

A start never waits for a template: where none is ready, the sandbox starts as any other does, and
one is made meanwhile. What cannot be copied says so once in its function's log.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from sandbox.capacity import Capacity
from sandbox.guard import GuardedSandbox
from sandbox.lifecycle import State
from sandbox.outcomes import InitOutcome
from sandbox.starter import SandboxStarter, TemplateLostError
from sandbox.starts import Start, Started
from sandbox.template_shelf import OFF, Stage, TemplateShelf
from sandbox.work import (
    RefusedError,
    Snapshot,
    SnapshotMade,
    SnapshotResult,
)

logger = logging.getLogger(__name__)

AT_ONCE_MAX = 2
"""Templates made at a time: their inits take CPU from invocations."""


class FunctionTemplates:
    """The templates of one host."""

    def __init__(
        self,
        starter: SandboxStarter,
        capacity: Capacity,
        *,
        memory_bytes: int,
        new_id: Callable[[], str],
        make_room: Callable[[str], None],
    ) -> None:
        """Templates that wait to be made for somebody.

        Args:
            starter: Starts them.
            capacity: What they are charged to.
            memory_bytes: What they may hold together; 0 for none at all.
            new_id: Names a sandbox.
            make_room: Takes a revision's id, raises RefusedError when there is none for it.
        """
        self._starter = starter
        self._capacity = capacity
        self._new_id = new_id
        self._make_room = make_room
        self._shelf: TemplateShelf[GuardedSandbox] = TemplateShelf(memory_bytes=memory_bytes)
        if not memory_bytes:
            logger.warning("a host makes no templates", extra={"why": OFF})
        self._making: dict[str, asyncio.Task[SnapshotMade]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE_MAX)
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def count(self) -> int:
        """How many there are now."""
        return self._shelf.count

    def take(self, start: Start) -> GuardedSandbox | None:
        """The template to copy a sandbox from; None where it must start without one.

        In the latter case one is made for those to come, unless the revision can have none. One
        that has grown old serves until its successor is ready.
        """
        revision_id = start.revision.revision_id
        template = self._shelf.take(revision_id, time.monotonic())
        if template is not None and (template.is_outdated or template.state is not State.IDLE):
            self._end(self._shelf.lost(revision_id, template))
            template = None
        self._begin(Snapshot(revision=start.revision, credentials=start.credentials), urgent=False)
        return template

    def copied(self, revision_id: str) -> None:
        """A copy of the template went well."""
        self._shelf.copied(revision_id)

    def lost(self, revision_id: str, template: GuardedSandbox, reason: str) -> None:
        """The template could not be copied: the next start makes another one."""
        logger.warning("a template is lost", extra={"id": revision_id, "why": reason})
        self._end(self._shelf.lost(revision_id, template))

    async def make(self, order: Snapshot) -> SnapshotMade:
        """Make the template of a revision, if it has none, and say how that ended."""
        revision_id = order.revision.revision_id
        self._begin(order, urgent=True)
        making = self._making.get(revision_id)
        if making is not None:
            return await asyncio.shield(making)
        if self._shelf.stage(revision_id) is Stage.READY:
            return SnapshotMade(revision_id=revision_id, result=SnapshotResult.READY)
        return SnapshotMade(
            revision_id=revision_id,
            result=SnapshotResult.REFUSED,
            message=self._shelf.refusal(revision_id),
        )

    def retire(self, revision_id: str) -> None:
        """The revision will never be used again."""
        # One that is being made is ended once it is there, as the shelf knows it no more.
        self._end(self._shelf.drop(revision_id))

    def give_room(self) -> bool:
        """Let go of the template that was used longest ago; say whether there was one."""
        gone = self._shelf.evict(time.monotonic())
        self._end(gone)
        return bool(gone)

    async def close(self) -> None:
        """End every template."""
        making = list(self._making.values())
        for task in making:
            task.cancel()
        if making:
            await asyncio.wait(making)
        self._end(self._shelf.clear())
        if self._ending:
            await asyncio.wait(set(self._ending), timeout=5)

    def _begin(self, order: Snapshot, *, urgent: bool) -> None:
        revision_id = order.revision.revision_id
        if not self._shelf.begin(revision_id, time.monotonic(), urgent=urgent):
            return
        task = asyncio.create_task(self._make(order))
        self._making[revision_id] = task
        task.add_done_callback(lambda ended: self._made(revision_id, ended))

    def _made(self, revision_id: str, task: asyncio.Task[SnapshotMade]) -> None:
        if self._making.get(revision_id) is task:
            del self._making[revision_id]
        self._shelf.give_up(revision_id, time.monotonic())
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a template broke", extra={"id": revision_id}, exc_info=error)

    async def _make(self, order: Snapshot) -> SnapshotMade:
        revision = order.revision
        sandbox_id = self._new_id()
        async with self._turns:
            try:
                self._make_room(revision.revision_id)
                self._capacity.charge(sandbox_id, revision.revision_id)
                guard = await self._starter.make_template(revision, sandbox_id, order.credentials)
            except BaseException as error:
                self._capacity.release(sandbox_id)
                if not isinstance(error, RefusedError):
                    raise
                logger.warning(
                    "no template was made", extra={"id": revision.revision_id, "why": error.message}
                )
                return SnapshotMade(
                    revision_id=revision.revision_id,
                    result=SnapshotResult.NOT_MADE,
                    message=error.message,
                )
        return self._judge(guard)

    def _judge(self, guard: GuardedSandbox) -> SnapshotMade:
        """Keep what init left, or say why not."""
        revision_id = guard.revision.revision_id
        init = guard.init
        assert init is not None, "a template has run its init"
        if not init.ok:
            self._end([guard])
            return _failed(guard, init)
        if init.refused:
            gone = [guard, *self._shelf.refuse(revision_id, init.refused)]
        else:
            memory_bytes = guard.usage().memory_peak_bytes
            self._capacity.hold(guard.sandbox_id, memory_bytes)
            guard.on_ended = self._died
            gone = self._shelf.put(revision_id, guard, memory_bytes, time.monotonic())
        refusal = self._shelf.refusal(revision_id)
        if refusal:
            # Once, in the function's own log and in the host's.
            guard.log.write(f"emberd: no snapshot is used: {refusal}".encode())
            extra = {"id": revision_id, "why": refusal}
            logger.warning("a revision can have no template", extra=extra)
        self._end(gone)
        return _made(guard, refusal)

    def _died(self, guard: GuardedSandbox) -> None:
        self.lost(guard.revision.revision_id, guard, "its process ended")

    def _end(self, guards: Iterable[GuardedSandbox]) -> None:
        for guard in guards:
            guard.on_ended = None
            self._capacity.release(guard.sandbox_id)
            task = asyncio.create_task(guard.destroy())
            self._ending.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._ending.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a template could not be ended", exc_info=error)


class Restorer:
    """Starts sandboxes for the pool: from their revision's template where it has one."""

    def __init__(self, starter: SandboxStarter, templates: FunctionTemplates) -> None:
        self._starter = starter
        self._templates = templates

    async def start(self, start: Start) -> Started:
        """As SandboxStarter.start; what cannot be copied starts as any other.

        Raises:
            RefusedError: nothing could be started; the reason says why.
        """
        if start.broken is not None or start.provisioned or not start.revision.snap_start:
            return await self._starter.start(start)
        template = self._templates.take(start)
        if template is None:
            return await self._starter.start(start)
        revision_id = start.revision.revision_id
        try:
            started = await self._starter.start(replace(start, template=template))
        except TemplateLostError as error:
            self._templates.lost(revision_id, template, str(error))
            return await self._starter.start(start)
        self._templates.copied(revision_id)
        return started


def _made(guard: GuardedSandbox, refusal: str) -> SnapshotMade:
    result = SnapshotResult.REFUSED if refusal else SnapshotResult.READY
    return SnapshotMade(revision_id=guard.revision.revision_id, result=result, message=refusal)


def _failed(guard: GuardedSandbox, init: InitOutcome) -> SnapshotMade:
    return SnapshotMade(
        revision_id=guard.revision.revision_id,
        result=SnapshotResult.INIT_FAILED,
        message=init.told,
        error_type=init.error_type,
    )
