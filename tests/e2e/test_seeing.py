"""What a running emberd lets its operator see with nothing else installed."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.e2e.system import Emberd, eventually

PATIENCE_S = 10.0
FAILS = """def handler(event, context):
    print("looking for", event)
    raise ValueError("no such order")
"""


@pytest.fixture(scope="module")
def seen(emberd: Emberd, examples: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A function that was called twice and one that failed; the request ids."""
    emberd.ok("deploy", examples / "hello")
    folder = tmp_path_factory.mktemp("fails")
    (folder / "app.py").write_text(FAILS)
    emberd.deploy(folder, "fails")
    return [request(emberd, "hello"), request(emberd, "hello"), request(emberd, "fails")]


def request(emberd: Emberd, name: str) -> str:
    done = emberd.run("invoke", name, "--payload", "{}", "--info")
    request_id: str = json.loads(done.stderr.splitlines()[0])["RequestId"]
    return request_id


def test_top_shows_what_runs_and_what_stands_ready(emberd: Emberd, seen: list[str]) -> None:
    def look() -> dict[str, object]:
        shown: dict[str, object] = json.loads(
            emberd.ok("top", "--once", "--json", "--interval", "0.2")
        )
        return shown

    (host,) = look()["Hosts"]  # type: ignore[misc]
    assert host["Warm"] >= 1
    # Counts come with the heartbeats; a template and parked sandboxes are made in quiet moments.
    (host,) = eventually(
        lambda: [x for x in look()["Hosts"] if x["Parked"] and x["Templates"]],  # type: ignore[attr-defined]
        PATIENCE_S,
    )
    assert host["Sandboxes"] >= 1
    functions = {each["Function"]: each for each in look()["Functions"]}  # type: ignore[attr-defined]
    assert functions["hello"]["Invocations"] == 2
    assert emberd.ok("top", "--once", "--interval", "0.1").decode().count("hello") == 1


def test_traces_are_listed_and_filtered_and_one_is_drawn(emberd: Emberd, seen: list[str]) -> None:
    first, _, failed = seen
    rows = json.loads(emberd.ok("traces", "--output", "json"))["Traces"]
    assert [each["RequestId"] for each in rows] == seen[::-1]
    cold, warm = rows[2], rows[1]
    assert cold["StartLevel"] in ("parked", "fresh")
    assert warm["StartLevel"] == "warm"
    query = ("--query", "Traces[].RequestId", "--output", "text")
    assert emberd.ok("traces", "--status", "error", *query).decode().split() == [failed]
    warm_ones = emberd.ok("traces", "hello", "--start-level", "warm", *query)
    assert warm_ones.decode().split() == [seen[1]]
    picture = emberd.ok("trace", first).decode()
    assert first in picture
    for phase in ("schedule", "sandbox", "init", "invoke"):
        assert f"  {phase} " in picture
    assert "\x1b" not in picture
    spans = json.loads(emberd.ok("trace", first, "--output", "json"))["Spans"]
    assert {"hello", "invoke"} <= {each["Name"] for each in spans}


def test_logs_are_filtered_by_level_request_and_pattern(emberd: Emberd, seen: list[str]) -> None:
    failed = seen[2]

    def lines(*options: str) -> list[dict[str, object]]:
        shown = emberd.ok("logs", "fails", "--format", "json", *options)
        return [json.loads(each) for each in shown.splitlines()]

    eventually(lambda: any("REPORT" in str(x["message"]) for x in lines()), PATIENCE_S)
    (error,) = lines("--level", "error")
    assert str(error["message"]).startswith("[ERROR] ValueError: no such order")
    assert error["requestId"] == failed
    trace = json.loads(emberd.ok("trace", failed, "--output", "json"))
    assert error["traceId"] == trace["TraceId"]
    assert error["spanId"] in {each["SpanId"] for each in trace["Spans"]}
    assert lines("--request-id", failed, "--filter", "looking")[0]["level"] is None
    assert lines("--request-id", seen[0]) == []


def test_usage_is_in_all_formats(emberd: Emberd, seen: list[str]) -> None:
    shown = json.loads(emberd.ok("usage", "--format", "json"))
    assert {each["Group"]: each["Requests"] for each in shown["Usage"]} == {"hello": 2, "fails": 1}
    assert shown["Total"]["Requests"] == 3
    assert float(shown["Total"]["Cost"]) > 0
    assert emberd.ok("usage", "--format", "csv").startswith(b"Group,Requests,")
    assert b"free tier" in emberd.ok("usage")


def test_the_audit_log_tells_who_deployed_and_who_was_refused(
    emberd: Emberd, seen: list[str]
) -> None:
    http = json.loads((emberd.data / "endpoint.json").read_text())["http"]
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://{http}/2015-03-31/functions", timeout=10)
    refused.value.close()
    shown = emberd.ok("logs", "--audit", "--format", "raw")
    told = [json.loads(line) for line in shown.splitlines()]
    created = [each["resource"] for each in told if each["eventName"] == "CreateFunction"]
    assert created == ["hello", "fails"]
    assert "MISSING_AUTHENTICATION_TOKEN" in {each["errorCode"] for each in told}
    assert "Invoke" not in {each["eventName"] for each in told}
