"""The host agent: runs user code, decides nothing global. Started by the launcher, unprivileged.

    session (the stream) -> attempts -> pool -> starter -> backend (the launcher's verbs)

This is the composition root of the host plane, and the one place where its parts are made.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import platform
import secrets
import signal
import socket
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import uvloop

from emberd.fleet.v1 import fleet_pb2 as pb
from emberd.wire.logtext import log_to_stderr, say_in_every_line
from sandbox import frames
from sandbox.ahead import Ahead
from sandbox.artifacts import CodeCache, free_bytes
from sandbox.attempts import AttemptRunner
from sandbox.backend import Backend
from sandbox.bytecode import Compiler
from sandbox.capacity import Capacity
from sandbox.config import AgentConfig, parse, read_token
from sandbox.function_templates import FunctionTemplates, Restorer
from sandbox.keeper import Keeper
from sandbox.logs import LogQueue
from sandbox.pool import Pool
from sandbox.process.backend import ProcessBackend
from sandbox.runtimeapi import ResponseStream
from sandbox.session import Session
from sandbox.starter import SandboxStarter
from sandbox.tracing.doors import SpanDoors
from sandbox.tracing.queue import SpanQueue
from sandbox.tunnels import CallbackDoors
from sandbox.work import (
    Attempt,
    AttemptResult,
    HostDescription,
    HostReport,
    Provision,
    RefusalReason,
    RefusedError,
    Snapshot,
    SnapshotMade,
    SnapshotResult,
)

logger = logging.getLogger(__name__)

HEARTBEAT_S = 1.0
DRAIN_S = 8.0
"""How long running invocations may go on once the agent is told to stop."""

UNPACKERS = 2


class Agent:
    """Holds the parts of one host together and answers the session."""

    def __init__(self, config: AgentConfig, backend: Backend, token: str) -> None:
        self._config = config
        self._backend = backend
        self._executor = ThreadPoolExecutor(UNPACKERS, thread_name_prefix="unpack")
        self._logs = LogQueue()
        self._spans = SpanQueue()
        self._session = Session(config.control_plane, token, self._logs, self._spans)
        self._capacity = Capacity(
            memory_bytes=config.memory_bytes, sandboxes_max=config.sandboxes_max
        )
        self._code = CodeCache(
            config.state / "code",
            self._session.fetch_artifact,
            self._executor,
            disk_reserve_bytes=config.disk_reserve_bytes,
        )
        self._code.compile_with(Compiler(backend, self._executor, _new_sandbox_id, self._capacity))
        starter = SandboxStarter(
            backend,
            self._code,
            self._logs.offer,
            CallbackDoors(self._session.open_tunnel),
            SpanDoors(self._spans),
        )
        self._templates = FunctionTemplates(
            starter,
            self._capacity,
            memory_bytes=config.template_memory_bytes,
            new_id=_new_sandbox_id,
            make_room=lambda revision_id: self._pool.make_room(revision_id),
        )
        self._pool = Pool(
            Restorer(starter, self._templates).start,
            self._capacity,
            cores=os.cpu_count() or 1,
            new_id=_new_sandbox_id,
            changed=self._pool_changed,
        )
        self._pool.give_room = self._templates.give_room
        self._pool.make_ready = self._code.make_ready
        self._keeper = Keeper(self._pool, self._provisioned)
        self._attempts = AttemptRunner(
            self._pool,
            Ahead(self._pool, self._capacity),
            self._capacity,
            self._session.fetch_payload,
        )
        self._running: dict[str, asyncio.Task[None]] = {}
        self._snapshots: set[asyncio.Task[None]] = set()
        self._draining = False
        self._lost = False

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until told to stop; then drain with a deadline and leave nothing."""
        self._code.open()
        pool = asyncio.create_task(self._pool.run())
        keeper = asyncio.create_task(self._keeper.run())
        beat = asyncio.create_task(self._heartbeats())
        session = asyncio.create_task(self._session.run(self))
        stopped = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait(
                {pool, keeper, beat, session, stopped}, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done - {stopped}:
                task.result()
            await self._drain()
        finally:
            for task in (stopped, beat, session, keeper, pool):
                task.cancel()
            await asyncio.wait({stopped, beat, session, keeper, pool}, timeout=6)
            await self._code.close()
            await self._templates.close()
            await self._session.close()
            await self._backend.close()
            self._executor.shutdown(wait=False, cancel_futures=True)

    def hello(self, last_epoch: int) -> pb.HostFrame:
        """Introduce the host as it is now, for a new stream."""
        self._keeper.forget_all()
        config = self._config
        description = HostDescription(
            host_id=config.host_id,
            architecture=platform.machine(),
            memory_bytes=config.memory_bytes,
            cpu_millis=1000 * (os.cpu_count() or 1),
            sandboxes_max=config.sandboxes_max,
            runtimes={each.runtime_id: each.version for each in self._backend.runtimes},
            labels=dict(config.labels),
            isolation_notes=tuple(getattr(self._backend, "isolation_notes", ())),
            networks=config.networks,
        )
        return frames.hello(
            description,
            idle=self._pool.idle_counts,
            artifact_ids=self._code.artifact_ids,
            last_epoch=last_epoch,
        )

    def lose_sandboxes(self) -> None:
        """The launcher is gone: from here on no end of an attempt is the function's own."""
        self._lost = True

    def on_dispatch(self, attempt: Attempt) -> None:
        """Run this, or say at once that it cannot be."""
        if self._draining:
            self._session.refuse(
                attempt.invocation_id, RefusalReason.DRAINING, "the host is stopping"
            )
            return
        task = asyncio.create_task(self._run(attempt))
        self._running[attempt.invocation_id] = task
        task.add_done_callback(lambda _: self._running.pop(attempt.invocation_id, None))

    def on_cancel(self, invocation_id: str) -> None:
        """Nobody waits any more. What runs goes on, as on Lambda; the answer is dropped."""
        logger.debug("a caller left", extra={"id": invocation_id})

    def on_retire(self, revision_id: str) -> None:
        """Sandboxes of it will never be used again."""
        self._keeper.forget(revision_id)
        self._pool.retire(revision_id)
        self._templates.retire(revision_id)

    def on_drain(self) -> None:
        """Finish what runs, accept nothing new."""
        self._draining = True
        self._keeper.forget_all()

    def on_provision(self, provision: Provision) -> None:
        """Keep so many sandboxes ready."""
        if not self._draining:
            self._keeper.want(provision)

    def on_snapshot(self, order: Snapshot) -> None:
        """Make a revision ready, with SnapStart by running its init once, and say how it ended."""
        if not self._draining:
            task = asyncio.create_task(self._make_ready(order))
            self._snapshots.add(task)
            task.add_done_callback(self._snapshots.discard)

    async def answer(self, result: AttemptResult) -> None:
        """Report the end of an attempt."""
        # Every sandbox dies with the launcher. To the callers that is a lost host, as the end of
        # the stream tells them, and no exit of their functions.
        if not self._lost:
            await self._session.answer(result)

    async def relay(self, attempt: Attempt, stream: ResponseStream) -> bool:
        """Carry a streamed answer to its caller."""
        return await self._session.relay(attempt, stream)

    async def _run(self, attempt: Attempt) -> None:
        try:
            await self._attempts.run(attempt, self)
        except RefusedError as error:
            self._session.refuse(attempt.invocation_id, error.reason, error.message)
        except Exception as error:
            # The supervision point of attempts: a surprise ends one attempt, with an answer.
            logger.exception("an attempt failed unexpectedly", extra={"id": attempt.invocation_id})
            self._session.refuse(
                attempt.invocation_id, RefusalReason.START_FAILED, f"internal error: {error!r}"
            )

    async def _make_ready(self, order: Snapshot) -> None:
        revision = order.revision
        made = SnapshotMade(revision_id=revision.revision_id, result=SnapshotResult.READY)
        try:
            await self._code.make_ready(revision)
            if revision.snap_start:
                made = await self._templates.make(order)
        except RefusedError as error:
            made = replace(made, result=SnapshotResult.NOT_MADE, message=error.message)
        self._session.send(frames.snapshot_made(made))

    async def _drain(self) -> None:
        self.on_drain()
        self._session.leave()
        if self._running:
            done = asyncio.create_task(asyncio.wait(set(self._running.values())))
            left = asyncio.create_task(self._session.left())
            waits = {done, left}
            await asyncio.wait(waits, timeout=DRAIN_S, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
            # One more turn lets the last results reach the stream before it is closed.
            await asyncio.sleep(0.05)
        for task in list(self._running.values()):
            task.cancel()

    async def _heartbeats(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            self._session.send(
                frames.heartbeat(
                    HostReport(
                        memory_charged_bytes=self._capacity.charged_bytes,
                        sandboxes=self._capacity.sandboxes,
                        parked=self._backend.stock.parked,
                        runtime_templates=self._backend.stock.runtime_templates,
                        function_templates=self._templates.count,
                        starts_waiting=self._pool.starts_waiting,
                        logs_dropped=self._logs.dropped,
                        disk_free_bytes=free_bytes(self._config.state),
                    )
                )
            )

    def _provisioned(self, revision_id: str, allocated: int, failure: str) -> None:
        self._session.send(frames.provisioned(revision_id, allocated, failure))

    def _pool_changed(self, revision_id: str, idle: int) -> None:
        self._session.send(frames.pool_changed(revision_id, idle))


def _new_sandbox_id() -> str:
    return f"sb-{secrets.token_hex(16)}"


async def serve(config: AgentConfig) -> None:
    """Run one agent from its first breath to SIGTERM or the launcher's end."""
    token = read_token(config.token_fd)
    backend = await ProcessBackend.connect(socket.socket(fileno=config.launcher_fd))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, stop.set)
    agent = Agent(config, backend, token)
    # What was read stays for good; looking through it, as the collector does whenever enough has
    # outlived an invocation, would hold everybody up for 9 ms.
    gc.freeze()

    def launcher_lost() -> None:
        agent.lose_sandboxes()
        stop.set()

    backend.on_lost(launcher_lost)
    await agent.run(stop)


def main(arguments: Sequence[str]) -> None:
    """Entry point of `python -m sandbox.agent`."""
    config = parse(arguments)
    log_to_stderr("agent", config.log_level)
    if config.missing_walls:
        say_in_every_line("missing_walls", config.missing_walls)
    uvloop.run(serve(config))


if __name__ == "__main__":
    main(sys.argv[1:])
