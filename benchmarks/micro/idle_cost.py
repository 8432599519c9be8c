"""What do idle sandboxes cost in memory, kept by our policy and kept for ten minutes?

A simulation, not a measurement: the same day of invocations under both policies, with the very
code that decides in a host (sandbox/keepalive.py). A sandbox serves one event at a time; an event
takes the idle sandbox used last, or waits for a start. What is compared is memory times time that
sandboxes idle, and slowdown: (wait + run) / run.

The invocations are made up after what is published of Azure's functions in 2019: nearly half are
invoked once an hour or less, four fifths once a minute or less; mean run times are log-normal
(exp(-0.38), 2.36) seconds. Memory is the same for all. Starts are those that we measured (20 ms for
a function of few imports, 110 ms with boto3), and of a second for one in ten.

How far a policy can come at all is asked too: the least memory-time with a time for each function
that knows what is still to come, when one event in a hundred may be more than 5 % slower.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from benchmarks.figures import SEED, Figure, Result
from benchmarks.harness import Effort
from sandbox.keepalive import keep_s

QUESTION = "What do idle sandboxes cost in memory by our policy, beside ten minutes for each?"
FIXED_S = 600.0
GAPS_S = ((0.45, 3_600.0, 86_400.0), (0.36, 60.0, 3_600.0), (0.19, 1.0, 60.0))
"""Share of functions, and between which means their gaps lie."""
STARTS_S = ((0.5, 0.02), (0.4, 0.11), (0.1, 1.0))
"""Share of functions, and how long their start takes."""
RUN_MEDIAN_LOG, RUN_SIGMA = -0.38, 2.36
RUN_S_MAX = 60.0
TIMES_S = (0.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, FIXED_S)
"""From which who knows what is to come may choose."""
PRICES_S = tuple(1.25**step for step in range(40))
"""Of memory, for one slow event fewer."""
SLOW_SHARE, SLOWDOWN_MAX = 0.01, 1.05

Keep = Callable[[float], float]
"""From what a start took to how long a sandbox is kept, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One that is invoked by many who know nothing of each other."""

    gap_s: float
    start_s: float
    run_s: float
    seed: int

    def arrivals(self, duration_s: float) -> Iterator[float]:
        """The same each time that it is asked."""
        chance = random.Random(self.seed)
        at_s = chance.expovariate(1 / self.gap_s)
        while at_s < duration_s:
            yield at_s
            at_s += chance.expovariate(1 / self.gap_s)


@dataclass(slots=True)
class Cost:
    """What a policy costs."""

    idle_s: float = 0.0
    slowdowns: list[float] = field(default_factory=list)
    cold: int = 0
    events: int = 0


def run(effort: Effort) -> Result:
    """Replay the same invocations under both policies."""
    chance = random.Random(SEED)
    functions = [_function(chance) for _ in range(effort.replayed_functions)]
    ours = _cost(functions, keep_s, effort.replayed_s)
    fixed = _cost(functions, lambda _start_s: FIXED_S, effort.replayed_s)
    least = _least(functions, effort.replayed_s / 4)
    figures = (
        Figure(name="events", value=ours.events, unit=""),
        Figure(
            name="idle memory-time, ours / ten minutes", value=ours.idle_s / fixed.idle_s, unit="x"
        ),
        Figure(name="idle memory-time, least possible / ten minutes", value=least, unit="x"),
        Figure(name="cold starts, ours", value=100 * ours.cold / ours.events, unit="%"),
        Figure(name="cold starts, ten minutes", value=100 * fixed.cold / fixed.events, unit="%"),
        Figure(name="p99 slowdown, ours / ten minutes", value=_p99(ours) / _p99(fixed), unit="x"),
    )
    return Result(name="idle_cost", question=QUESTION, figures=figures)


def _function(chance: random.Random) -> Function:
    (low_s, high_s), start_s = _one_of(chance, GAPS_S), _one_of(chance, STARTS_S)[0]
    return Function(
        gap_s=low_s * (high_s / low_s) ** chance.random(),
        start_s=start_s,
        run_s=min(RUN_S_MAX, chance.lognormvariate(RUN_MEDIAN_LOG, RUN_SIGMA)),
        seed=chance.getrandbits(32),
    )


def _one_of(chance: random.Random, choices: tuple[tuple[float, ...], ...]) -> tuple[float, ...]:
    [found] = chance.choices(choices, weights=[share for share, *_ in choices])
    return found[1:]


def _cost(functions: list[Function], keep: Keep, duration_s: float) -> Cost:
    cost = Cost()
    for function in functions:
        _replay(function, keep(function.start_s), duration_s, cost)
    return cost


def _replay(function: Function, kept_s: float, duration_s: float, cost: Cost) -> None:
    """One function's day: its sandboxes as a stack, the one used last on top."""
    idle: list[float] = []
    """Since when."""
    busy: list[float] = []
    """Until when; a heap."""
    for at_s in function.arrivals(duration_s):
        while busy and busy[0] <= at_s:
            idle.append(heapq.heappop(busy))
        gone = [since_s for since_s in idle if since_s + kept_s < at_s]
        cost.idle_s += kept_s * len(gone)
        idle = idle[len(gone) :]
        cost.events += 1
        wait_s = 0.0
        if idle:
            cost.idle_s += at_s - idle.pop()
        else:
            cost.cold += 1
            wait_s = function.start_s
        cost.slowdowns.append((wait_s + function.run_s) / function.run_s)
        heapq.heappush(busy, at_s + wait_s + function.run_s)
    cost.idle_s += kept_s * (len(idle) + len(busy))


def _least(functions: list[Function], duration_s: float) -> float:
    """The least share of the memory-time of ten minutes with which few enough events are slow."""
    choices = [[_choice(each, kept_s, duration_s) for kept_s in TIMES_S] for each in functions]
    fixed_s = sum(of_function[-1][0] for of_function in choices)
    events = sum(of_function[-1][2] for of_function in choices)
    for price_s in PRICES_S:
        best = [min(each, key=lambda it: it[0] + price_s * it[1]) for each in choices]
        if sum(slow for _, slow, _ in best) <= SLOW_SHARE * events:
            return sum(idle_s for idle_s, _, _ in best) / fixed_s
    return 1.0


def _choice(function: Function, kept_s: float, duration_s: float) -> tuple[float, int, int]:
    """Memory-time, slow events and all events of a function that is kept for so long."""
    cost = Cost()
    _replay(function, kept_s, duration_s, cost)
    slow = sum(each > SLOWDOWN_MAX for each in cost.slowdowns)
    return cost.idle_s, slow, cost.events


def _p99(cost: Cost) -> float:
    return sorted(cost.slowdowns)[int(len(cost.slowdowns) * 0.99)]
