"""SnapStart on real sandboxes: init once, copies of it, and a visible way on without."""

from __future__ import annotations

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.system import Emberd, eventually

PATIENCE_S = 30.0

HEAVY = """
import os
import random
import time
import uuid

import boto3

client = boto3.client("s3", region_name="us-east-1")
made = time.time_ns()
calls = 0


def handler(event, context):
    global calls
    if event.get("exit"):
        os._exit(1)
    calls += 1
    time.sleep(event.get("wait", 0))
    return {
        "made": made,
        "calls": calls,
        "random": random.random(),
        "uuid": str(uuid.uuid4()),
        "kind": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"],
        "stream": context.log_stream_name,
        "signs": os.environ["AWS_ACCESS_KEY_ID"][:4],
        "tmp": sorted(os.listdir("/tmp")),
    }
"""

THREADED = """
import threading

threading.Thread(target=threading.Event().wait, daemon=True).start()


def handler(event, context):
    return "served"
"""

BROKEN = "import nothing_of_that_name\n\n\ndef handler(event, context):\n    return 1\n"

SAYS = "def handler(event, context):\n    return {!r}\n"


def code(folder: Path, name: str, text: str) -> Path:
    made = folder / name
    made.mkdir(exist_ok=True)
    (made / "app.py").write_text(text)
    return made


def invoke(emberd: Emberd, name: str, **event: Any) -> tuple[Any, dict[str, Any]]:
    """The answer, and what emberd says of the invocation."""
    done = emberd.run("invoke", name, "--payload", json.dumps(event), "--info")
    return json.loads(done.stdout), json.loads(done.stderr.splitlines()[0])


def shown(emberd: Emberd, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(emberd.ok("functions", name, "--output", "json"))
    return found


@pytest.fixture(scope="module")
def heavy(emberd: Emberd, module_folder: Path) -> str:
    """A published version whose init makes a client of boto3."""
    path = code(module_folder, "heavy", HEAVY)
    options = ("--snap-start", "versions", "--publish", "--handler", "app.handler")
    emberd.ok("deploy", path, "--name", "heavy", *options, "--timeout", "10")
    return "heavy:1"


def test_a_published_version_is_optimised_and_latest_is_not(emberd: Emberd, heavy: str) -> None:
    on = {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
    assert shown(emberd, heavy)["SnapStart"] == on
    assert shown(emberd, "heavy")["SnapStart"] == {**on, "OptimizationStatus": "Off"}


def test_environments_are_copies_of_one_init_and_differ_in_what_is_random(
    emberd: Emberd, heavy: str
) -> None:
    wait = json.dumps({"wait": 2})
    begun = [emberd.begin_run("invoke", heavy, "--payload", wait, "--info") for _ in range(4)]
    ended = [each.communicate() for each in begun]
    answers = [json.loads(answer) for answer, _ in ended]
    for _, said in ended:
        about = json.loads(said)
        assert about["StartLevel"] in ("template", "warm"), "warm was copied ahead"
        assert about["InitDurationMs"] == 0
        assert (about["RestoreDurationMs"] > 0) == (about["StartLevel"] == "template")
    assert len({each["made"] for each in answers}) == 1, "init ran once"
    assert {each["kind"] for each in answers} == {"snap-start"}
    assert {each["signs"] for each in answers} == {"ASIA"}
    assert all(each["tmp"] == [] for each in answers)
    # On a busy machine one of them may have come when another was over already.
    first = [each for each in answers if each["calls"] == 1]
    assert len(first) > 1
    for name in ("random", "uuid", "stream"):
        assert len({each[name] for each in first}) == len(first), name


def test_the_log_has_lambdas_lines_of_a_restore(emberd: Emberd, heavy: str) -> None:
    emberd.run("invoke", heavy, "--payload", json.dumps({"exit": True}))
    emberd.ok("invoke", heavy, "--payload", "{}")

    def lines() -> bytes:
        return emberd.ok("logs", "heavy")

    eventually(lambda: b"\tBilled Restore Duration: " in lines(), PATIENCE_S)
    assert b"RESTORE_START Runtime Version: python:" in lines()
    assert b"RESTORE_REPORT Restore Duration: " in lines()
    assert lines().count(b"INIT_START") == 1
    reports = [line for line in lines().splitlines() if b"REPORT RequestId: " in line]
    assert reports
    assert not [line for line in reports if b"Init Duration" in line]


def test_what_cannot_be_copied_runs_and_says_why(emberd: Emberd, module_folder: Path) -> None:
    path = code(module_folder, "threaded", THREADED)
    options = ("--snap-start", "versions", "--publish", "--handler", "app.handler")
    emberd.ok("deploy", path, "--name", "threaded", *options)
    found = shown(emberd, "threaded:1")
    assert (found["State"], found["SnapStart"]["OptimizationStatus"]) == ("Active", "Off")
    assert "thread" in found["StateReason"]
    answer, about = invoke(emberd, "threaded:1")
    assert (answer, about["StartLevel"]) == ("served", "parked")
    said = found["StateReason"].encode()
    eventually(lambda: said in emberd.ok("logs", "threaded"), PATIENCE_S)


def test_a_version_whose_init_fails_has_failed_in_the_functions_words(
    emberd: Emberd, module_folder: Path, client: Any
) -> None:
    path = code(module_folder, "broken", BROKEN)
    emberd.ok("deploy", path, "--name", "broken", "--snap-start", "versions")
    version = client.publish_version(FunctionName="broken")["Version"]

    def found() -> dict[str, Any]:
        answer: dict[str, Any] = client.get_function_configuration(
            FunctionName="broken", Qualifier=version
        )
        return answer

    eventually(lambda: found()["State"] != "Pending", PATIENCE_S)
    assert (found()["State"], found()["StateReasonCode"]) == (
        "Failed",
        "FunctionError.RuntimeInitError",
    )
    assert "nothing_of_that_name" in found()["StateReason"]


ENDS = """
import os
import time


def handler(event, context):
    if event["how"] == "exit":
        os._exit(7)
    if event["how"] == "hang":
        time.sleep(60)
    if event["how"] == "grow":
        kept = [bytearray(b"x" * (1 << 20)) for _ in range(256)]
    return "lives"
"""


@pytest.fixture(scope="module")
def ends(emberd: Emberd, module_folder: Path) -> str:
    """A published version with little time and memory."""
    path = code(module_folder, "ends", ENDS)
    options = ("--snap-start", "versions", "--publish", "--handler", "app.handler")
    limits = ("--timeout", "3", "--memory", "128")
    emberd.ok("deploy", path, "--name", "ends", *options, *limits)
    return "ends:1"


@pytest.mark.parametrize(
    ("how", "error_type", "message"),
    [
        ("exit", "Runtime.ExitError", "Runtime exited with error: exit status 7"),
        ("hang", "Sandbox.Timedout", "Task timed out after 3.00 seconds"),
        ("grow", "Runtime.ExitError", "Runtime exited with error: signal: killed"),
    ],
)
def test_a_copy_that_ends_in_an_invocation_is_answered_as_on_lambda(
    emberd: Emberd, ends: str, client: Any, how: str, error_type: str, message: str
) -> None:
    """The next invocation finds another copy."""
    payload = json.dumps({"how": how}).encode()
    answer = client.invoke(FunctionName=ends, LogType="Tail", Payload=payload)
    said = json.loads(answer["Payload"].read())
    assert answer["FunctionError"] == "Unhandled"
    assert said["errorType"] == error_type
    assert said["errorMessage"].endswith(message)
    report = base64.b64decode(answer["LogResult"]).splitlines()[-1]
    assert (b"\tStatus: timeout" in report) == (how == "hang")
    assert (b"\tError Type: Runtime.OutOfMemory" in report) == (how == "grow")
    lives, about = invoke(emberd, ends, how="")
    assert (lives, about["InitDurationMs"]) == ("lives", 0)
    assert about["StartLevel"] in ("template", "warm"), "warm was copied ahead"


def test_latest_is_copied_too_when_asked_and_an_update_never_serves_old_code(
    emberd: Emberd, module_folder: Path
) -> None:
    for turn in range(3):
        path = code(module_folder, "latest", SAYS.format(turn))
        emberd.ok("deploy", path, "--name", "latest", "--snap-start", "all")
        answer, about = invoke(emberd, "latest")
        assert (answer, about["StartLevel"]) == (turn, "template")


def test_who_calls_while_code_is_updated_never_gets_older_code_than_was_there(
    emberd: Emberd, module_folder: Path, client: Any
) -> None:
    updates = 3
    newest = [-1]

    def update(turn: int) -> None:
        path = code(module_folder, "fenced", SAYS.format(turn))
        emberd.ok("deploy", path, "--name", "fenced", "--handler", "app.handler")
        newest.append(turn)

    def call() -> list[tuple[int, int]]:
        """Until the last update answers: what was the newest at each call's begin, and came."""
        seen = [(-1, -1)]
        until = time.monotonic() + PATIENCE_S
        while seen[-1][1] < updates and time.monotonic() < until:
            least = newest[-1]
            answer = client.invoke(FunctionName="fenced")
            seen.append((least, json.loads(answer["Payload"].read())))
        return seen[1:]

    update(0)
    with ThreadPoolExecutor(4) as callers:
        calling = [callers.submit(call) for _ in range(4)]
        for turn in range(updates):
            update(turn + 1)
        for each in calling:
            seen = each.result()
            assert seen[-1][1] == updates
            assert [(least, came) for least, came in seen if came < least] == []
            assert {came for _, came in seen} > {0, updates}, "it called all the while"
