"""Cold starts of functions whose code is on the host: how one is made, and that it was one."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.client import MEMORY_MB, Client
from benchmarks.figures import Figure, Samples, ratio_of_medians
from benchmarks.harness import BenchmarkError

_EXECUTED = {"PYTHONHASHSEED": "random"}
"""A variable that only exec reads: whoever has it is no fork of the runtime's template."""


@dataclass(slots=True)
class Taken:
    """Nanoseconds by what was measured, in rounds."""

    runtime_id: str
    rounds: defaultdict[str, list[list[int]]] = field(default_factory=lambda: defaultdict(list))
    discarded: int = 0
    """Cold, but not of the level that was meant."""
    _environments: set[str] = field(default_factory=set)

    def begin_round(self, *names: str) -> None:
        """Another round begins for these."""
        for name in names:
            self.rounds[name].append([])

    def add(self, name: str, taken_ns: int) -> None:
        """One sample in the round."""
        self.rounds[name][-1].append(taken_ns)

    async def sample(
        self, client: Client, function: str, name: str, level: str, pause_s: float = 0
    ) -> None:
        """Add one cold start under this name, unless it was of another level than meant."""
        variables = _EXECUTED if level == "fresh" else {}
        found, taken_ns = await self.start(client, function, variables, pause_s)
        if found == level:
            self.add(name, taken_ns)
        else:
            self.discarded += 1

    async def start(
        self,
        client: Client,
        function: str,
        variables: Mapping[str, str] | None = None,
        pause_s: float = 0,
    ) -> tuple[str, int]:
        """One cold start: its level, and the nanoseconds until the answer.

        The function gets new variables, so that no environment serves it; then pause_s pass.

        Raises:
            BenchmarkError: the answer came from an environment that had been there.
        """
        await client.make_cold(function, {"ROUND": str(time.time_ns()), **(variables or {})})
        await asyncio.sleep(pause_s)
        begun = time.perf_counter_ns()
        answer = await client.invoke(function)
        taken_ns = time.perf_counter_ns() - begun
        if answer.environment in self._environments or answer.start_level == "warm":
            raise BenchmarkError(f"{function} has new variables, yet its environment was not new")
        self._environments.add(answer.environment)
        return answer.start_level, taken_ns

    def samples(self) -> tuple[Samples, ...]:
        """All rounds of each together.

        Raises:
            BenchmarkError: nothing was measured in one of them.
        """
        for name, rounds in self.rounds.items():
            if not all(rounds):
                raise BenchmarkError(f"a round has no cold start of this kind: {name}")
        return tuple(
            Samples(
                name=name,
                values_ns=tuple(each for values in rounds for each in values),
                parameters={"runtime": self.runtime_id, "memory_mb": MEMORY_MB},
            )
            for name, rounds in self.rounds.items()
        )

    def ratio(self, name: str, ours: str, theirs: str) -> Figure:
        """How many times theirs is ours."""
        return ratio_of_medians(name, self.rounds[ours], self.rounds[theirs])

    @property
    def left_out(self) -> Figure:
        """How many were cold in another way than was meant."""
        return Figure(name="cold, but of another level", value=self.discarded, unit="samples")
