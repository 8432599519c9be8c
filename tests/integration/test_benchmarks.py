"""Benchmarks run, and what they write down says all that its reader needs."""

from __future__ import annotations

import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import micro, scenarios
from benchmarks.__main__ import BENCHMARKS

NAMED = {"time", "commit", "dirty", "kernel", "cpu", "cores", "loadavg", "python", "steal_percent"}

REPOSITORY = Path(__file__).parents[2]


def run(names: tuple[str, ...], folder: Path) -> list[dict[str, object]]:
    """What they wrote down, run as people run them."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--output", folder, *names],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(path.read_text()) for path in folder.glob("*.json")]


def is_whole(result: dict[str, object]) -> None:
    """It has numbers, and the environment that they belong to."""
    environment, samples = result["environment"], result["samples"]
    assert result["schema"] == 1
    assert result["question"]
    assert isinstance(environment, dict)
    assert environment["quick"] is True
    assert environment.keys() >= NAMED
    assert isinstance(samples, list)
    assert result["figures"] or samples
    for each in samples:
        assert each["values_ns"], each["name"]
        assert each["discarded"] >= 0


def test_benchmarks_of_parts_run_and_name_the_machine(tmp_path: Path) -> None:
    names = ("counting", "http_codec", "identity")
    found = run(names, tmp_path)
    for each in found:
        is_whole(each)
    assert sorted(str(each["name"]) for each in found) == sorted(names)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: real sandboxes")
def test_a_benchmark_of_the_whole_system_runs_and_names_the_machine(tmp_path: Path) -> None:
    [found] = run(("start_up",), tmp_path)
    is_whole(found)


@pytest.mark.parametrize("package", [micro, scenarios])
def test_every_benchmark_can_be_named(package: object) -> None:
    folder = Path(str(package.__file__)).parent  # type: ignore[attr-defined]  # a package has one
    assert {each.name for each in pkgutil.iter_modules([str(folder)])} <= set(BENCHMARKS)
