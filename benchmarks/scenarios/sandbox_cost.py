"""What does a sandbox cost, from the request to the function's exec, and to be rid of it?

Three in turn, so that all see the same machine: emberd's process sandbox as the agent asks for it,
`bwrap --unshare-all`, and a C program with the system calls of the same namespaces and mounts and
nothing else. For emberd it counts from the request to the launcher's word that exec has happened;
for the others from their spawn to the first byte of a static program of six lines. emberd takes an
embryo made ahead, which bwrap has no equivalent of, so starts that find none are measured too.
"""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.figures import Figure, Result, Samples, ratio_of_medians
from benchmarks.floors import sandbox as floor
from benchmarks.harness import BenchmarkError, Effort
from benchmarks.peers import bubblewrap
from sandbox.process.backend import ProcessBackend
from sandbox.spec import SandboxSpec
from tests.host.harness import Host, what_is_missing

QUESTION = "What does a sandbox cost, to exec and to be rid of?"
WAITS = "import signal\nsignal.pause()"
QUIET_S = 0.15
"""Longer than the launcher needs to make the next embryo when it is idle."""
BURST = 6
"""Starts at once; the launcher keeps two embryos."""


@dataclass(slots=True)
class Taken:
    """Nanoseconds of one kind of sandbox, by round."""

    creates: list[list[int]] = field(default_factory=list)
    destroys: list[list[int]] = field(default_factory=list)

    def begin_round(self) -> None:
        """Another round begins."""
        self.creates.append([])
        self.destroys.append([])

    def add(self, create_ns: int, destroy_ns: int) -> None:
        """One life in the round."""
        self.creates[-1].append(create_ns)
        self.destroys[-1].append(destroy_ns)


def run(effort: Effort) -> Result:
    """Measure the three in turn; needs root."""
    missing = what_is_missing()
    if missing:
        raise BenchmarkError(f"sandboxes need {missing}")
    with tempfile.TemporaryDirectory(prefix="emberd-bench-") as name:
        folder = Path(name)
        host = Host(folder)
        host.prepare()
        try:
            return asyncio.run(_measure(effort, host, floor.build(folder)))
        finally:
            host.close()


async def _measure(effort: Effort, host: Host, programs: floor.Programs) -> Result:
    backend = await ProcessBackend.connect(host.connection())
    spec = host.spec(WAITS)
    commands = {"bwrap": bubblewrap.command(programs.ready), "C floor": floor.command(programs)}
    taken = {name: Taken() for name in ("emberd", "emberd, none prepared", *commands)}
    for _ in range(3):
        await _sandbox(backend, spec, 0)
    number = 1
    for _ in range(effort.rounds):
        for each in taken.values():
            each.begin_round()
        for _ in range(max(2, effort.cold // 2)):
            _settle()
            taken["emberd"].add(*await _sandbox(backend, spec, number))
            number += 1
            for name, command in commands.items():
                _settle()
                taken[name].add(*_program(command))
        for pair in await _burst(backend, spec, number):
            taken["emberd, none prepared"].add(*pair)
        number += BURST
    await backend.close()
    return Result(
        name="sandbox_cost",
        question=QUESTION,
        samples=tuple(_samples(taken)),
        figures=tuple(_figures(taken)),
    )


def _settle() -> None:
    """Let the launcher make its next embryo, so that no other start pays for it."""
    time.sleep(QUIET_S)


async def _sandbox(backend: ProcessBackend, spec: SandboxSpec, number: int) -> tuple[int, int]:
    begun = time.perf_counter_ns()
    sandbox = await backend.create(replace(spec, sandbox_id=f"cost-{number}"))
    created = time.perf_counter_ns()
    await sandbox.destroy()
    return created - begun, time.perf_counter_ns() - created


async def _burst(
    backend: ProcessBackend, spec: SandboxSpec, number: int
) -> Sequence[tuple[int, int]]:
    """One after the other and none destroyed before the last: the embryos are soon used up."""
    lives = []
    for each in range(number, number + BURST):
        begun = time.perf_counter_ns()
        sandbox = await backend.create(replace(spec, sandbox_id=f"cost-{each}"))
        lives.append((sandbox, time.perf_counter_ns() - begun))
    taken = []
    for sandbox, create_ns in lives:
        begun = time.perf_counter_ns()
        await sandbox.destroy()
        taken.append((create_ns, time.perf_counter_ns() - begun))
    return taken[2:]


def _program(command: list[str]) -> tuple[int, int]:
    """Spawn it, wait for its first byte, kill it, wait until the last who could write is gone."""
    read_fd, write_fd = os.pipe()
    try:
        begun = time.perf_counter_ns()
        standard = [(os.POSIX_SPAWN_DUP2, write_fd, 1)]
        pid = os.posix_spawn(command[0], command, {}, file_actions=standard)
        os.close(write_fd)
        said = os.read(read_fd, 1)
        created = time.perf_counter_ns()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        if said != b"r" or os.read(read_fd, 1):
            raise BenchmarkError(f"{command[0]} did not start its program")
        return created - begun, time.perf_counter_ns() - created
    finally:
        os.close(read_fd)


def _samples(taken: dict[str, Taken]) -> list[Samples]:
    return [
        Samples(name=f"{name}: {what}", values_ns=tuple(value for part in rounds for value in part))
        for name, each in taken.items()
        for what, rounds in (("create to exec", each.creates), ("destroy", each.destroys))
    ]


def _figures(taken: dict[str, Taken]) -> list[Figure]:
    pairs = [
        ("emberd", "bwrap"),
        ("emberd, none prepared", "bwrap"),
        ("emberd", "C floor"),
        ("bwrap", "C floor"),
    ]
    figures = []
    for ours, theirs in pairs:
        a, b, name = taken[ours], taken[theirs], f"{ours} / {theirs}"
        figures.append(ratio_of_medians(f"create to exec: {name}", a.creates, b.creates))
        figures.append(ratio_of_medians(f"destroy: {name}", a.destroys, b.destroys))
    return figures
