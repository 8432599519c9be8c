"""Everything that is measured, under CloudWatch's names (emberd.*) and OpenTelemetry's (faas.*).

One list for Prometheus and OTLP, so that both always say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from controlplane.metrics.histogram import Histogram
from controlplane.metrics.state import HostState, State
from controlplane.metrics.tallies import Key, Tallies, Tally
from controlplane.metrics.url_tallies import UrlKey, UrlTally
from controlplane.model.invocation import StartLevel

Labels = Mapping[str, str]
Point = tuple[Labels, float | Histogram]


class Kind(Enum):
    """What a family's values are."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Family:
    """One name and how its values are read."""

    name: str
    """As OpenTelemetry writes it, with dots."""
    kind: Kind
    unit: str
    """UCUM: s, By, {invocation}."""
    help: str
    read: Callable[[Tallies, State], Iterator[Point]]


def cloudwatch_labels(key: Key) -> Labels:
    """CloudWatch's dimensions."""
    return {
        "faas.name": key.function_name,
        "emberd.resource": key.resource,
        "faas.version": key.executed_version,
    }


def faas_labels(key: Key) -> Labels:
    """What OpenTelemetry's conventions ask for."""
    return {
        "faas.name": key.function_name,
        "faas.version": key.executed_version,
        "faas.trigger": "other",
    }


def _count(name: str, text: str, read: Callable[[Tally], int]) -> Family:
    def points(tallies: Tallies, _state: State) -> Iterator[Point]:
        for key, tally in tallies:
            yield cloudwatch_labels(key), read(tally)

    return Family(f"emberd.{name}", Kind.COUNTER, "{invocation}", text, points)


def _faas_count(name: str, unit: str, text: str, read: Callable[[Tally], int]) -> Family:
    def points(tallies: Tallies, _state: State) -> Iterator[Point]:
        sums: dict[tuple[str, str], float] = {}
        for key, tally in tallies:
            place = key.function_name, key.executed_version
            sums[place] = sums.get(place, 0) + read(tally)
        for (name, version), value in sums.items():
            yield faas_labels(Key(name, name, version)), value

    return Family(f"faas.{name}", Kind.COUNTER, unit, text, points)


def _sizes(name: str, unit: str, text: str, read: Callable[[Tally], Histogram]) -> Family:
    def points(tallies: Tallies, _state: State) -> Iterator[Point]:
        for key, tally in tallies:
            yield cloudwatch_labels(key), read(tally)

    return Family(f"emberd.{name}", Kind.HISTOGRAM, unit, text, points)


def _faas_sizes(name: str, unit: str, text: str, read: Callable[[Tally], Histogram]) -> Family:
    def points(tallies: Tallies, _state: State) -> Iterator[Point]:
        sums: dict[tuple[str, str], Histogram] = {}
        for key, tally in tallies:
            one = read(tally)
            place = key.function_name, key.executed_version
            sums.setdefault(place, Histogram(one.bounds)).merge(one)
        for (name, version), histogram in sums.items():
            yield faas_labels(Key(name, name, version)), histogram

    return Family(f"faas.{name}", Kind.HISTOGRAM, unit, text, points)


def _gauge(name: str, unit: str, text: str, read: Callable[[State], Iterator[Point]]) -> Family:
    return Family(f"emberd.{name}", Kind.GAUGE, unit, text, lambda _tallies, state: read(state))


def _url_labels(key: UrlKey) -> Labels:
    return {"faas.name": key.function_name, "emberd.resource": key.resource}


def _url_count(name: str, text: str, read: Callable[[UrlTally], int]) -> Family:
    def points(tallies: Tallies, _state: State) -> Iterator[Point]:
        for key, tally in tallies.urls:
            yield _url_labels(key), read(tally)

    return Family(f"emberd.{name}", Kind.COUNTER, "{request}", text, points)


def _url_latency(tallies: Tallies, _state: State) -> Iterator[Point]:
    for key, tally in tallies.urls:
        yield _url_labels(key), tally.latency


def _restores(tallies: Tallies, _state: State) -> Iterator[Point]:
    for key, tally in tallies:
        if tally.restore.count:  # few functions have snapshots
            yield cloudwatch_labels(key), tally.restore


def _starts(tallies: Tallies, _state: State) -> Iterator[Point]:
    sums: dict[tuple[str, StartLevel], int] = {}
    for key, tally in tallies:
        for level, count in list(tally.starts.items()):
            place = key.function_name, level
            sums[place] = sums.get(place, 0) + count
    for (name, level), count in sums.items():
        yield {"faas.name": name, "emberd.start_level": level.value}, count


def _running(state: State) -> Iterator[Point]:
    yield {}, state.running
    for name, count in state.by_function.items():
        yield {"faas.name": name}, count


def _ready(read: Callable[[int, int], float]) -> Callable[[State], Iterator[Point]]:
    def points(state: State) -> Iterator[Point]:
        for each in state.ready:
            resource = f"{each.function_name}:{each.qualifier}"
            labels = {"faas.name": each.function_name, "emberd.resource": resource}
            yield labels, read(each.in_use, each.allocated)

    return points


def _sandboxes(state: State) -> Iterator[Point]:
    for host in state.hosts:
        others = max(0, host.sandboxes - host.running - host.idle)
        counts = {"running": host.running, "warm": host.idle, "other": others}
        counts["parked"] = host.parked
        for name, count in counts.items():
            yield {"host.id": host.host_id, "emberd.sandbox.state": name}, count


def _templates(state: State) -> Iterator[Point]:
    for host in state.hosts:
        counts = {"runtime": host.runtime_templates, "function": host.function_templates}
        for kind, count in counts.items():
            yield {"host.id": host.host_id, "emberd.template.kind": kind}, count


def _by_host(read: Callable[[HostState], float]) -> Callable[[State], Iterator[Point]]:
    def points(state: State) -> Iterator[Point]:
        for host in state.hosts:
            yield {"host.id": host.host_id}, read(host)

    return points


def _hosts(state: State) -> Iterator[Point]:
    draining = sum(host.draining for host in state.hosts)
    yield {"emberd.host.state": "attached"}, len(state.hosts) - draining
    yield {"emberd.host.state": "draining"}, draining


def _dropped(_tallies: Tallies, state: State) -> Iterator[Point]:
    for kind, count in state.dropped.items():
        yield {"emberd.kind": kind}, count


def _coldstarts(tally: Tally) -> int:
    return sum(count for level, count in tally.starts.items() if level is not StartLevel.WARM)


FAMILIES = (
    _count(
        "invocations", "Invocations whose code ran, failed ones included.", lambda t: t.invocations
    ),
    _count(
        "errors",
        "Invocations that failed in the function: code, time-outs, exits.",
        lambda t: t.errors,
    ),
    _count("throttles", "Requests refused for lack of concurrency or room.", lambda t: t.throttles),
    _count(
        "failures", "Requests that neither ran to an end nor were throttled.", lambda t: t.failures
    ),
    _count(
        "provisioned_concurrency_invocations",
        "Invocations in environments that were kept ready.",
        lambda t: t.provisioned,
    ),
    _count(
        "provisioned_concurrency_spillover_invocations",
        "Invocations for which no environment that was kept ready was free.",
        lambda t: t.spillover,
    ),
    _sizes(
        "duration",
        "s",
        "Time a function took for an event, without its init.",
        lambda t: t.duration,
    ),
    _gauge(
        "concurrent_executions",
        "{invocation}",
        "Invocations in flight, in all and by function.",
        _running,
    ),
    _gauge(
        "unreserved_concurrent_executions",
        "{invocation}",
        "Invocations in flight of functions without a reservation.",
        lambda state: iter([({}, state.unreserved)]),
    ),
    _gauge(
        "claimed_account_concurrency",
        "{invocation}",
        "Concurrency that functions without a reservation cannot have, and what they use.",
        lambda state: iter([({}, state.claimed)]),
    ),
    _gauge(
        "provisioned_concurrent_executions",
        "{invocation}",
        "Invocations in flight in environments that were kept ready.",
        _ready(lambda in_use, _allocated: in_use),
    ),
    _gauge(
        "provisioned_concurrency_utilization",
        "1",
        "The share of environments kept ready that is in use.",
        _ready(lambda in_use, allocated: in_use / allocated if allocated else 0.0),
    ),
    Family(
        "emberd.restore_duration",
        Kind.HISTOGRAM,
        "s",
        "Time it took to copy a sandbox from a snapshot of its function.",
        _restores,
    ),
    _url_count("url_requests", "Requests to a function URL.", lambda t: t.requests),
    _url_count("url_4xx", "Those that were answered with 4xx.", lambda t: t.client_errors),
    _url_count("url_5xx", "Those that were answered with 5xx.", lambda t: t.server_errors),
    Family(
        "emberd.url_request_latency",
        Kind.HISTOGRAM,
        "s",
        "Time from a request to a function URL to its answer's end.",
        _url_latency,
    ),
    Family(
        "emberd.starts",
        Kind.COUNTER,
        "{invocation}",
        "Invocations by where their sandbox came from.",
        _starts,
    ),
    _gauge("hosts", "{host}", "Hosts that are attached.", _hosts),
    _gauge("host.sandboxes", "{sandbox}", "Sandboxes of a host by what they do.", _sandboxes),
    _gauge(
        "host.sandboxes_limit",
        "{sandbox}",
        "Most sandboxes at once on a host.",
        _by_host(lambda host: host.sandboxes_max),
    ),
    _gauge("host.templates", "{template}", "What sandboxes are forked from, by kind.", _templates),
    _gauge(
        "host.starts_waiting",
        "{start}",
        "Starts of sandboxes that wait for their turn.",
        _by_host(lambda host: host.starts_waiting),
    ),
    _gauge(
        "host.memory_charged",
        "By",
        "Memory that a host's sandboxes are charged for.",
        _by_host(lambda host: host.memory_charged_bytes),
    ),
    _gauge(
        "host.memory_limit",
        "By",
        "Memory that a host has for sandboxes.",
        _by_host(lambda host: host.memory_bytes),
    ),
    _gauge(
        "host.disk_free",
        "By",
        "Free disk for code and /tmp.",
        _by_host(lambda host: host.disk_free_bytes),
    ),
    Family(
        "emberd.telemetry.dropped",
        Kind.COUNTER,
        "{item}",
        "What telemetry could not keep or send.",
        _dropped,
    ),
    _faas_count(
        "invocations", "{invocation}", "Successful invocations.", lambda t: t.invocations - t.errors
    ),
    _faas_count(
        "errors", "{error}", "Invocations that failed in the function.", lambda t: t.errors
    ),
    _faas_count("timeouts", "{timeout}", "Invocations that took too long.", lambda t: t.timeouts),
    _faas_count(
        "coldstarts", "{coldstart}", "Invocations whose sandbox was not warm.", _coldstarts
    ),
    _faas_sizes("invoke_duration", "s", "Duration of the function's logic.", lambda t: t.duration),
    _faas_sizes(
        "init_duration", "s", "Duration of the function's initialisation.", lambda t: t.init
    ),
    _faas_sizes("mem_usage", "By", "Peak of the memory used by an invocation.", lambda t: t.memory),
)
"""All of them, in the order in which they are shown."""
