"""Where an invocation went, span by span, as a collector gets it from a running emberd."""

from __future__ import annotations

import json
import shutil
import sys
import sysconfig
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import grpc
import pytest
from botocore.config import Config
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from emberd.invocation.v1 import invocation_pb2 as pb
from tests.e2e.collector import Collector, Told, collector
from tests.e2e.system import Emberd, eventually

TRACE = "5759e988bd862e3fe1be46a994272793"
SPAN = "53995c3f42cd8ad8"
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"

TOLERANCE = 0.05
"""Of the whole: what its parts may miss together."""

SDKS = (
    "aws_xray_sdk",
    "wrapt",
    "aws_lambda_powertools",
    "jmespath",
    "opentelemetry",
    "google",
    "requests",
    "urllib3",
    "certifi",
    "charset_normalizer",
    "idna",
    "typing_extensions.py",
)
"""What a function that traces itself brings along."""


@pytest.fixture(scope="module")
def taken() -> Iterator[tuple[Collector, str]]:
    with collector() as started:
        yield started


@pytest.fixture(scope="module")
def emberd(module_folder: Path, taken: tuple[Collector, str]) -> Iterator[Emberd]:
    """A running emberd that sends its spans to the collector at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", taken[1])
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        patch.setenv("OTEL_SERVICE_NAME", "my-emberd")
        one = Emberd(module_folder).start()
    yield one
    footprint = one.footprint()
    assert one.stop() == 0, one.log()
    assert footprint.left() == []


@pytest.fixture(scope="module")
def traces(taken: tuple[Collector, str]) -> Collector:
    return taken[0]


@pytest.fixture(scope="module")
def package(module_folder: Path, functions: Path) -> Path:
    """The function with the SDKs that it tells by."""
    folder = module_folder / "traced"
    shutil.copytree(functions / "traced", folder)
    installed = Path(sysconfig.get_path("purelib"))
    for name in SDKS:
        if (installed / name).is_dir():
            shutil.copytree(
                installed / name, folder / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(installed / name, folder / name)
    # OpenTelemetry finds its context by an entry point.
    for each in installed.glob("opentelemetry*.dist-info"):
        shutil.copytree(each, folder / each.name)
    return folder


@pytest.fixture(scope="module")
def client(emberd: Emberd) -> Iterator[Any]:
    """One that asks once: another attempt would be another trace."""
    made = emberd.client(config=Config(retries={"total_max_attempts": 1}))
    yield made
    made.close()


@pytest.fixture(scope="module")
def hello(emberd: Emberd, examples: Path) -> str:
    emberd.deploy(examples / "hello", "hello")
    return "hello"


@pytest.fixture(scope="module")
def traced(emberd: Emberd, package: Path) -> str:
    emberd.deploy(package, "traced", runtime=PYTHON, timeout=30, memory=1769)
    return "traced"


def invoke(emberd: Emberd, name: str, event: object = None) -> dict[str, Any]:
    """Invoke it, and return what the command line tells of that, with its answer."""
    payload = json.dumps(event if event is not None else {})
    done = emberd.run("invoke", name, "--payload", payload, "--info")
    (line,) = (each for each in done.stderr.splitlines() if each.startswith(b"{"))
    told: dict[str, Any] = json.loads(line)
    return told | {"Payload": json.loads(done.stdout)}


def invoked(spans: list[Told]) -> bool:
    """Whether the trace of an invocation that ran is there; its spans are sent together."""
    return any(each.name == "response" for each in spans)


def root_of(spans: Sequence[Told]) -> Told:
    (root,) = (each for each in spans if each.span.kind == Span.SPAN_KIND_SERVER)
    return root


def children(spans: Sequence[Told], parent: Told) -> list[Told]:
    return [each for each in spans if each.parent == parent.id]


def names(spans: Sequence[Told]) -> list[str]:
    return [each.name for each in spans]


def check_whole(spans: Sequence[Told]) -> Told:
    """The parts of the root follow one another and sum up to it."""
    root = root_of(spans)
    parts = [each for each in children(spans, root) if each.service == "my-emberd"]
    together = sum(each.length_ns for each in parts)
    assert abs(together - root.length_ns) <= TOLERANCE * root.length_ns, [
        (each.name, each.length_ns) for each in (root, *parts)
    ]
    return root


def test_a_start_from_parked_is_seen_with_each_of_its_parts(
    emberd: Emberd, traces: Collector, examples: Path
) -> None:
    emberd.deploy(examples / "hello", "hello-parked")
    # The first start of a runtime makes its template; those after it are parked.
    for attempt in range(10):
        emberd.deploy(examples / "hello", "hello-parked", env=f"NUMBER={attempt}")
        told = invoke(emberd, "hello-parked")
        if told["StartLevel"] == "parked":
            break
    assert told["StartLevel"] == "parked"
    spans = traces.trace(told["TraceId"], invoked)
    root = check_whole(spans)
    assert names(children(spans, root)) == [
        *("front", "schedule", "dispatch", "queue", "artifact", "sandbox", "init", "invoke"),
        "response",
    ]
    (sandbox,) = (each for each in spans if each.name == "sandbox")
    assert "lockdown" in names(children(spans, sandbox))
    assert root.attributes["faas.coldstart"] is True
    assert root.attributes["emberd.start_level"] == "parked"


def test_a_fresh_start_is_seen_with_each_of_its_parts(
    emberd: Emberd, traces: Collector, examples: Path
) -> None:
    # A variable that only exec reads keeps it from a parked sandbox.
    emberd.deploy(examples / "hello", "hello-fresh", env="PYTHONHASHSEED=1")
    told = invoke(emberd, "hello-fresh")
    assert told["StartLevel"] == "fresh"
    spans = traces.trace(told["TraceId"], invoked)
    root = check_whole(spans)
    assert names(children(spans, root))[4:] == [
        *("artifact", "sandbox", "init", "invoke", "response")
    ]
    assert root.attributes["faas.coldstart"] is True


def test_a_warm_invocation_is_seen_as_one_tree(
    emberd: Emberd, traces: Collector, hello: str
) -> None:
    told = [invoke(emberd, hello) for _ in range(2)][-1]
    spans = traces.trace(told["TraceId"], invoked)
    root = check_whole(spans)
    parts = children(spans, root)
    assert names(parts) == ["front", "schedule", "dispatch", "invoke", "response"]
    assert {each.service for each in spans} == {"my-emberd"}
    assert len(spans) == len(parts) + 1
    assert root.name == hello
    assert root.parent == ""
    assert root.span.status.code == Status.STATUS_CODE_UNSET
    expected = {
        "faas.name": hello,
        "faas.version": "$LATEST",
        "faas.invocation_id": told["RequestId"],
        "faas.trigger": "other",
        "faas.coldstart": False,
        "rpc.system.name": "grpc",
        "rpc.method": "emberd.invocation.v1.InvocationService/Invoke",
        "cloud.region": "us-east-1",
        "cloud.account.id": "000000000000",
        "emberd.start_level": "warm",
    }
    assert {key: root.attributes[key] for key in expected} == expected


def test_a_copy_of_a_template_is_seen_as_a_cold_start(
    emberd: Emberd, traces: Collector, client: Any, hello: str
) -> None:
    client.update_function_configuration(
        FunctionName=hello, SnapStart={"ApplyOn": "PublishedVersions"}
    )
    client.get_waiter("function_updated_v2").wait(FunctionName=hello)
    version = client.publish_version(FunctionName=hello)["Version"]
    client.get_waiter("published_version_active").wait(FunctionName=hello, Qualifier=version)
    told = invoke(emberd, f"{hello}:{version}")
    assert told["StartLevel"] == "template"
    spans = traces.trace(told["TraceId"], invoked)
    root = check_whole(spans)
    assert root.attributes["faas.coldstart"] is True
    assert root.attributes["emberd.start_level"] == "template"


def test_a_failure_says_what_was_raised_and_where(
    emberd: Emberd, traces: Collector, functions: Path
) -> None:
    emberd.deploy(functions / "faults", "faults", timeout=2)
    told = invoke(emberd, "faults", {"how": "raise"})
    spans = traces.trace(told["TraceId"], invoked)
    root = check_whole(spans)
    assert root.span.status.code == Status.STATUS_CODE_ERROR
    assert root.span.status.message == "no more umbrellas"
    (event,) = root.span.events
    said = {each.key: each.value.string_value for each in event.attributes}
    assert (event.name, said["exception.type"]) == ("exception", "OutOfStock")
    assert "no more umbrellas" in said["exception.stacktrace"]
    failed = [each.name for each in spans if each.span.status.code == Status.STATUS_CODE_ERROR]
    assert sorted(failed) == ["faults", "invoke"]


def test_a_time_out_is_seen_as_long_as_it_took(
    emberd: Emberd, traces: Collector, functions: Path
) -> None:
    emberd.deploy(functions / "faults", "slow", timeout=1)
    told = invoke(emberd, "slow", {"how": "hang"})
    spans = traces.trace(told["TraceId"], invoked)
    root = check_whole(spans)
    assert root.attributes["error.type"] == "Sandbox.Timedout"
    (ran,) = (each for each in spans if each.name == "invoke")
    assert 1.0e9 <= ran.length_ns < 3.0e9


def test_a_throttled_invocation_is_seen_although_nothing_ran(
    emberd: Emberd, traces: Collector, client: Any, examples: Path
) -> None:
    emberd.deploy(examples / "hello", "none")
    client.put_function_concurrency(FunctionName="none", ReservedConcurrentExecutions=0)
    with pytest.raises(client.exceptions.TooManyRequestsException) as refused:
        client.invoke(FunctionName="none")
    headers = refused.value.response["ResponseMetadata"]["HTTPHeaders"]
    spans = traces.trace(headers["traceresponse"].split("-")[1])
    root = check_whole(spans)
    assert names(children(spans, root)) == ["front", "schedule"]
    assert root.attributes["error.type"] == "TOO_MANY_REQUESTS"
    assert root.attributes["rpc.system.name"] == "aws-api"
    assert "faas.coldstart" not in root.attributes


def test_a_streamed_answer_is_part_of_the_tree_to_its_last_byte(
    emberd: Emberd, traces: Collector, functions: Path
) -> None:
    emberd.deploy(functions / "streams", "streams", timeout=3)
    with grpc.insecure_channel(emberd.address) as channel:
        stub, metadata = emberd.invocations(channel)
        request = emberd.request("streams", b'{"say": ["a", "b"]}')
        call = stub.InvokeStream(pb.InvokeStreamRequest(request=request), metadata=metadata)
        answered = list(call)
        headers = dict(call.trailing_metadata())
    trace_id = answered[-1].complete.trace_id
    assert headers["traceresponse"].split("-")[1] == trace_id
    spans = traces.trace(trace_id, invoked)
    root = check_whole(spans)
    assert root.attributes["rpc.method"] == "emberd.invocation.v1.InvocationService/InvokeStream"


def test_a_callers_trace_goes_on_into_the_function(
    emberd: Emberd, traces: Collector, traced: str
) -> None:
    with grpc.insecure_channel(emberd.address) as channel:
        stub, metadata = emberd.invocations(channel)
        given = (("traceparent", f"00-{TRACE}-{SPAN}-01"), ("tracestate", "mine=1"))
        answer = stub.Invoke(emberd.request(traced, b"{}"), metadata=(*metadata, *given))
    spans = traces.trace(TRACE, invoked)
    root = root_of(spans)
    assert root.parent == SPAN
    traceparent = f"00-{TRACE}-{root.id}-01"
    assert json.loads(answer.payload) == {
        "xray": f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={root.id};Sampled=1",
        "traceparent": traceparent,
        "tracestate": "mine=1",
        "w3c": {"traceparent": traceparent, "tracestate": "mine=1"},
    }


@pytest.mark.parametrize("sdk", ["xray", "otel"])
def test_what_a_functions_sdk_tells_joins_its_invocation(
    emberd: Emberd, traces: Collector, traced: str, sdk: str
) -> None:
    told = invoke(emberd, traced, {"do": sdk})
    assert told["Payload"] == "told"
    spans = traces.trace(told["TraceId"], lambda all_: invoked(all_) and "inner" in names(all_))
    root = check_whole(spans)
    outer, inner = (next(s for s in spans if s.name == name) for name in ("outer", "inner"))
    assert (outer.parent, inner.parent) == (root.id, outer.id)
    assert outer.attributes["customer"] == "ada"
    assert {outer.service, inner.service} == {traced}
    (ran,) = (each for each in spans if each.name == "invoke")
    assert ran.span.start_time_unix_nano <= outer.span.start_time_unix_nano
    assert outer.span.end_time_unix_nano <= ran.span.end_time_unix_nano
    kept = json.loads(emberd.ok("trace", told["TraceId"], "--output", "json"))
    assert {"outer", "inner", traced} <= {each["Name"] for each in kept["Spans"]}
    assert "outer" in emberd.ok("trace", told["RequestId"]).decode()


def test_powertools_tells_what_a_method_raised(
    emberd: Emberd, traces: Collector, traced: str
) -> None:
    told = invoke(emberd, traced, {"do": "powertools"})
    assert told["Payload"] == "told"
    spans = traces.trace(told["TraceId"], lambda all_: any("work" in each.name for each in all_))
    (work,) = (each for each in spans if "work" in each.name)
    assert work.span.status.code == Status.STATUS_CODE_ERROR
    assert work.span.status.message == "no more umbrellas"


def test_a_hostile_function_changes_nothing_outside_and_is_counted(
    emberd: Emberd, traces: Collector, traced: str
) -> None:
    told = invoke(emberd, traced, {"do": "attack"})
    assert told["Payload"][0] == 400
    assert told["Payload"][1] in (413, 0)
    assert told["Payload"][2] == 200
    eventually(lambda: dropped(emberd) >= 10, 20.0, what=lambda: f"dropped {dropped(emberd)}")
    spans = traces.trace(told["TraceId"], invoked)
    assert "forged" not in names(spans)
    assert root_of(spans).name == traced
    assert "1" * 32 not in traces.traces
    listed = json.loads(emberd.ok("traces", "--output", "json"))["Traces"]
    assert "forged" not in {each["RequestId"] for each in listed}
    # And it is served as before.
    told = invoke(emberd, traced, {"do": "xray"})
    traces.trace(told["TraceId"], lambda all_: "inner" in names(all_))


def dropped(emberd: Emberd) -> float:
    """Spans of functions that were not taken, as the metrics count them."""
    http = json.loads((emberd.data / "endpoint.json").read_text())["http"]
    token = (emberd.data / "metrics.token").read_text().strip()
    request = urllib.request.Request(
        f"http://{http}/metrics", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    found = [each for each in lines if "function_spans" in each]
    return float(found[0].rsplit(" ", 1)[1]) if found else 0.0
