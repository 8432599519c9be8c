"""Layers as a user has them: published, given to functions, covered by each other, deleted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.system import CALL_S, Emberd, eventually

HANDLER = """
import os, subprocess
import tool

def handler(event, context):
    return {
        "tool": tool.NAME,
        "file": tool.__file__,
        "opt": sorted(os.listdir("/opt")),
        "program": subprocess.run(["hello"], capture_output=True, text=True).stdout,
    }
"""
PROGRAM = "#!/bin/sh\necho hello from a layer\n"


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        path.chmod(0o755)
    return folder


@pytest.fixture
def function(tmp_path: Path) -> Path:
    return write(tmp_path / "function", {"app.py": HANDLER})


def publish(emberd: Emberd, name: str, folder: Path) -> str:
    """Publish a layer; its version's ARN."""
    shown = json.loads(emberd.ok("layer", "publish", name, folder, "--output", "json"))
    arn: str = shown["LayerVersionArn"]
    return arn


def answer(emberd: Emberd, name: str) -> dict[str, object]:
    said = emberd.answer(name)
    assert isinstance(said, dict)
    return said


def test_a_function_imports_what_its_layer_brings_and_runs_its_programs(
    emberd: Emberd, function: Path, tmp_path: Path
) -> None:
    layer = {"python/tool.py": "NAME = 'one'\n", "bin/hello": PROGRAM}
    arn = publish(emberd, "one", write(tmp_path / "one", layer))
    deployed = emberd.deploy(function, "layered", layer=arn)
    assert deployed["Layers"] == [{"Arn": arn}]
    assert answer(emberd, "layered") == {
        "tool": "one",
        "file": "/opt/python/tool.py",
        "opt": ["bin", "python"],
        "program": "hello from a layer\n",
    }


def test_a_later_layer_covers_an_earlier_one(
    emberd: Emberd, function: Path, tmp_path: Path
) -> None:
    first = {"python/tool.py": "NAME = 'first'\n", "bin/hello": PROGRAM, "first": ""}
    one = publish(emberd, "first", write(tmp_path / "first", first))
    second = {"python/tool.py": "NAME = 'second'\n", "second": ""}
    two = publish(emberd, "second", write(tmp_path / "second", second))
    for order, name in (((one, two), "second"), ((two, one), "first")):
        emberd.ok(
            "deploy", function, "--name", "covered", *sum((("--layer", a) for a in order), ())
        )
        said = answer(emberd, "covered")
        assert said["tool"] == name
        assert said["opt"] == ["bin", "first", "python", "second"]
        assert said["program"] == "hello from a layer\n"


def test_a_deleted_layer_goes_on_working_where_it_is_used(
    emberd: Emberd, function: Path, tmp_path: Path
) -> None:
    layer = {"python/tool.py": "NAME = 'kept'\n", "bin/hello": PROGRAM}
    arn = publish(emberd, "kept", write(tmp_path / "kept", layer))
    emberd.deploy(function, "keeper", layer=arn)
    emberd.ok("layer", "delete", "kept", "1")
    listed = json.loads(emberd.ok("layer", "list", "kept", "--output", "json"))
    assert listed == {"LayerVersions": []}
    # Nothing of this function ran yet, so its host has to fetch the deleted layer now.
    assert answer(emberd, "keeper")["tool"] == "kept"
    refused = emberd.run("deploy", function, "--name", "late", "--layer", arn)
    assert refused.returncode == 254
    assert f"Layer version {arn} does not exist." in refused.stderr.decode()


WRAPPED = """
import os

def handler(event, context):
    return [os.environ["ADDED"], os.environ["AWS_LAMBDA_EXEC_WRAPPER"]]
"""


def test_a_wrapper_from_a_layer_starts_the_runtime(emberd: Emberd, tmp_path: Path) -> None:
    script = '#!/bin/bash\nargs=("$@")\nexport ADDED="by ${#args[@]} words"\nexec "${args[@]}"\n'
    arn = publish(emberd, "wrapper", write(tmp_path / "wrapper", {"wrap": script}))
    folder = write(tmp_path / "wrapped", {"app.py": WRAPPED})
    emberd.deploy(folder, "wrapped", layer=arn, env="AWS_LAMBDA_EXEC_WRAPPER=/opt/wrap")
    assert emberd.answer("wrapped") == ["by 2 words", "/opt/wrap"]


def test_a_wrapper_that_is_missing_is_told_as_recorded(emberd: Emberd, tmp_path: Path) -> None:
    folder = write(tmp_path / "unwrapped", {"app.py": WRAPPED})
    emberd.deploy(folder, "unwrapped", env="AWS_LAMBDA_EXEC_WRAPPER=/opt/none")
    failed = emberd.failure("unwrapped")
    assert failed["errorType"] == "Runtime.ExitError"
    message = failed["errorMessage"]
    assert isinstance(message, str)
    assert message.endswith("Error: Runtime exited with error: exit status 127")
    eventually(
        lambda: b"/opt/none: does not exist" in emberd.ok("logs", "unwrapped"),
        CALL_S,
        what=lambda: emberd.ok("logs", "unwrapped").decode(),
    )


CURIOUS = """
import os, shutil, subprocess, sys

def handler(event, context):
    return {
        "customised": [name for name in sys.modules if name.endswith("customize")],
        "marks": os.environ.get("MARK"),
        "shell": shutil.which("sh"),
        "library": subprocess.run(["true"]).returncode,
        "bootstrap": sys.modules["emberd_runtime"].__file__,
    }
"""
MARK = "import os\nos.environ['MARK'] = 'a layer was here first'\n"


def test_a_layer_stands_in_for_nothing_of_the_platforms(emberd: Emberd, tmp_path: Path) -> None:
    layer = {
        "python/sitecustomize.py": MARK,
        "python/usercustomize.py": MARK,
        "python/emberd_runtime/__init__.py": MARK,
        "python/mark.pth": MARK.replace("\n", ";", 1),
        "bin/sh": "#!/bin/false\n",
        "bin/bootstrap": "#!/bin/false\n",
        "lib/libc.so.6": "no library",
    }
    arn = publish(emberd, "intruder", write(tmp_path / "intruder", layer))
    folder = write(tmp_path / "curious", {"app.py": CURIOUS})
    emberd.deploy(folder, "curious", layer=arn)
    said = answer(emberd, "curious")
    assert str(said.pop("bootstrap")).startswith("/var/runtime/")
    assert str(said.pop("shell")).startswith(("/usr/", "/bin/"))
    assert said == {"customised": [], "marks": None, "library": 0}
