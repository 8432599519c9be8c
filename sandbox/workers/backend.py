"""A backend whose sandboxes are seats at workers, where the runtime can have them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from runtimes.catalog import RUNTIMES, SEATS_VARIABLE
from sandbox.backend import Sandbox, SandboxMaker
from sandbox.sharing import FEW_SEATS
from sandbox.spec import MIB, SandboxSpec
from sandbox.workers.worker import Worker

WORKER_BYTES_MAX = 4096 * MIB
"""What all seats of one worker may use together; those that may use more are fewer."""


class Workers:
    """Gives seats, and makes workers as they are needed."""

    def __init__(self, backend: SandboxMaker, *, cores: int) -> None:
        self._backend = backend
        self._cores = cores
        self._workers: dict[str, list[Worker]] = {}
        """By revision."""
        self._making: Counter[str] = Counter()
        """How many are being made, by revision."""

    async def create(self, spec: SandboxSpec) -> Sandbox:
        """A seat, or a sandbox of its own.

        Raises:
            CapacityError: no uid range, cgroup or disk left.
            UnavailableError: the sandbox could not be made; the message says which step and why.
        """
        places = places_for(spec)
        if places == 1:
            return await self._backend.create(spec)
        worker = self._with_room(spec.revision_id)
        if worker is None:
            self._making[spec.revision_id] += 1
            try:
                worker = await self._make(spec, places)
            finally:
                self._making -= Counter((spec.revision_id,))
        return worker.seat(spec.sandbox_id)

    def _with_room(self, revision_id: str) -> Worker | None:
        there = self._workers.get(revision_id, [])
        best = min((each for each in there if each.has_room), key=_taken, default=None)
        count = len(there) + self._making[revision_id]
        if best is not None and best.taken >= FEW_SEATS and count < self._cores:
            return None
        return best

    async def _make(self, spec: SandboxSpec, places: int) -> Worker:
        environment = {**spec.environment, SEATS_VARIABLE: str(places)}
        sandbox = await self._backend.create(replace(spec, environment=environment))
        worker = Worker(
            sandbox,
            places,
            lambda gone: self._forget(spec.revision_id, gone),
            lambda: self._with_room(spec.revision_id) is not None,
            cores=self._cores,
        )
        await worker.entrance.open()
        self._workers.setdefault(spec.revision_id, []).append(worker)
        return worker

    def _forget(self, revision_id: str, worker: Worker) -> None:
        there = self._workers[revision_id]
        there.remove(worker)
        if not there:
            del self._workers[revision_id]


def places_for(spec: SandboxSpec) -> int:
    """How many seats a worker for this has; 1 for a sandbox that is no worker."""
    if spec.is_template or spec.clone_of:
        return 1
    return places_of(spec.runtime_id, spec.limits.memory_bytes)


def places_of(runtime_id: str, memory_bytes: int) -> int:
    """The same of a function with so much memory."""
    runtime = RUNTIMES.get(runtime_id)
    return 1 if runtime is None else max(1, min(runtime.seats, WORKER_BYTES_MAX // memory_bytes))


def _taken(worker: Worker) -> int:
    return worker.taken
