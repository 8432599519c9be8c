"""chalice: a framework that deploys with IAM roles of its own making."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.compat.tools import python_tool
from tests.compat.watching import refusal

APPLICATION = Path(__file__).parents[1] / "functions" / "compat" / "chalice"
FUNCTION = "compat-dev-greet"


def chalice(folder: Path, environment: dict[str, str], *arguments: str) -> str:
    """Run one command that must succeed; return what it printed."""
    program = python_tool("chalice")
    done = subprocess.run(
        [program, *arguments],
        env={**os.environ, **environment, "PATH": f"{program.parent}:{os.environ['PATH']}"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.shows("Clients", "chalice: deploy, invoke, deploy again, delete")
def test_chalice_deploys_invokes_and_deletes(
    client: Any, iam: Any, environment: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "application"
    shutil.copytree(APPLICATION, folder)
    said = chalice(folder, environment, "deploy")
    assert "Creating IAM role: compat-dev" in said
    assert f"Creating lambda function: {FUNCTION}" in said
    (folder / "event.json").write_text(json.dumps({"name": "Ada"}))
    answer = client.invoke(FunctionName=FUNCTION, Payload=b'{"name": "Ada"}')
    assert json.loads(answer["Payload"].read()) == {"said": "hello Ada"}
    role = client.get_function_configuration(FunctionName=FUNCTION)["Role"]
    assert iam.get_role(RoleName="compat-dev")["Role"]["Arn"] == role
    again = (folder / "app.py").read_text().replace("hello", "goodbye")
    (folder / "app.py").write_text(again)
    assert f"Updating lambda function: {FUNCTION}" in chalice(folder, environment, "deploy")
    answer = client.invoke(FunctionName=FUNCTION, Payload=b'{"name": "Ada"}')
    assert json.loads(answer["Payload"].read()) == {"said": "goodbye Ada"}
    assert FUNCTION in chalice(folder, environment, "delete")
    assert refusal(client.get_function, FunctionName=FUNCTION)[0] == "ResourceNotFoundException"
    assert refusal(iam.get_role, RoleName="compat-dev")[0] == "NoSuchEntity"
