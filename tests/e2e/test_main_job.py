"""What emberd is for: functions deployed from folders, invoked, versioned, and seen into."""

from __future__ import annotations

import base64
import concurrent.futures
import io
import json
import re
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from PIL import Image

from emberd.invocation.v1 import invocation_pb2
from emberd.wire import PAYLOAD_BYTES_MAX
from tests.e2e.system import PARTS, Emberd
from tests.host.test_priority import score_of_daemons

CONCURRENT = 200
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def hello(emberd: Emberd, examples: Path) -> str:
    emberd.ok("deploy", examples / "hello")
    return "hello"


@pytest.fixture(scope="module")
def echo(emberd: Emberd, functions: Path) -> str:
    emberd.deploy(functions / "echo", "echo", timeout=30)
    return "echo"


def jpeg(width: int, height: int) -> bytes:
    """A picture with something in every corner, as a camera would compress it."""
    picture = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    picture.paste((200, 30, 30), (0, 0, width // 4, height // 4))
    packed = io.BytesIO()
    picture.save(packed, "JPEG", quality=90)
    return packed.getvalue()


def test_hello_answers_and_knows_its_invocation(emberd: Emberd, hello: str) -> None:
    answer = emberd.answer(hello, {"name": "Ada"})
    assert isinstance(answer, dict)
    assert answer["message"] == "Hello, Ada!"
    assert answer["function"] == "hello:$LATEST"
    assert answer["region"] == "us-east-1"
    assert answer["memory_limit_mb"] == "128"
    assert UUID.fullmatch(answer["request_id"])
    assert 0 < answer["remaining_ms"] <= 3000


def test_stdout_is_the_answer_and_the_log_goes_to_stderr(emberd: Emberd, hello: str) -> None:
    done = emberd.run("invoke", hello, "--payload", '{"name": "Ada"}', "--log")
    assert json.loads(done.stdout)["message"] == "Hello, Ada!"
    log = done.stderr.decode()
    assert log.startswith("START RequestId: ")
    assert "greeting Ada" in log
    assert re.search(r"REPORT RequestId: .*\tBilled Duration: \d+ ms\tMemory Size: 128 MB", log)


def test_a_global_survives_from_one_call_to_the_next(emberd: Emberd, examples: Path) -> None:
    emberd.ok("deploy", examples / "counter")
    answers = [emberd.answer("counter") for _ in range(3)]
    assert [each["count"] for each in answers if isinstance(each, dict)] == [1, 2, 3]
    assert len({json.dumps(each["sandbox"]) for each in answers if isinstance(each, dict)}) == 1


def test_a_jpeg_becomes_a_thumbnail_with_pillow_from_requirements(
    emberd: Emberd, examples: Path, folder: Path
) -> None:
    deployed = emberd.deploy(examples / "thumbnail", "thumbnail", memory=512, timeout=20)
    assert isinstance(deployed["CodeSize"], int)
    assert deployed["CodeSize"] > 1_000_000
    event = folder / "event.json"
    image = base64.b64encode(jpeg(1600, 1200)).decode()
    event.write_text(json.dumps({"width": 200, "image": image}))
    answer = json.loads(emberd.ok("invoke", "thumbnail", "--payload", f"@{event}"))
    assert answer["original"] == {"width": 1600, "height": 1200}
    with Image.open(io.BytesIO(base64.b64decode(answer["image"]))) as thumbnail:
        assert thumbnail.format == "JPEG"
        assert thumbnail.size == (200, 150)
        red, green, _blue = thumbnail.getpixel((20, 15))
        assert red > 150 > 100 > green


def test_an_event_and_an_answer_of_6_mb_travel_whole(
    emberd: Emberd, echo: str, folder: Path
) -> None:
    event = b'"' + b"x" * (PAYLOAD_BYTES_MAX - 2) + b'"'
    (folder / "event").write_bytes(event)
    assert emberd.ok("invoke", echo, "--payload", f"@{folder / 'event'}") == event
    assert emberd.ok("invoke", echo, "--payload", "-", payload=event) == event
    too_large = emberd.run("invoke", echo, "--payload", "-", payload=event + b" ")
    assert too_large.returncode == 254
    assert b"must be smaller than 6291456 bytes" in too_large.stderr


def test_200_invocations_at_once_are_all_answered(emberd: Emberd, echo: str) -> None:
    with grpc.insecure_channel(emberd.address) as channel:
        stub, metadata = emberd.invocations(channel)
        events = [json.dumps({"number": number}).encode() for number in range(CONCURRENT)]
        calls = [
            stub.Invoke.future(emberd.request(echo, event), metadata=metadata, timeout=60)
            for event in events
        ]
        answers = [call.result() for call in calls]
    assert [json.loads(answer.payload) for answer in answers] == [
        json.loads(event) for event in events
    ]
    assert {answer.function_error for answer in answers} == {""}
    assert len({answer.request_id for answer in answers}) == CONCURRENT


def test_a_stock_grpc_client_gets_a_large_answer_in_pieces(emberd: Emberd, echo: str) -> None:
    event = json.dumps("y" * (5 << 20)).encode()
    with grpc.insecure_channel(emberd.address) as channel:
        stub, metadata = emberd.invocations(channel)
        request = invocation_pb2.InvokeStreamRequest(request=emberd.request(echo, event))
        pieces = list(stub.InvokeStream(request, metadata=metadata, timeout=60))
        small = stub.Invoke(emberd.request(echo, b'"z"'), metadata=metadata, timeout=60)
    assert b"".join(each.payload_chunk for each in pieces) == event
    assert pieces[-1].complete.status_code == 200
    assert small.payload == b'"z"'


def test_a_call_without_the_token_is_refused(emberd: Emberd, hello: str) -> None:
    with grpc.insecure_channel(emberd.address) as channel:
        stub, _ = emberd.invocations(channel)
        with pytest.raises(grpc.RpcError) as refused:
            stub.Invoke(emberd.request(hello, b"{}"), timeout=10)
    assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("service", ["", "emberd.invocation.v1.InvocationService"])
def test_grpc_health_answers_for_each_service_without_a_token(emberd: Emberd, service: str) -> None:
    with grpc.insecure_channel(emberd.address) as channel:
        request = health_pb2.HealthCheckRequest(service=service)
        answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=10)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_the_second_call_is_warm_and_the_first_says_where_it_came_from(
    emberd: Emberd, functions: Path
) -> None:
    emberd.deploy(functions / "echo", "levels")
    levels = []
    for _ in range(2):
        done = emberd.run("invoke", "levels", "--info")
        levels.append(json.loads(done.stderr)["StartLevel"])
    # A template is up soon after the first start; until then a sandbox executes its runtime.
    assert levels[0] in ("fresh", "parked")
    assert levels[1] == "warm"


def test_versions_stay_as_they_were_and_aliases_lead_to_them(emberd: Emberd, folder: Path) -> None:
    code = folder / "versions"
    code.mkdir()
    for number in ("one", "two"):
        (code / "app.py").write_text(f"def handler(event, context): return {number!r}")
        emberd.deploy(code, "versions")
        emberd.ok("publish", "versions")
    assert emberd.answer("versions:1") == "one"
    assert emberd.answer("versions:2") == "two"
    again = emberd.ok("publish", "versions", "--query", "Version", "--output", "text")
    assert again == b"2\n"
    emberd.ok("alias", "create", "versions", "live", "--version", "1")
    assert emberd.answer("versions:live") == "one"
    emberd.ok("alias", "update", "versions", "live", "--version", "2")
    assert emberd.answer("versions:live") == "two"
    emberd.ok("alias", "update", "versions", "live", "--weight", "1=0.5")
    listed = json.loads(emberd.ok("alias", "list", "versions", "--output", "json"))
    assert listed["Aliases"][0]["RoutingConfig"] == {"AdditionalVersionWeights": {"1": 0.5}}
    refused = emberd.run("delete", "versions:1")
    assert refused.returncode == 254
    emberd.ok("alias", "delete", "versions", "live")
    emberd.ok("delete", "versions:1")
    assert emberd.run("invoke", "versions:1").returncode == 254
    assert emberd.answer("versions") == "two"


def test_both_versions_of_a_weighted_alias_get_traffic(emberd: Emberd, folder: Path) -> None:
    code = folder / "weighted"
    code.mkdir()
    for number in ("old", "new"):
        (code / "app.py").write_text(f"def handler(event, context): return {number!r}")
        emberd.ok("deploy", code, "--publish")
    emberd.ok("alias", "create", "weighted", "live", "--version", "1", "--weight", "2=0.5")
    with grpc.insecure_channel(emberd.address) as channel:
        stub, metadata = emberd.invocations(channel)
        request = emberd.request("weighted:live", b"{}")
        answers = {stub.Invoke(request, metadata=metadata, timeout=30).payload for _ in range(40)}
    # With equal shares one of them stays away once in 10^12 runs.
    assert answers == {b'"old"', b'"new"'}


def test_a_dry_run_runs_nothing(emberd: Emberd, examples: Path) -> None:
    emberd.deploy(examples / "counter", "dry")
    assert emberd.ok("invoke", "dry", "--type", "DryRun") == b""
    answer = emberd.answer("dry")
    assert isinstance(answer, dict)
    assert answer["count"] == 1
    assert emberd.run("invoke", "nobody", "--type", "DryRun").returncode == 254


def test_the_client_context_reaches_the_function(emberd: Emberd, folder: Path) -> None:
    code = folder / "context"
    code.mkdir()
    (code / "app.py").write_text("def handler(e, context): return context.client_context.custom")
    emberd.ok("deploy", code)
    context = json.dumps({"custom": {"from": "a phone"}})
    answer = emberd.ok("invoke", "context", "--client-context", context)
    assert json.loads(answer) == {"from": "a phone"}


def test_environment_and_configuration_reach_the_function_and_survive_new_code(
    emberd: Emberd, folder: Path
) -> None:
    code = folder / "settings"
    code.mkdir()
    source = "import os\ndef handler(e, c): return [os.environ['STAGE'], c.memory_limit_in_mb]"
    (code / "app.py").write_text(source)
    emberd.ok("deploy", code, "--env", "STAGE=a b=c", "--memory", "256")
    assert emberd.answer("settings") == ["a b=c", "256"]
    (code / "app.py").write_text(source + " + ['new']")
    emberd.ok("deploy", code)
    assert emberd.answer("settings") == ["a b=c", "256", "new"]


def test_functions_are_listed_in_every_format(emberd: Emberd, hello: str) -> None:
    listed = json.loads(emberd.ok("functions", "--output", "json"))
    assert hello in {each["FunctionName"] for each in listed["Functions"]}
    table = emberd.ok("functions").decode().splitlines()
    assert table[0].split()[:3] == ["FunctionName", "Version", "Runtime"]
    query = "Functions[?FunctionName=='hello'].Handler"
    assert emberd.ok("functions", "--query", query, "--output", "text") == b"app.handler\n"


def test_a_host_shows_its_runtimes_and_room(emberd: Emberd) -> None:
    (host,) = json.loads(emberd.ok("hosts", "--output", "json"))["Hosts"]
    assert host["State"] == "Attached"
    assert any(each.startswith("python3.") for each in host["Runtimes"])
    assert host["MemoryMB"] > 0


def test_log_and_trace_of_an_invocation_can_be_read(emberd: Emberd, hello: str) -> None:
    done = emberd.run("invoke", hello, "--payload", '{"name": "Log"}', "--info")
    info = json.loads(done.stderr)
    log = emberd.ok("logs", hello, "--request-id", info["RequestId"], "--format", "raw").decode()
    assert "greeting Log" in log
    assert f"END RequestId: {info['RequestId']}" in log
    trace = json.loads(emberd.ok("trace", info["TraceId"], "--output", "json"))
    names = {each["Name"] for each in trace["Spans"]}
    assert {"hello", "front", "schedule", "invoke"} <= names


def test_a_deleted_function_is_gone(emberd: Emberd, functions: Path) -> None:
    emberd.deploy(functions / "echo", "short-lived")
    emberd.answer("short-lived", 1)
    emberd.ok("delete", "short-lived")
    gone = emberd.run("invoke", "short-lived")
    assert gone.returncode == 254
    assert b"Function not found" in gone.stderr


def test_the_http_port_serves_health_and_nobody_who_has_not_signed(emberd: Emberd) -> None:
    base = emberd.environment["AWS_ENDPOINT_URL_LAMBDA"]
    with urllib.request.urlopen(f"{base}/health", timeout=10) as health:
        assert health.status == 200
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{base}/2015-03-31/functions", timeout=10)
    with refused.value as answer:
        assert answer.status == 403
        assert b"Missing Authentication Token" in answer.read()


def test_what_env_prints_makes_awss_tools_work(emberd: Emberd, echo: str) -> None:
    variables = emberd.environment
    client = boto3.client(
        "lambda",
        endpoint_url=variables["AWS_ENDPOINT_URL_LAMBDA"],
        region_name=variables["AWS_REGION"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
    )
    answer = client.invoke(FunctionName=echo, Payload=b'{"a": 1}')
    assert json.load(answer["Payload"]) == {"a": 1}


def test_many_command_lines_at_once_are_all_answered(emberd: Emberd, hello: str) -> None:
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        names = [f"caller {number}" for number in range(16)]
        answers = pool.map(lambda name: emberd.answer(hello, {"name": name}), names)
    assert [each["message"] for each in answers if isinstance(each, dict)] == [
        f"Hello, {name}!" for name in names
    ]


def test_when_the_machine_has_no_memory_none_of_our_daemons_goes_before_a_sandbox(
    emberd: Emberd,
) -> None:
    scores = {name: Path(f"/proc/{emberd.part(name).pid}/oom_score_adj") for name in PARTS}
    assert {name: int(path.read_text()) for name, path in scores.items()} == dict.fromkeys(
        PARTS, score_of_daemons()
    )
