"""AWS CLI v1: the commands that people type, unmodified, with what `emberd env` exports."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.compat.functions import PYTHON, ROLE, package
from tests.compat.test_functions import arn_of
from tests.compat.test_layers import layer
from tests.compat.tools import python_tool

SOURCE = """
import greeting

def handler(event, context):
    print("the word is", event["word"])
    return {"said": greeting.WORDS + " " + event["word"]}
"""

Aws = Callable[..., Any]


@pytest.fixture(scope="module")
def aws(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Aws:
    """Runs one command that must succeed; returns what it printed, parsed where it is JSON."""
    program = python_tool("aws")
    folder = tmp_path_factory.mktemp("aws")

    def run(*arguments: str, cwd: Path = folder) -> Any:
        done = subprocess.run(
            [program, *arguments],
            env={**os.environ, **environment},
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"aws {' '.join(arguments)}: {done.stderr}"
        return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout

    return run


@pytest.fixture
def function(aws: Aws, tmp_path: Path, name: str) -> Iterator[str]:
    """A function made by `aws lambda create-function`, with a layer, that is active."""
    (tmp_path / "layer.zip").write_bytes(layer("hello"))
    (tmp_path / "function.zip").write_bytes(package(SOURCE))
    made = aws(
        *("lambda", "publish-layer-version", "--layer-name", name),
        *("--zip-file", "fileb://layer.zip", "--compatible-runtimes", PYTHON),
        cwd=tmp_path,
    )
    created = aws(
        *("lambda", "create-function", "--function-name", name, "--runtime", PYTHON),
        *("--role", ROLE, "--handler", "app.handler", "--zip-file", "fileb://function.zip"),
        *("--layers", made["LayerVersionArn"], "--timeout", "10"),
        cwd=tmp_path,
    )
    assert created["State"] == "Pending"
    aws("lambda", "wait", "function-active-v2", "--function-name", name)
    yield name
    aws("lambda", "delete-function", "--function-name", name)
    aws(
        *("lambda", "delete-layer-version", "--layer-name", name),
        *("--version-number", str(made["Version"])),
    )


def invoke(aws: Aws, folder: Path, name: str, *options: str, word: str) -> Any:
    """`aws lambda invoke`, its answer read from the file that it writes."""
    told = aws(
        *("lambda", "invoke", "--function-name", name, "--payload", json.dumps({"word": word})),
        *options,
        "answer.json",
        cwd=folder,
    )
    return told, json.loads((folder / "answer.json").read_text())


@pytest.mark.shows("Clients", "AWS CLI: create-function, wait, invoke, log tail")
def test_a_function_is_created_awaited_and_invoked(aws: Aws, function: str, tmp_path: Path) -> None:
    told, answer = invoke(aws, tmp_path, function, "--log-type", "Tail", word="world")
    assert (told["StatusCode"], told["ExecutedVersion"]) == (200, "$LATEST")
    assert answer == {"said": "hello world"}
    assert "the word is world" in base64.b64decode(told["LogResult"]).decode()


@pytest.mark.shows("Clients", "AWS CLI: update-function-code and -configuration, publish, alias")
def test_a_function_is_updated_published_and_named(aws: Aws, function: str, tmp_path: Path) -> None:
    named = ("--function-name", function)
    changed = SOURCE.replace("said", "told")
    (tmp_path / "new.zip").write_bytes(package(changed))
    aws("lambda", "update-function-code", *named, "--zip-file", "fileb://new.zip", cwd=tmp_path)
    aws("lambda", "wait", "function-updated-v2", *named)
    aws(
        *("lambda", "update-function-configuration", *named, "--memory-size", "256"),
        *("--environment", "Variables={STAGE=test,NAME=value}"),
    )
    aws("lambda", "wait", "function-updated-v2", *named)
    shown = aws("lambda", "get-function-configuration", *named)
    assert shown["MemorySize"] == 256
    assert shown["Environment"] == {"Variables": {"STAGE": "test", "NAME": "value"}}
    assert aws("lambda", "publish-version", *named)["Version"] == "1"
    aws("lambda", "create-alias", *named, "--name", "live", "--function-version", "1")
    told, answer = invoke(aws, tmp_path, function, "--qualifier", "live", word="you")
    assert (told["ExecutedVersion"], answer) == ("1", {"told": "hello you"})
    text = aws("lambda", "list-aliases", *named, "--query", "Aliases[].Name", "--output", "text")
    assert text.split() == ["live"]
    names = aws("lambda", "list-functions", "--query", "Functions[].FunctionName")
    assert function in names
    aws("lambda", "delete-alias", *named, "--name", "live")


def test_snap_start_is_set_and_a_version_awaited(aws: Aws, function: str, tmp_path: Path) -> None:
    named = ("--function-name", function)
    snap_start = ("--snap-start", "ApplyOn=PublishedVersions")
    aws("lambda", "update-function-configuration", *named, *snap_start)
    aws("lambda", "wait", "function-updated-v2", *named)
    version = aws("lambda", "publish-version", *named)["Version"]
    qualified = (*named, "--qualifier", version)
    aws("lambda", "wait", "published-version-active", *qualified)
    shown = aws("lambda", "get-function-configuration", *qualified)
    assert shown["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
    _, answer = invoke(aws, tmp_path, function, "--qualifier", version, word="you")
    assert answer == {"said": "hello you"}


@pytest.mark.shows("Clients", "AWS CLI: update-function-configuration --vpc-config")
def test_a_vpc_config_is_set_and_shown(aws: Aws, function: str) -> None:
    named = ("--function-name", function)
    vpc = "SubnetIds=subnet-none,SecurityGroupIds=sg-1"
    aws("lambda", "update-function-configuration", *named, "--vpc-config", vpc)
    aws("lambda", "wait", "function-updated-v2", *named)
    assert aws("lambda", "get-function-configuration", *named)["VpcConfig"] == {
        "SubnetIds": ["subnet-none"],
        "SecurityGroupIds": ["sg-1"],
        "VpcId": "vpc-none",
        "Ipv6AllowedForDualStack": False,
    }


@pytest.mark.shows("Clients", "AWS CLI: permissions, URL configuration, concurrency, tags")
def test_what_hangs_on_a_function_is_set_and_read(aws: Aws, function: str) -> None:
    named = ("--function-name", function)
    aws(
        *("lambda", "add-permission", *named, "--statement-id", "everyone"),
        *("--action", "lambda:InvokeFunctionUrl", "--principal", "*"),
        *("--function-url-auth-type", "NONE"),
    )
    policy = json.loads(aws("lambda", "get-policy", *named)["Policy"])
    assert policy["Statement"][0]["Condition"] == {
        "StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}
    }
    made = aws("lambda", "create-function-url-config", *named, "--auth-type", "NONE")
    read = aws("lambda", "get-function-url-config", *named)
    assert read["FunctionUrl"] == made["FunctionUrl"]
    reserved = ("--reserved-concurrent-executions", "3")
    aws("lambda", "put-function-concurrency", *named, *reserved)
    aws("lambda", "tag-resource", "--resource", arn_of(function), "--tags", "team=compat")
    got = aws("lambda", "get-function", *named)
    assert got["Concurrency"] == {"ReservedConcurrentExecutions": 3}
    assert got["Tags"] == {"team": "compat"}
    aws("lambda", "delete-function-concurrency", *named)
    aws("lambda", "remove-permission", *named, "--statement-id", "everyone")
    aws("lambda", "delete-function-url-config", *named)


@pytest.mark.shows("Clients", "AWS CLI: logs filter-log-events finds what a function printed")
def test_what_a_function_printed_is_found_in_its_log(
    aws: Aws, function: str, tmp_path: Path
) -> None:
    invoke(aws, tmp_path, function, word="needle")
    group = f"/aws/lambda/{function}"
    search = ("--log-group-name", group, "--filter-pattern", '"the word is"')
    until = time.monotonic() + 30
    while not (events := aws("logs", "filter-log-events", *search)["events"]):
        assert time.monotonic() < until, "the line never came"
    assert [each["message"].strip() for each in events] == ["the word is needle"]
    groups = aws("logs", "describe-log-groups", "--log-group-name-prefix", group)
    assert [each["logGroupName"] for each in groups["logGroups"]] == [group]


@pytest.mark.shows("Clients", "AWS CLI: sts get-caller-identity")
def test_the_caller_is_told_who_it_is(aws: Aws) -> None:
    told = aws("sts", "get-caller-identity")
    assert told["Account"] == "000000000000"
    assert told["Arn"] == "arn:aws:iam::000000000000:root"


@pytest.mark.shows("Clients", "AWS CLI: an error is shown with its name and Lambda's words")
def test_an_error_reaches_the_terminal(
    environment: dict[str, str], name: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [python_tool("aws"), "lambda", "get-function", "--function-name", name],
        env={**os.environ, **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in (254, 255)
    assert done.stderr.strip().endswith(
        "An error occurred (ResourceNotFoundException) when calling the GetFunction operation: "
        f"Function not found: {arn_of(name)}"
    )
