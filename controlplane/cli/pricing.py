"""What usage would cost by a price file. Pure, but for reading that file.

Prices step down with a month's GB-seconds of an architecture; the free tier is a month's, for both
architectures together, and is shared out by what each would have cost.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from controlplane.cli.exits import BadParameterError

DEFAULT = Path(__file__).with_name("prices.json")
"""Lambda's public price, with its source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """Part of what was used."""

    month: str
    """2026-11."""
    group: str
    """What it is shown under."""
    architecture: str
    requests: int
    gb_seconds: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A price from some amount on."""

    above_gb_s: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """A price file."""

    currency: str
    request: Decimal
    gb_second: Mapping[str, Sequence[Step]]
    """By architecture, from the first step up."""
    free_requests: Decimal
    free_gb_seconds: Decimal


@dataclass(slots=True, kw_only=True)
class Bill:
    """Costs before the free tier by group, and what the free tier takes off."""

    costs: dict[str, Decimal]
    free: Decimal

    @property
    def total(self) -> Decimal:
        """What is left to pay."""
        return sum(self.costs.values(), Decimal()) - self.free


def read_prices(path: Path) -> Prices:
    """Read a price file.

    Raises:
        BadParameterError: it is not there, or is none.
    """
    try:
        read = json.loads(path.read_text())
        return Prices(
            currency=str(read["currency"]),
            request=Decimal(read["request"]),
            gb_second={name: _steps(each) for name, each in read["gb_second"].items()},
            free_requests=Decimal(read["free_per_month"]["requests"]),
            free_gb_seconds=Decimal(read["free_per_month"]["gb_seconds"]),
        )
    except (OSError, ValueError, KeyError, TypeError, InvalidOperation) as error:
        raise BadParameterError(
            f"{path} is no price file ({error!r}): write one like {DEFAULT}"
        ) from error


def bill(prices: Prices, used: Iterable[Used]) -> Bill:
    """What it costs, month by month.

    Raises:
        BadParameterError: an architecture has no price.
    """
    months: dict[str, list[Used]] = defaultdict(list)
    for each in used:
        months[each.month].append(each)
    costs: dict[str, Decimal] = defaultdict(Decimal)
    free = Decimal()
    for month in months.values():
        free += _month(prices, month, costs)
    return Bill(costs=dict(costs), free=free)


def _month(prices: Prices, used: Sequence[Used], costs: dict[str, Decimal]) -> Decimal:
    """Add one month's costs; return what is free of them."""
    gb_s: dict[str, Decimal] = defaultdict(Decimal)
    for each in used:
        gb_s[each.architecture] += each.gb_seconds
    spent = {name: _stepped(prices, name, amount) for name, amount in gb_s.items()}
    for each in used:
        amount = gb_s[each.architecture]
        share = each.gb_seconds / amount if amount else Decimal()
        costs[each.group] += each.requests * prices.request + share * spent[each.architecture]
    requests = Decimal(sum(each.requests for each in used))
    free = min(requests, prices.free_requests) * prices.request
    total_gb_s = sum(gb_s.values(), Decimal())
    if total_gb_s:
        covered = min(Decimal(1), prices.free_gb_seconds / total_gb_s)
        paid = (_stepped(prices, name, amount * (1 - covered)) for name, amount in gb_s.items())
        free += sum(spent.values(), Decimal()) - sum(paid, Decimal())
    return free


def _stepped(prices: Prices, architecture: str, gb_s: Decimal) -> Decimal:
    steps = prices.gb_second.get(architecture)
    if not steps:
        raise BadParameterError(f"the price file has no price for {architecture}: add one")
    cost = Decimal()
    for index, step in enumerate(steps):
        last = index + 1 == len(steps)
        upper = gb_s if last else min(gb_s, steps[index + 1].above_gb_s)
        cost += max(Decimal(), upper - step.above_gb_s) * step.price
    return cost


def _steps(read: Sequence[Mapping[str, str]]) -> tuple[Step, ...]:
    steps = (
        Step(above_gb_s=Decimal(each["above_gb_s"]), price=Decimal(each["price"])) for each in read
    )
    return tuple(sorted(steps, key=lambda step: step.above_gb_s))
