"""The images of a host: which are ready, and building the others in the background.

One job at a time, in a forked child of low priority. A create whose image is not ready waits for
it, and its jobs go first.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from runtimes.catalog import RUNTIMES
from sandbox.process import bundle, capabilities, forks, image, syscalls
from sandbox.process.discovery import Interpreter
from sandbox.process.ephemeral import Volumes
from sandbox.process.loop import Loop

logger = logging.getLogger(__name__)

Done = Callable[[str], None]
"""Called with an error text; empty when all went well."""

_NICENESS = 10
_LATER_NICENESS = 19
_FAILURE_FD = 3


@dataclass(eq=False, slots=True, kw_only=True)
class _Job:
    name: str
    work: Callable[[], None]
    waiters: list[Done]
    urgent: bool


class Jobs:
    """Runs work in forked children, one at a time, the urgent before the others."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._queue: deque[_Job] = deque()
        self._running: tuple[_Job, int, int] | None = None

    def submit(self, name: str, work: Callable[[], None], done: Done | None) -> None:
        """Run it once for all who ask; somebody who waits makes it urgent."""
        job = self._find(name)
        if job is None:
            job = _Job(name=name, work=work, waiters=[], urgent=False)
            self._queue.append(job)
        if done is not None:
            job.waiters.append(done)
            if not job.urgent:
                job.urgent = True
                if job in self._queue:
                    self._queue.remove(job)
                    self._queue.appendleft(job)
        self._start_next()

    def close(self) -> None:
        """End what runs."""
        self._queue.clear()
        if self._running is not None:
            job, pid, read_fd = self._running
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            self._loop.unwatch(read_fd)
            os.close(read_fd)
            self._running = None
            for waiter in job.waiters:
                waiter("the host is stopping")

    def _find(self, name: str) -> _Job | None:
        running = [self._running[0]] if self._running else []
        return next((job for job in (*running, *self._queue) if job.name == name), None)

    def _start_next(self) -> None:
        if self._running is not None or not self._queue:
            return
        job = self._queue.popleft()
        read_fd, write_fd = os.pipe2(os.O_CLOEXEC)
        pid = os.fork()
        if pid == 0:
            os.close(read_fd)
            _work(job, write_fd)
        os.close(write_fd)
        self._running = (job, pid, read_fd)
        started = time.monotonic()
        self._loop.watch(read_fd, lambda: self._finish(job, pid, read_fd, started))

    def _finish(self, job: _Job, pid: int, read_fd: int, started: float) -> None:
        failure = os.read(read_fd, 4096).decode(errors="replace")
        self._loop.unwatch(read_fd)
        os.close(read_fd)
        _, status = os.waitpid(pid, 0)
        if status != 0 and not failure:
            failure = f"{job.name} ended with status {status}"
        self._running = None
        took = {"job": job.name, "seconds": round(time.monotonic() - started, 2)}
        if failure:
            logger.error("a background job failed", extra={**took, "error": failure})
        else:
            logger.info("a background job is done", extra=took)
        for waiter in job.waiters:
            waiter(failure)
        self._start_next()


def _work(job: _Job, write_fd: int) -> None:
    """In the forked child: do it, say what went wrong, never return."""
    status = 1
    try:
        forks.have_own_signals((signal.SIGTERM,))
        capabilities.die_with_parent()
        # What sandboxes are made of must not live on in here when they are destroyed.
        write_fd = os.dup2(write_fd, _FAILURE_FD, inheritable=False)
        syscalls.close_from(_FAILURE_FD + 1)
        os.nice(_NICENESS if job.urgent else _LATER_NICENESS)
        job.work()
        status = 0
    except BaseException as error:
        # A child of the launcher must not run on in the launcher's code, whatever happens.
        os.write(write_fd, f"{job.name}: {type(error).__name__}: {error}".encode()[:4096])
    finally:
        os._exit(status)


class Images:
    """Where the root and the /var/runtime of each runtime are."""

    def __init__(
        self,
        folder: Path,
        interpreters: dict[str, Interpreter],
        volumes: Volumes,
        jobs: Jobs,
        sources: dict[str, Path],
    ) -> None:
        """sources replaces our own programs of a language by another folder, for tests.

        What names and versions are made of is looked at here and not at every start.
        """
        self._folder = folder
        self._interpreters = interpreters
        self._volumes = volumes
        self._jobs = jobs
        self._sources = sources
        self._bundles = {
            language: folder / bundle.bundle_name(language, self._sources_of(language))
            for language in {RUNTIMES[each].language for each in interpreters}
        }
        self._images = {key: folder / image.image_name(each) for key, each in interpreters.items()}
        self.versions: Mapping[str, str] = {
            key: bundle.engine_version(RUNTIMES[key]) or each.version
            for key, each in interpreters.items()
        }
        """Version of each runtime that can run here: of what runs the functions."""

    def open(self) -> None:
        """Remove what no runtime of this life uses, half-built images included."""
        self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        wanted = {each.name for each in self._images.values()}
        wanted |= {each.name for each in self._bundles.values()}
        for entry in self._folder.iterdir():
            if entry.name not in wanted:
                shutil.rmtree(entry, ignore_errors=True)

    def build_all(self, ephemeral_bytes: int) -> None:
        """Build in the background what is missing, the most recently used first."""
        for runtime_id in self.last_used:
            for name, work in self._missing(runtime_id, ephemeral_bytes):
                self._jobs.submit(name, work, None)
        for runtime_id in self.last_used:
            self._compile_bundle(runtime_id)

    @property
    def last_used(self) -> list[str]:
        """Runtimes, the most recently used first; what was never used, the newest version first."""
        return sorted(self._interpreters, key=self._last_use, reverse=True)

    def image(self, runtime_id: str) -> Path:
        """The root of this runtime's sandboxes."""
        return self._images[runtime_id]

    def runtime(self, runtime_id: str) -> Path:
        """The folder for /var/runtime."""
        return self._bundles[RUNTIMES[runtime_id].language]

    def used(self, runtime_id: str) -> None:
        """Remember for the next life that this runtime is wanted."""
        os.utime(self.image(runtime_id))

    def is_ready(self, runtime_id: str, ephemeral_bytes: int) -> bool:
        """Whether a sandbox of it can be made at once."""
        return not self._missing(runtime_id, ephemeral_bytes)

    def build_next(self, runtime_id: str, ephemeral_bytes: int, done: Done) -> None:
        """Build one thing that this runtime lacks, before all that nobody waits for."""
        name, work = self._missing(runtime_id, ephemeral_bytes)[0]
        self._jobs.submit(name, work, done)

    def _missing(
        self, runtime_id: str, ephemeral_bytes: int
    ) -> list[tuple[str, Callable[[], None]]]:
        missing: list[tuple[str, Callable[[], None]]] = []
        folder, target = self.runtime(runtime_id), self.image(runtime_id)
        if not folder.exists():
            missing.append((folder.name, lambda: self._build_bundle(runtime_id)))
        if not target.exists():
            missing.append((target.name, lambda: self._build_image(runtime_id)))
        if not self._volumes.is_ready(ephemeral_bytes):
            name = f"template of {ephemeral_bytes} bytes"
            missing.append((name, lambda: self._volumes.prepare(ephemeral_bytes)))
        return missing

    def _build_bundle(self, runtime_id: str) -> None:
        language = RUNTIMES[runtime_id].language
        sources = self._sources_of(language)
        self._build(self.runtime(runtime_id), lambda path: bundle.build(language, sources, path))

    def _build_image(self, runtime_id: str) -> None:
        interpreter = self._interpreters[runtime_id]
        self._build(self.image(runtime_id), lambda path: image.build(interpreter, path))

    def _build(self, target: Path, build: Callable[[Path], None]) -> None:
        building = self._folder / f"building-{target.name}-{os.getpid()}"
        os.umask(0o022)
        try:
            build(building)
            building.chmod(0o755)
            building.rename(target)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise

    def _compile_bundle(self, runtime_id: str) -> None:
        interpreter, folder = self._interpreters[runtime_id], self.runtime(runtime_id)
        mark = folder / f".compiled-{interpreter.version}"

        def compile_it() -> None:
            os.umask(0o022)
            image.compile_folder(interpreter, folder, "/var/runtime")
            mark.touch()

        if not mark.exists():
            self._jobs.submit(f"compile {folder.name} for {runtime_id}", compile_it, None)

    def _last_use(self, runtime_id: str) -> tuple[float, list[int]]:
        path = self.image(runtime_id)
        used = path.stat().st_mtime if path.exists() else 0.0
        return used, [int(part) for part in self._interpreters[runtime_id].version.split(".")]

    def _sources_of(self, language: str) -> Path:
        return self._sources.get(language, bundle.sources_of(language))
