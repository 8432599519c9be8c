"""The tests themselves: named as sentences, each checking something, and CI never skipping one."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.checkout import ROOT, modules, text_of, tree_of

CHECKS = frozenset({"raises", "fail", "warns"})
"""What checks without the word assert."""

Function = ast.FunctionDef | ast.AsyncFunctionDef

TEST_FILES = [path for path in modules("tests") if path.name.startswith("test_")]
SUPPORT = [path for path in modules("tests") if not path.name.startswith("test_")]


def functions_of(path: Path) -> list[Function]:
    """Every function of a module, methods too."""
    return [node for node in ast.walk(tree_of(path)) if isinstance(node, Function)]


def cases_of(path: Path) -> list[Function]:
    """The tests of a module."""
    return [each for each in functions_of(path) if each.name.startswith("test_")]


def checking(functions: list[Function], known: frozenset[str]) -> frozenset[str]:
    """Names of the functions that assert, by themselves or through another that does."""
    while True:
        more = {each.name for each in functions if _checks(each, known)} - known
        if not more:
            return known
        known |= more


def _checks(function: Function, known: frozenset[str]) -> bool:
    return any(
        isinstance(node, ast.Assert)
        or (isinstance(node, ast.Attribute) and node.attr in known)
        or (isinstance(node, ast.Name) and node.id in known)
        for node in ast.walk(function)
    )


@cache
def supporting() -> frozenset[str]:
    """What the modules beside the tests offer to check with."""
    return checking([each for path in SUPPORT for each in functions_of(path)], CHECKS)


@pytest.mark.parametrize("path", TEST_FILES, ids=str)
def test_a_test_is_named_as_a_sentence(path: Path) -> None:
    assert not [each.name for each in cases_of(path) if each.name.count("_") < 3]


@pytest.mark.parametrize("path", TEST_FILES, ids=str)
def test_a_test_checks_something(path: Path) -> None:
    known = checking(functions_of(path), supporting())
    assert not [each.name for each in cases_of(path) if each.name not in known]


@pytest.mark.parametrize("path", TEST_FILES, ids=str)
def test_a_test_does_not_wait_by_the_clock(path: Path) -> None:
    # A function that asks again and again until something holds, or a limit passes, may pause.
    sleeping = [
        each.name
        for each in cases_of(path)
        if any(
            ast.unparse(node.func) in ("time.sleep", "asyncio.sleep")
            and ast.unparse(node.args[0]) != "0"  # a turn of the loop is no wait
            for node in ast.walk(each)
            if isinstance(node, ast.Call) and node.args
        )
    ]
    assert not sleeping, "wait for the thing itself, with a limit"


SAMPLE = """
import asyncio
import pytest

def test_one_that_skips():
    pytest.skip("no such tool")

@pytest.mark.xfail(strict=True)
def test_one_that_is_expected_to_fail():
    assert False

async def test_one_that_leaks():
    asyncio.get_running_loop().leaked = asyncio.create_task(asyncio.Event().wait())

async def test_one_that_hangs():
    await asyncio.Event().wait()

async def test_one_that_cleans_up():
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(0))
"""


def outcomes(folder: Path, *, ci: str) -> dict[str, str]:
    """How the sample ends under our conftest: what is said of each test, tear-down included."""
    rules = text_of(Path("tests/conftest.py"))
    quick = rules.replace("GRACE_S = 2.0", "GRACE_S = 0.05").replace("180.0", "2.0")
    assert quick != rules
    (folder / "conftest.py").write_text(quick)
    (folder / "test_sample.py").write_text(SAMPLE)
    settings = ("-c", str(ROOT / "pyproject.toml"), "--rootdir", folder, "-p", "no:cacheprovider")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            *settings,
            "-v",
            "--tb=no",
            "-p",
            "no:cacheprovider",
            folder,
        ],
        cwd=folder,
        env={**os.environ, "CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )
    ended: dict[str, str] = {}
    for line in done.stdout.splitlines():
        words = line.split()
        if len(words) > 1 and "::" in words[0]:
            name = words[0].rpartition("::")[2]
            ended[name] = f"{ended.get(name, '')} {words[1]}".strip()
    return ended


def test_ci_does_not_skip_and_a_test_that_leaks_or_hangs_fails(tmp_path: Path) -> None:
    assert outcomes(tmp_path, ci="true") == {
        "test_one_that_skips": "FAILED",
        "test_one_that_is_expected_to_fail": "XFAIL",
        "test_one_that_leaks": "PASSED ERROR",
        "test_one_that_hangs": "FAILED ERROR",
        "test_one_that_cleans_up": "PASSED",
    }


def test_a_skip_outside_ci_stays_a_skip(tmp_path: Path) -> None:
    assert outcomes(tmp_path, ci="")["test_one_that_skips"] == "SKIPPED"
