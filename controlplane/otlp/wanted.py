"""What OpenTelemetry's variables ask for. Pure; read before anything of the SDK is imported.

A signal is exported when an endpoint is named for it or for all, or when its exporter is set to
"otlp"; without either nothing leaves this machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Signal(Enum):
    """What can be exported, as the variables call it."""

    TRACES = "TRACES"
    METRICS = "METRICS"
    LOGS = "LOGS"


class Protocol(Enum):
    """How it travels, as OTEL_EXPORTER_OTLP_PROTOCOL calls it."""

    GRPC = "grpc"
    HTTP = "http/protobuf"


TIMEOUT_S = 10.0
"""The specification's default for OTEL_EXPORTER_OTLP_TIMEOUT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """How one signal leaves."""

    protocol: Protocol
    timeout_s: float
    """What one batch may take, its retries included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What leaves, and what was asked for and cannot be had."""

    exports: Mapping[Signal, Export] = field(default_factory=dict)
    complaints: tuple[str, ...] = ()
    """In words, for the log."""


def is_disabled(environment: Mapping[str, str]) -> bool:
    """Whether OTEL_SDK_DISABLED asks for no telemetry at all."""
    return environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


def read_wanted(environment: Mapping[str, str]) -> Wanted:
    """Read OTEL_SDK_DISABLED, OTEL_<SIGNAL>_EXPORTER and OTEL_EXPORTER_OTLP_*."""
    if is_disabled(environment):
        return Wanted()
    exports: dict[Signal, Export] = {}
    complaints: list[str] = []
    for signal in Signal:
        if not _is_named(environment, signal, complaints):
            continue
        name = _of(environment, signal, "PROTOCOL") or Protocol.GRPC.value
        try:
            protocol = Protocol(name)
        except ValueError:
            known = " or ".join(each.value for each in Protocol)
            complaints.append(f"OTLP's protocol {name!r} is not built in: use {known}")
            continue
        timeout_s = _timeout_s(_of(environment, signal, "TIMEOUT"))
        exports[signal] = Export(protocol=protocol, timeout_s=timeout_s)
    return Wanted(exports=exports, complaints=tuple(dict.fromkeys(complaints)))


def _is_named(environment: Mapping[str, str], signal: Signal, complaints: list[str]) -> bool:
    exporter = environment.get(f"OTEL_{signal.value}_EXPORTER", "").strip()
    if exporter and exporter != "none" and exporter != "otlp":
        if (signal, exporter) != (Signal.METRICS, "prometheus"):  # /metrics is always there
            complaints.append(f"the exporter {exporter!r} is not built in: use otlp or none")
        return False
    return exporter == "otlp" or (exporter != "none" and bool(_of(environment, signal, "ENDPOINT")))


def _of(environment: Mapping[str, str], signal: Signal, what: str) -> str:
    """A signal's own variable, or the one for all."""
    own = environment.get(f"OTEL_EXPORTER_OTLP_{signal.value}_{what}", "").strip()
    return own or environment.get(f"OTEL_EXPORTER_OTLP_{what}", "").strip()


def _timeout_s(milliseconds: str) -> float:
    """The specification counts in milliseconds; the SDK would read them as seconds."""
    try:
        given = float(milliseconds)
    except ValueError:
        return TIMEOUT_S
    return given / 1000 if given > 0 else TIMEOUT_S
