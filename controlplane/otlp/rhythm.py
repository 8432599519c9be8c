"""How often metrics leave, and since when their values count. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

INTERVAL_S = 60.0
"""OpenTelemetry's default for OTEL_METRIC_EXPORT_INTERVAL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often, and since when values count."""

    interval_s: float
    counters_delta: bool
    histograms_delta: bool

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Rhythm:
        """From OTEL_METRIC_EXPORT_INTERVAL and the temporality that is preferred."""
        try:
            interval_s = float(environment.get("OTEL_METRIC_EXPORT_INTERVAL", "")) / 1000
        except ValueError:
            interval_s = INTERVAL_S
        wish = environment.get("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "")
        wish = wish.strip().lower()
        return cls(
            interval_s=interval_s if interval_s > 0 else INTERVAL_S,
            # Counters are read, not told: to OpenTelemetry they are observable ones.
            counters_delta=wish == "delta",
            histograms_delta=wish in ("delta", "lowmemory"),
        )
