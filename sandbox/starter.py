"""How a sandbox comes to be: package on the host, sandbox born, init phase run or restored."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from emberd.wire.errors import CapacityError, EmberdError
from sandbox import environment, report
from sandbox.artifacts import CodeCache
from sandbox.backend import Backend, Sandbox
from sandbox.guard import GuardedSandbox
from sandbox.logs import SandboxLog
from sandbox.outcomes import InitOutcome
from sandbox.spec import Limits, SandboxSpec
from sandbox.starts import Start, Started
from sandbox.tracing.doors import SpanDoor, SpanDoors
from sandbox.tunnels import CallbackDoor, CallbackDoors
from sandbox.work import (
    Credentials,
    LogRecord,
    Phase,
    RefusalReason,
    RefusedError,
    Revision,
)
from sandbox.workers.backend import Workers
from sandbox.workers.worker import Seat

INIT_TIMEOUT_S = 10.0
"""Lambda's limit for the Init phase of an on-demand function."""

PROVISIONED_INIT_TIMEOUT_S = 130.0
"""The limit where nobody waits; a longer time-out of the function extends it."""

RESTORE_TIMEOUT_S = 10.0
"""Lambda's limit for a restore and the hooks after it."""


class TemplateLostError(Exception):
    """A template cannot be copied any more, or not this time; its message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Birth:
    """What a fresh sandbox is to be."""

    revision: Revision
    sandbox_id: str
    credentials: Credentials | None
    provisioned: bool = False
    is_template: bool = False
    template: GuardedSandbox | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Born:
    guard: GuardedSandbox
    begun_ns: int
    """When its making began, its package being here."""
    artifact: Phase


class SandboxStarter:
    """Makes fresh sandboxes, copies and templates, and gives broken ones a new init."""

    def __init__(
        self,
        backend: Backend,
        code: CodeCache,
        log_sink: Callable[[LogRecord], None],
        doors: CallbackDoors,
        span_doors: SpanDoors,
    ) -> None:
        self._workers = Workers(backend, cores=os.cpu_count() or 1)
        self._code = code
        self._log_sink = log_sink
        self._doors = doors
        self._span_doors = span_doors
        self._versions = {each.runtime_id: each.version for each in backend.runtimes}

    async def start(self, start: Start) -> Started:
        """Make a sandbox, or restart the broken one, and run its init phase.

        An init that fails is no error here: the attempt that gets the sandbox repeats it within
        the function's time-out, as Lambda does, and answers with what it finds then.

        Raises:
            RefusedError: nothing could be started; the reason says why.
            TemplateLostError: it was to be copied, and that did not go; start it without.
        """
        self._check_runtime(start.revision.runtime_id)
        try:
            if start.broken is not None:
                return await self._restart(start.broken, start)
            if start.template is not None:
                return await self._copy(start, start.template)
            return await self._fresh(start)
        except CapacityError as error:
            raise RefusedError(RefusalReason.BUSY, error.message) from error
        except EmberdError as error:
            raise RefusedError(RefusalReason.START_FAILED, error.message) from error

    async def make_template(
        self, revision: Revision, sandbox_id: str, credentials: Credentials | None
    ) -> GuardedSandbox:
        """Run an init and let what it leaves wait to be copied; its init may have failed.

        Raises:
            RefusedError: it could not be made; the reason says why.
        """
        self._check_runtime(revision.runtime_id)
        try:
            born = await self._born(
                _Birth(
                    revision=revision,
                    sandbox_id=sandbox_id,
                    credentials=credentials,
                    is_template=True,
                )
            )
        except CapacityError as error:
            raise RefusedError(RefusalReason.BUSY, error.message) from error
        except EmberdError as error:
            raise RefusedError(RefusalReason.START_FAILED, error.message) from error
        async with _ended_unless_done(born.guard):
            limit_s = max(PROVISIONED_INIT_TIMEOUT_S, revision.timeout_s)
            await self._run_init(born.guard, limit_s, always=True)
        return born.guard

    def _check_runtime(self, runtime_id: str) -> None:
        if runtime_id not in self._versions:
            raise RefusedError(
                RefusalReason.RUNTIME,
                f"this host has no runtime {runtime_id}, only {sorted(self._versions)}",
            )

    async def _fresh(self, start: Start) -> Started:
        born = await self._born(
            _Birth(
                revision=start.revision,
                sandbox_id=start.sandbox_id,
                credentials=start.credentials,
                provisioned=start.provisioned,
            )
        )
        async with _ended_unless_done(born.guard):
            return await self._initialise(born.guard, start, born.begun_ns, (born.artifact,))

    async def _copy(self, start: Start, template: GuardedSandbox) -> Started:
        try:
            born = await self._born(
                _Birth(
                    revision=start.revision,
                    sandbox_id=start.sandbox_id,
                    credentials=start.credentials,
                    template=template,
                )
            )
        except CapacityError:
            raise
        except EmberdError as error:
            raise TemplateLostError(error.message) from error
        guard = born.guard
        # What init has made with the template's credentials ends with them.
        guard.use_before_s = min(guard.use_before_s, template.use_before_s)
        async with _ended_unless_done(guard):
            restore = await self._restore(guard, born.begun_ns)
        sandbox = Phase(name="sandbox", start_ns=born.begun_ns, end_ns=restore.start_ns)
        return Started(guard=guard, phases=(born.artifact, sandbox, *_parts(guard), restore))

    async def _restore(self, guard: GuardedSandbox, born_ns: int) -> Phase:
        """Wait until a copy is restored. A restore that fails is told by the attempt."""
        begun_ns = guard.running_since_ns
        runtime_id = guard.revision.runtime_id
        guard.log.begin("")
        guard.log.write(report.restore_start_line(runtime_id, self._versions[runtime_id]))
        outcome = await guard.initialise(RESTORE_TIMEOUT_S)
        end_ns = time.time_ns()
        guard.restore_duration_ns = end_ns - born_ns
        guard.log.write(
            report.restore_report_line(
                guard.restore_duration_ns, outcome.status, outcome.error_type
            )
        )
        return Phase(name="restore", start_ns=begun_ns, end_ns=end_ns)

    async def _born(self, birth: _Birth) -> _Born:
        revision, sandbox_id, credentials = birth.revision, birth.sandbox_id, birth.credentials
        template = birth.template
        fetch_ns = time.time_ns()
        folders = await self._code.take(revision)
        born_ns = time.time_ns()
        stream = environment.log_stream(
            revision, datetime.now(UTC).strftime("%Y/%m/%d"), sandbox_id.removeprefix("sb-")
        )
        spec = SandboxSpec(
            sandbox_id=sandbox_id,
            revision_id=revision.revision_id,
            runtime_id=revision.runtime_id,
            code_directory=str(folders.code),
            layers_directory=str(folders.layers or ""),
            bytecode_directory=str(folders.bytecode or ""),
            environment=environment.variables(
                revision,
                stream,
                credentials,
                provisioned=birth.provisioned,
                snap_start=birth.is_template or template is not None,
            ),
            limits=Limits.for_memory(revision.memory_size_mb, revision.ephemeral_storage_mb),
            network=revision.network,
            is_template=birth.is_template,
            clone_of="" if template is None else template.sandbox_id,
        )
        try:
            guard = await GuardedSandbox.create(
                self._workers,
                spec,
                revision,
                log=lambda sandbox: self._log_of(sandbox, revision),
                door=lambda sandbox: self._door_of(sandbox, revision),
                spans=lambda sandbox: self._spans_of(sandbox, revision),
            )
        except EmberdError:
            self._code.give_back(folders)
            raise
        if credentials is not None:
            guard.use_until(environment.use_before_s(credentials, revision.timeout_s))
        guard.on_destroyed = lambda: self._code.give_back(folders)
        artifact = Phase(name="artifact", start_ns=fetch_ns, end_ns=born_ns)
        return _Born(guard=guard, begun_ns=born_ns, artifact=artifact)

    async def _restart(self, guard: GuardedSandbox, start: Start) -> Started:
        born_ns = time.time_ns()
        try:
            await guard.restart()
        except EmberdError:
            await guard.destroy()
            raise
        return await self._initialise(guard, start, born_ns, ())

    async def _initialise(
        self, guard: GuardedSandbox, start: Start, born_ns: int, before: tuple[Phase, ...]
    ) -> Started:
        begun_ns = guard.running_since_ns
        limit_s = INIT_TIMEOUT_S
        if start.provisioned:
            limit_s = max(PROVISIONED_INIT_TIMEOUT_S, start.revision.timeout_s)
        if guard.joined:
            await guard.initialise(limit_s)
        else:
            await self._run_init(guard, limit_s, always=start.provisioned)
        sandbox = Phase(name="sandbox", start_ns=born_ns, end_ns=begun_ns)
        init = Phase(name="init", start_ns=begun_ns, end_ns=time.time_ns())
        return Started(guard=guard, phases=(*before, sandbox, *_parts(guard), init))

    async def _run_init(self, guard: GuardedSandbox, limit_s: float, *, always: bool) -> None:
        guard.log.begin("")
        runtime_id = guard.revision.runtime_id
        guard.log.write(report.init_start_line(runtime_id, self._versions[runtime_id]))
        outcome = await guard.initialise(limit_s)
        log_init(guard, outcome, "init", always=always)

    def _door_of(self, sandbox: Sandbox, revision: Revision) -> CallbackDoor | None:
        if isinstance(sandbox, Seat):
            worker = sandbox.worker
            if worker.door is None:
                worker.door = self._door_of(worker.sandbox, revision)
            return None
        return self._doors.open(
            sandbox.callback_listener, sandbox.spec.sandbox_id, revision.function_arn
        )

    def _spans_of(self, sandbox: Sandbox, revision: Revision) -> SpanDoor | None:
        if isinstance(sandbox, Seat):
            return None
        return self._span_doors.open(
            sandbox.xray_socket, sandbox.otlp_listener, revision.function_name, revision.version
        )

    def _log_of(self, sandbox: Sandbox, revision: Revision) -> SandboxLog:
        seat = sandbox if isinstance(sandbox, Seat) else None
        return SandboxLog(
            seat.worker.output.attach if seat else sandbox.log_fd,
            self._log_sink,
            function_name=revision.function_name,
            version=revision.version,
            # The one that its variables say: all seats of a worker have the same.
            log_stream=sandbox.spec.environment[environment.LOG_STREAM],
            log_group=revision.log_group,
        )


@asynccontextmanager
async def _ended_unless_done(guard: GuardedSandbox) -> AsyncIterator[None]:
    """Whoever stops waiting for a sandbox, as a host that ends, leaves none behind."""
    try:
        yield
    except BaseException:
        await guard.destroy()
        raise


def _parts(guard: GuardedSandbox) -> tuple[Phase, ...]:
    return tuple(
        Phase(name=name, start_ns=start_ns, end_ns=end_ns, parent="sandbox")
        for name, start_ns, end_ns in guard.start_phases
    )


def log_init(
    guard: GuardedSandbox, outcome: InitOutcome, phase: str, *, always: bool = False
) -> None:
    """Write Lambda's INIT_REPORT line for an init that failed, or always."""
    if always or not outcome.ok:
        guard.log.write(
            report.init_report_line(outcome.duration_ns, phase, outcome.status, outcome.error_type)
        )
