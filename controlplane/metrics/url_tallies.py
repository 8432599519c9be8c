"""What is counted of requests to function URLs, under CloudWatch's meanings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from controlplane.metrics.histogram import DURATION_BOUNDS, Histogram

KEYS_MAX = 2_000
"""URLs; more than these share one tally."""

CLIENT_ERRORS, SERVER_ERRORS = range(400, 500), range(500, 600)


class UrlKey(NamedTuple):
    """Whose URL it is."""

    function_name: str
    resource: str
    """function, or function:alias."""


OTHERS = UrlKey("(others)", "(others)")


@dataclass(eq=False, slots=True)
class UrlTally:
    """What was added up of one URL since the start."""

    requests: int = 0
    client_errors: int = 0
    server_errors: int = 0
    latency: Histogram = field(default_factory=lambda: Histogram(DURATION_BOUNDS))


class UrlTallies:
    """All of them."""

    def __init__(self) -> None:
        self._tallies: dict[UrlKey, UrlTally] = {}

    def __iter__(self) -> Iterator[tuple[UrlKey, UrlTally]]:
        return iter(list(self._tallies.items()))

    def measure(self, function_name: str, qualifier: str, status: int, taken_s: float) -> None:
        """Count a request that has been answered."""
        resource = f"{function_name}:{qualifier}" if qualifier else function_name
        key = UrlKey(function_name, resource)
        if key not in self._tallies and len(self._tallies) >= KEYS_MAX:
            key = OTHERS
        tally = self._tallies.setdefault(key, UrlTally())
        tally.requests += 1
        tally.client_errors += status in CLIENT_ERRORS
        tally.server_errors += status in SERVER_ERRORS
        tally.latency.add(taken_s)
