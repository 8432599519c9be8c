"""Compiles packages ahead of their functions' next starts, which cannot keep what they compile.

A package is parsed in a sandbox, by the runtime that will run it, for it may be hostile even to its
parser. What comes back is unpacked like any package and attached beside the code.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

from emberd.wire.errors import UnavailableError
from runtimes.catalog import RUNTIMES
from sandbox import environment
from sandbox.backend import Backend, Sandbox
from sandbox.capacity import Capacity
from sandbox.guard import GuardedSandbox
from sandbox.logs import SandboxLog
from sandbox.runtimeapi import ResponseStream, RuntimeEvent
from sandbox.spec import FULL_VCPU_MILLIS, NO_NETWORK, Limits, SandboxSpec
from sandbox.unpack import unpack
from sandbox.work import LogRecord, Revision

SOURCE_BYTES_MIN = 64 * 1024
"""Less is compiled faster (some 10 ms) than it is worth a sandbox of its own."""
COMPILE_S_MAX = 300.0
ARCHIVE_BYTES_MAX = 256 * 1024 * 1024
_MEMORY_MB, _EPHEMERAL_MB = 512, 512
_CPU_MILLIS = 250
"""Little, and little weight: nobody waits for it."""
_FIRST_MEMORY_MB, _FIRST_CPU_MILLIS = 768, FULL_VCPU_MILLIS
"""Of runtimes that are compiled first: somebody waits."""
FIRST_AT_ONCE = 2
"""Of those, so that one that takes long does not hold up all others."""
_INIT_S = 10.0
_READ_BYTES = 1024 * 1024


class Compiler:
    """Compiles one package at a time, and beside it two that somebody waits for."""

    def __init__(
        self,
        backend: Backend,
        executor: Executor,
        new_id: Callable[[], str],
        capacity: Capacity,
    ) -> None:
        """What compiles is charged as sandboxes are: it may take more than most."""
        self._backend = backend
        self._executor = executor
        self._new_id = new_id
        self._capacity = capacity
        self._turns = {False: asyncio.Semaphore(), True: asyncio.Semaphore(FIRST_AT_ONCE)}
        self._versions: Mapping[str, str] = {
            each.runtime_id: each.version for each in backend.runtimes
        }

    def name_of(self, revision: Revision, code: Path, layers: Path | None) -> str:
        """What tells the bytecode of a package with its layers from any other; empty: none is."""
        runtime = RUNTIMES.get(revision.runtime_id)
        if runtime is None or not runtime.compiler or revision.runtime_id not in self._versions:
            return ""
        parts = (self._versions[revision.runtime_id], code.name, layers.name if layers else "")
        return hashlib.sha256(" ".join(parts).encode()).hexdigest()

    async def is_worthwhile(self, runtime_id: str, code: Path, layers: Path | None) -> bool:
        """Whether there is so much source that compiling it would be felt."""
        loop = asyncio.get_running_loop()
        suffix = RUNTIMES[runtime_id].source_suffix
        folders = [code, layers] if layers else [code]
        sizes = [
            await loop.run_in_executor(self._executor, source_bytes, each, suffix)
            for each in folders
        ]
        return sum(sizes) >= SOURCE_BYTES_MIN

    async def compile(
        self, revision: Revision, code: Path, layers: Path | None, target: Path
    ) -> int:
        """Make a folder of bytecode, and return the bytes in it.

        Raises:
            EmberdError: no sandbox could be made, or it did not get to its end.
            UnpackError: what came back is no archive.
        """
        archive = target.with_suffix(".zip")
        try:
            turn = self._turns[RUNTIMES[revision.runtime_id].compiled_first]
            async with turn, asyncio.timeout(COMPILE_S_MAX):
                await self._run(revision, code, layers, archive)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._executor, unpack, archive, target)
        except TimeoutError:
            raise _failed(f"it took longer than {COMPILE_S_MAX:.0f} s") from None
        finally:
            archive.unlink(missing_ok=True)

    async def _run(
        self, revision: Revision, code: Path, layers: Path | None, archive: Path
    ) -> None:
        runtime = RUNTIMES[revision.runtime_id]
        memory_mb = _FIRST_MEMORY_MB if runtime.compiled_first else _MEMORY_MB
        cpu_millis = _FIRST_CPU_MILLIS if runtime.compiled_first else _CPU_MILLIS
        ours = replace(
            revision,
            handler=runtime.compiler,
            environment={},
            memory_size_mb=memory_mb,
            ephemeral_storage_mb=_EPHEMERAL_MB,
            timeout_s=COMPILE_S_MAX,
        )
        spec = SandboxSpec(
            sandbox_id=self._new_id(),
            revision_id=f"bytecode-{revision.revision_id}",
            runtime_id=ours.runtime_id,
            code_directory=str(code),
            layers_directory=str(layers or ""),
            environment=environment.variables(ours, ""),
            limits=replace(Limits.for_memory(memory_mb, _EPHEMERAL_MB), cpu_millis=cpu_millis),
            network=NO_NETWORK,
        )
        # Charged at once, as it has begun, whatever else there is; admission of others counts it.
        kind = f"bytecode of {runtime.runtime_id}"
        self._capacity.charge(spec.sandbox_id, kind)
        try:
            await self._run_in(spec, ours, kind, archive)
        finally:
            self._capacity.release(spec.sandbox_id)

    async def _run_in(self, spec: SandboxSpec, ours: Revision, kind: str, archive: Path) -> None:
        guard = await GuardedSandbox.create(
            self._backend, spec, ours, log=lambda sandbox: _log_of(sandbox, ours)
        )
        try:
            started = await guard.initialise(_INIT_S)
            if not started.ok:
                raise _failed(f"its init ended with {started.error_type}")
            await _receive(guard, ours, archive)
            peak_bytes = guard.usage().memory_peak_bytes
            self._capacity.measured(spec.sandbox_id, kind, peak_bytes)
        finally:
            await guard.destroy()


async def _receive(guard: GuardedSandbox, ours: Revision, archive: Path) -> None:
    """Ask for the archive, and write it down as it comes."""
    writing: list[asyncio.Task[None]] = []
    event = RuntimeEvent(
        request_id="bytecode",
        payload=b"{}",
        deadline_ms=int((time.time() + COMPILE_S_MAX) * 1000),
        invoked_function_arn=ours.function_arn,
        stream_limit_bytes=ARCHIVE_BYTES_MAX,
    )
    try:
        outcome = await guard.serve(
            event,
            COMPILE_S_MAX,
            begun=lambda stream: writing.append(asyncio.create_task(_write(stream, archive))),
        )
        if outcome.error_type or not writing:
            raise _failed(f"it ended with {outcome.error_type or 'an answer of another kind'}")
        await writing[0]
    finally:
        for task in writing:
            task.cancel()


async def _write(stream: ResponseStream, archive: Path) -> None:
    with archive.open("wb") as sink:
        while piece := await stream.pipe.read(_READ_BYTES):
            sink.write(piece)


def source_bytes(folder: Path, suffix: str) -> int:
    """Of all sources in a folder, by the end of their names. Blocks."""
    found = (each for each in folder.rglob(f"*{suffix}") if not each.is_symlink())
    return sum(each.stat().st_size for each in found)


def _log_of(sandbox: Sandbox, ours: Revision) -> SandboxLog:
    """Read, so that nothing waits for it, and then forgotten: it is no output of the function's."""

    def forget(_record: LogRecord) -> None:
        return

    return SandboxLog(
        sandbox.log_fd,
        forget,
        function_name=ours.function_name,
        version=ours.version,
        log_stream="",
        log_group=ours.log_group,
    )


def _failed(why: str) -> UnavailableError:
    return UnavailableError(f"a package could not be compiled: {why}", reason="SERVICE")
