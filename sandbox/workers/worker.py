"""One worker and its seats.

A seat is a sandbox to whoever holds it. What acts on a whole process is shared out: the worker is
frozen while none of its seats is awake, and has the function's share of the CPU and its memory once
for each that is; only memory that was allowed is not taken back. A seat whose guest cannot be
ended, as it waits in a host call, is given up: the worker is spent then, takes nobody any more, and
ends with the last of the events that it still has.
"""

from __future__ import annotations

import asyncio
import math
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from emberd.wire.errors import UnavailableError
from sandbox.backend import ProcessExit, Sandbox, Usage
from sandbox.runtimeapi import Place, SharedEntrance
from sandbox.sharing import SEAT_BYTES_LEAST, Sharing
from sandbox.spec import SandboxSpec
from sandbox.tunnels import CallbackDoor
from sandbox.workers.output import SharedOutput

_SIGKILL = 9


class Worker:
    """One sandbox that is many seats."""

    def __init__(
        self,
        sandbox: Sandbox,
        places: int,
        left: Callable[[Worker], None],
        has_room_beside: Callable[[], bool],
        *,
        cores: int,
    ) -> None:
        self.sandbox = sandbox
        self.has_room_beside = has_room_beside
        """Whether the function's next seat will be at a worker that stands, this or another."""
        self.entrance = SharedEntrance(sandbox.listener)
        self.output = SharedOutput(sandbox.log_fd)
        self.use_before_s = math.inf
        """Seconds since the epoch: when the credentials that it was made with are too old."""
        self.door: CallbackDoor | None = None
        """How its guests call emberd, as soon as somebody has opened it."""
        self.spent = False
        """It ends with the events that it has."""
        self._places = places
        self._cores = cores
        self._left = left
        self._seats: list[Seat] = []
        self._most_shares = 1
        """What its memory's peak was of, whatever has run in it."""
        self._init_bytes = 0
        """Its memory's peak by the end of its first init."""
        self._begin()

    def _begin(self) -> None:
        """A new process tree runs in it."""
        self.spent = False
        self._ready = False
        self._frozen = self._limited = False
        self._shares, self._memory_shares = 0, 1

    @property
    def taken(self) -> int:
        """Its seats now."""
        return len(self._seats)

    @property
    def has_room(self) -> bool:
        """Whether it can have one more seat."""
        fit = self._ready and not self.spent and time.time() < self.use_before_s
        return fit and len(self._seats) < self._places

    def seat(self, sandbox_id: str) -> Seat:
        """One more; the first finds the process at its init, any other after it."""
        seat = Seat(self, replace(self.sandbox.spec, sandbox_id=sandbox_id), joined=self._ready)
        self._seats.append(seat)
        self.balance()
        return seat

    def is_sole(self, seat: Seat) -> bool:
        """Whether no other one would feel what is done to the process."""
        return self._seats == [seat]

    def initialised(self) -> None:
        """Its init is over: others may join. Idempotent."""
        if not self._init_bytes:
            self._init_bytes = self.sandbox.usage().memory_peak_bytes
        self._ready = True

    def spend(self) -> None:
        """Let it take nobody any more, and end with the events that it has. Idempotent."""
        self.spent = True
        for seat in self._seats:
            if not seat.is_awake:
                seat.end()

    def limit(self) -> None:
        """From init's full vCPU to what its seats have."""
        self._limited = True
        self.balance()

    def ended(self) -> None:
        """Its process is gone."""
        self._ready = False

    def balance(self) -> None:
        """Freeze it or not, and give it its share, as its seats are awake."""
        awake = any(seat.is_awake for seat in self._seats)
        shares = max(1, sum(seat.has_share for seat in self._seats))
        self._most_shares = max(self._most_shares, shares)
        if shares > self._memory_shares:
            self._memory_shares = shares
            self.sandbox.allow_memory(shares)
        if awake and self._frozen:
            self.sandbox.thaw()
        elif not awake and not self._frozen:
            self.sandbox.freeze()
        self._frozen = not awake
        if self._limited and awake and shares != self._shares:
            self._shares = shares
            self.sandbox.limit_cpu(shares)

    def usage(self) -> Usage:
        """A seat's: an even share of the worker's memory when most of them were awake."""
        whole = self.sandbox.usage()
        peak_bytes = whole.memory_peak_bytes
        by_events = max(0, peak_bytes - self._init_bytes) // self._most_shares
        sharing = Sharing(
            worker_bytes=self._init_bytes or peak_bytes,
            seat_bytes=max(SEAT_BYTES_LEAST, by_events),
            places=self._places,
            cores=self._cores,
        )
        return replace(whole, memory_peak_bytes=peak_bytes // self._most_shares, sharing=sharing)

    async def begin_again(self) -> None:
        """A new process tree."""
        self._begin()
        await self.sandbox.reset()

    async def leave(self, seat: Seat) -> None:
        """A seat is given up; nothing is left of a worker without any. Idempotent."""
        if seat not in self._seats:
            return
        self._seats.remove(seat)
        if self._seats:
            self.balance()
            return
        self.spent = True
        self._left(self)
        self.output.close()
        if self.door is not None:
            await self.door.close()
        self.entrance.close()
        await self.sandbox.destroy()


class Seat:
    """A place for one event at a time in a worker."""

    def __init__(self, worker: Worker, spec: SandboxSpec, *, joined: bool) -> None:
        self.worker = worker
        self.entrance = Place(worker.entrance)
        self.joined = joined
        """Whether the worker had its init before."""
        self.is_awake = True
        self.has_share = not joined
        """Whether it has had an event since it was frozen: its worker has more for it then."""
        self._spec = spec
        self._gone: asyncio.Future[ProcessExit] = asyncio.get_running_loop().create_future()

    @property
    def spec(self) -> SandboxSpec:
        """The worker's, with an id of its own."""
        return self._spec

    @property
    def listener(self) -> socket.socket:
        """The worker's."""
        return self.worker.sandbox.listener

    @property
    def callback_listener(self) -> socket.socket:
        """The worker's."""
        return self.worker.sandbox.callback_listener

    @property
    def xray_socket(self) -> socket.socket:
        """The worker's."""
        return self.worker.sandbox.xray_socket

    @property
    def otlp_listener(self) -> socket.socket:
        """The worker's."""
        return self.worker.sandbox.otlp_listener

    @property
    def log_fd(self) -> int:
        """The worker's, which only its output reads."""
        return self.worker.sandbox.log_fd

    @property
    def phases(self) -> Sequence[tuple[str, int, int]]:
        """What making the worker took, for who waited for that."""
        return () if self.joined else self.worker.sandbox.phases

    @property
    def was_parked(self) -> bool:
        """As the worker."""
        return self.worker.sandbox.was_parked

    @property
    def can_restart(self) -> bool:
        """Whether the process is its alone, so that it can have a new one."""
        return self.worker.is_sole(self)

    async def wait(self) -> ProcessExit:
        """Return once the process has ended, or this seat was given up."""
        tree = asyncio.ensure_future(self.worker.sandbox.wait())
        try:
            await asyncio.wait({tree, self._gone}, return_when=asyncio.FIRST_COMPLETED)
            if tree.done():
                self.worker.ended()
                return tree.result()
            return self._gone.result()
        finally:
            tree.cancel()

    def freeze(self) -> None:
        """It needs no CPU; its worker is frozen when none of its seats does."""
        self.worker.initialised()
        self.is_awake = self.has_share = False
        if self.worker.spent:
            self.end()
        self.worker.balance()

    def thaw(self) -> None:
        """Undo freeze, for an event."""
        self.is_awake = self.has_share = True
        self.worker.balance()

    def limit_cpu(self, shares: int = 1) -> None:
        """Init is over and an event comes: its worker has a share for each seat with one."""
        assert shares == 1, "a seat has one share"
        self.has_share = True
        self.worker.initialised()
        self.worker.limit()

    def allow_memory(self, shares: int) -> None:
        """Its worker has memory for each seat anyway."""
        raise AssertionError("a seat has the memory of one")

    def usage(self) -> Usage:
        """Its share of the worker's."""
        return self.worker.usage()

    async def kill(self) -> None:
        """End the process where it is this seat's alone, else let it have no event any more."""
        if self.worker.is_sole(self):
            # Nobody joins what is about to end.
            self.worker.ended()
            await self.worker.sandbox.kill()
            return
        self.worker.spend()
        self.end()

    def end(self) -> None:
        """Say that it has ended. Idempotent."""
        if not self._gone.done():
            self._gone.set_result(ProcessExit(signal=_SIGKILL))

    async def reset(self) -> None:
        """A new process in the worker that is this seat's alone.

        Raises:
            UnavailableError: it is not.
        """
        if not self.worker.is_sole(self):
            raise UnavailableError("its worker has other events", reason="SERVICE")
        self._gone = asyncio.get_running_loop().create_future()
        self.joined, self.is_awake, self.has_share = False, True, True
        await self.worker.begin_again()

    async def destroy(self) -> None:
        """Give it up; the last one takes the worker with it. Idempotent."""
        self.is_awake = False
        self.end()
        await self.worker.leave(self)
