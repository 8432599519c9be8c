"""How a sandbox comes to be: package on the host, sandbox born, init phase run."""

from __future__ import annotations

import time
from collections.abc import Callable
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
from sandbox.tunnels import CallbackDoor, CallbackDoors
from sandbox.work import LogRecord, Phase, RefusalReason, RefusedError, Revision

INIT_TIMEOUT_S = 10.0
"""Lambda's limit for the Init phase of an on-demand function."""

PROVISIONED_INIT_TIMEOUT_S = 130.0
"""The limit where nobody waits; a longer time-out of the function extends it."""


class SandboxStarter:
    """Makes fresh sandboxes and gives broken ones a new init, for the pool."""

    def __init__(
        self,
        backend: Backend,
        code: CodeCache,
        log_sink: Callable[[LogRecord], None],
        doors: CallbackDoors,
    ) -> None:
        self._backend = backend
        self._code = code
        self._log_sink = log_sink
        self._doors = doors
        self._versions = {each.runtime_id: each.version for each in backend.runtimes}

    async def start(self, start: Start) -> Started:
        """Make a sandbox, or restart the broken one, and run its init phase.

        An init that fails is no error here: the attempt that gets the sandbox repeats it within
        the function's time-out, as Lambda does, and answers with what it finds then.

        Raises:
            RefusedError: nothing could be started; the reason says why.
        """
        runtime_id = start.revision.runtime_id
        if runtime_id not in self._versions:
            raise RefusedError(
                RefusalReason.RUNTIME,
                f"this host has no runtime {runtime_id}, only {sorted(self._versions)}",
            )
        try:
            if start.broken is not None:
                return await self._restart(start.broken, start)
            return await self._fresh(start)
        except CapacityError as error:
            raise RefusedError(RefusalReason.BUSY, error.message) from error
        except EmberdError as error:
            raise RefusedError(RefusalReason.START_FAILED, error.message) from error

    async def _fresh(self, start: Start) -> Started:
        revision, sandbox_id, credentials = start.revision, start.sandbox_id, start.credentials
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
            environment=environment.variables(
                revision, stream, credentials, provisioned=start.provisioned
            ),
            limits=Limits.for_memory(revision.memory_size_mb, revision.ephemeral_storage_mb),
            network=revision.network,
        )
        try:
            guard = await GuardedSandbox.create(
                self._backend,
                spec,
                revision,
                log=lambda sandbox: self._log_of(sandbox, revision, stream),
                door=lambda sandbox: self._door_of(sandbox, revision),
            )
        except EmberdError:
            self._code.give_back(folders)
            raise
        if credentials is not None:
            guard.use_before_s = environment.use_before_s(credentials, revision.timeout_s)
        guard.on_destroyed = lambda: self._code.give_back(folders)
        artifact = Phase(name="artifact", start_ns=fetch_ns, end_ns=born_ns)
        return await self._initialise(guard, start, born_ns, (artifact,))

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
        guard.log.begin("")
        runtime_id = guard.revision.runtime_id
        guard.log.write(report.init_start_line(runtime_id, self._versions[runtime_id]))
        limit_s = INIT_TIMEOUT_S
        if start.provisioned:
            limit_s = max(PROVISIONED_INIT_TIMEOUT_S, start.revision.timeout_s)
        outcome = await guard.initialise(limit_s)
        log_init(guard, outcome, "init", always=start.provisioned)
        parts = tuple(
            Phase(name=name, start_ns=start_ns, end_ns=end_ns, parent="sandbox")
            for name, start_ns, end_ns in guard.start_phases
        )
        sandbox = Phase(name="sandbox", start_ns=born_ns, end_ns=begun_ns)
        init = Phase(name="init", start_ns=begun_ns, end_ns=time.time_ns())
        return Started(guard=guard, phases=(*before, sandbox, *parts, init))

    def _door_of(self, sandbox: Sandbox, revision: Revision) -> CallbackDoor:
        return self._doors.open(
            sandbox.callback_listener, sandbox.spec.sandbox_id, revision.function_arn
        )

    def _log_of(self, sandbox: Sandbox, revision: Revision, stream: str) -> SandboxLog:
        return SandboxLog(
            sandbox.log_fd,
            self._log_sink,
            function_name=revision.function_name,
            version=revision.version,
            log_stream=stream,
            log_group=revision.log_group,
        )


def log_init(
    guard: GuardedSandbox, outcome: InitOutcome, phase: str, *, always: bool = False
) -> None:
    """Write Lambda's INIT_REPORT line for an init that failed, or always."""
    if always or not outcome.ok:
        guard.log.write(
            report.init_report_line(outcome.duration_ns, phase, outcome.status, outcome.error_type)
        )
