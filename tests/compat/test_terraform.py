"""Terraform with AWS's provider, where this machine has both: apply, change, destroy; no drift.

Neither comes from a package registry. Where one is missing these tests are not collected, which
`docs/compatibility.md` says, and `test_terraform_replay.py` makes the calls that Terraform makes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.compat.functions import PYTHON, package
from tests.compat.test_layers import layer
from tests.compat.tools import terraform
from tests.compat.watching import refusal

NAME = "from-terraform"
CONFIGURATION = Path(__file__).with_name("terraform")
COMMAND_S = 170

SOURCE = """
import greeting

def handler(event, context):
    return greeting.WORDS
"""

FOUND = terraform()


@dataclass(frozen=True, slots=True)
class Terraform:
    """One working folder of Terraform's."""

    folder: Path
    program: Path
    plugins: Path
    environment: dict[str, str]

    def run(self, *arguments: str, expect: int = 0) -> str:
        """Run one command; return what it printed."""
        done = subprocess.run(
            [self.program, f"-chdir={self.folder}", *arguments, "-no-color"],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
        assert done.returncode == expect, f"{arguments}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def apply(self) -> None:
        """Make it so."""
        self.run("apply", "-auto-approve", "-input=false")

    def plan(self) -> None:
        """Nothing is left to do: what is read back is what was asked for."""
        self.run("plan", "-detailed-exitcode", "-input=false", expect=0)

    def output(self, name: str) -> str:
        """One output's value."""
        value: str = json.loads(self.run("output", "-json"))[name]["value"]
        return value

    def give(
        self,
        *,
        source: str,
        memory_size: int,
        subnets: Sequence[str] = (),
        snap_start: bool = False,
    ) -> None:
        """Write the package and the variables."""
        (self.folder / "function.zip").write_bytes(package(source))
        variables = {
            "archive": "function.zip",
            "layer": "layer.zip",
            "runtime": PYTHON,
            "memory_size": memory_size,
            "subnets": list(subnets),
            "snap_start": snap_start,
        }
        (self.folder / "terraform.tfvars.json").write_text(json.dumps(variables))


@pytest.fixture(scope="module")
def project(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Terraform]:
    """The configuration, initialised; what is left of it when a test failed is destroyed."""
    assert FOUND is not None
    folder = tmp_path_factory.mktemp("terraform")
    shutil.copy(CONFIGURATION / "main.tf", folder)
    (folder / "layer.zip").write_bytes(layer("hello"))
    clean = {key: value for key, value in os.environ.items() if not key.startswith("TF_")}
    variables = {**clean, **environment, "CHECKPOINT_DISABLE": "1"}
    one = Terraform(folder, *FOUND, variables)
    one.run("init", "-input=false", f"-plugin-dir={one.plugins}")
    one.give(source=SOURCE, memory_size=128)
    yield one
    one.run("destroy", "-auto-approve", "-input=false")


@pytest.mark.shows("Clients", "Terraform: apply, plan is empty afterwards")
def test_terraform_applies_and_finds_nothing_left_to_do(project: Terraform, client: Any) -> None:
    project.apply()
    project.plan()
    assert project.output("account") == "000000000000"
    assert project.output("version") == "1"
    answer = client.invoke(FunctionName=NAME, Qualifier="live")
    assert json.loads(answer["Payload"].read()) == "hello"


@pytest.mark.shows("Clients", "Terraform: changed code and configuration, plan is empty afterwards")
def test_terraform_changes_code_and_configuration(project: Terraform, client: Any) -> None:
    project.give(source=SOURCE.replace("WORDS", "WORDS.upper()"), memory_size=256)
    project.apply()
    project.plan()
    assert project.output("version") == "2"
    answer = client.invoke(FunctionName=NAME, Qualifier="live")
    assert json.loads(answer["Payload"].read()) == "HELLO"
    assert client.get_function_configuration(FunctionName=NAME)["MemorySize"] == 256


@pytest.mark.shows("Clients", "Terraform: vpc_config set and removed, plan is empty afterwards")
def test_terraform_sets_a_vpc_config_and_snap_start_and_takes_them_away(
    project: Terraform, client: Any
) -> None:
    project.give(source=SOURCE, memory_size=256, subnets=["subnet-none"], snap_start=True)
    project.apply()
    project.plan()
    reference = {"FunctionName": NAME, "Qualifier": project.output("version")}
    client.get_waiter("published_version_active").wait(**reference)
    shown = client.get_function_configuration(**reference)
    assert shown["VpcConfig"]["SubnetIds"] == ["subnet-none"]
    assert shown["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}
    project.give(source=SOURCE, memory_size=256)
    project.apply()
    project.plan()
    shown = client.get_function_configuration(FunctionName=NAME)
    assert shown.get("VpcConfig", {}).get("SubnetIds", []) == []
    assert shown["SnapStart"] == {"ApplyOn": "None", "OptimizationStatus": "Off"}


@pytest.mark.shows("Clients", "Terraform: destroy leaves nothing")
def test_terraform_destroys_everything_that_it_made(
    project: Terraform, client: Any, iam: Any
) -> None:
    project.run("destroy", "-auto-approve", "-input=false")
    assert refusal(client.get_function, FunctionName=NAME)[0] == "ResourceNotFoundException"
    assert client.list_layer_versions(LayerName=NAME)["LayerVersions"] == []
    assert refusal(iam.get_role, RoleName="terraform")[0] == "NoSuchEntity"
