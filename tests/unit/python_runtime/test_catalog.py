"""How a runtime is started: by itself, or by the wrapper that a function names."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from controlplane.model.runtimes import COMPILED_FIRST
from runtimes.catalog import RUNTIMES, WRAPPER_VARIABLE

PYTHON = replace(RUNTIMES["python3.12"], argv=(sys.executable, "-c", "print('the runtime')"))


def run(wrapper):
    variables = {WRAPPER_VARIABLE: str(wrapper)}
    done = subprocess.run(PYTHON.command(variables), env=variables, capture_output=True, text=True)
    return done.returncode, done.stdout


@pytest.mark.parametrize("variables", [{}, {WRAPPER_VARIABLE: ""}])
def test_without_a_wrapper_a_runtime_is_started_as_it_is(variables):
    assert PYTHON.command(variables) == PYTHON.argv


def test_a_wrapper_gets_the_runtimes_command_and_may_run_it(tmp_path):
    wrapper = tmp_path / "wrap it"
    wrapper.write_text('#!/bin/sh\necho wrapped\nexec "$@"\n')
    wrapper.chmod(0o755)
    assert run(wrapper) == (0, "wrapped\nthe runtime\n")


def test_a_wrapper_that_is_missing_ends_with_127_and_says_so(tmp_path):
    wrapper = tmp_path / "none"
    assert run(wrapper) == (127, f"{wrapper}: does not exist\n")


def test_a_wrapper_that_may_not_be_run_ends_with_126_and_says_so(tmp_path):
    wrapper = tmp_path / "plain"
    wrapper.write_text("")
    assert run(wrapper) == (126, f"{wrapper}: is not an executable\n")


@pytest.mark.parametrize(
    ("variables", "executed"),
    [
        ({}, False),
        ({"GREETING": "hello", "TZ": "Asia/Tokyo", "PATH": "/opt/bin"}, False),
        ({"PYTHONHASHSEED": "1"}, True),
        ({"PYTHONPATH": "/opt/mine"}, True),
        ({"LD_PRELOAD": "/opt/lib/x.so"}, True),
        ({"MALLOC_ARENA_MAX": "1"}, True),
        ({"LANG": "de_DE.UTF-8"}, True),
        ({WRAPPER_VARIABLE: "/opt/wrapper"}, True),
    ],
)
def test_what_only_exec_reads_makes_a_sandbox_execute_its_runtime(variables, executed) -> None:
    """The runtime's own values of such variables are the template's too."""
    runtime = RUNTIMES["python3.13"]
    assert runtime.must_execute({**runtime.environment, **variables}) is executed


def test_a_runtime_without_a_template_is_always_executed() -> None:
    runtime = replace(RUNTIMES["python3.13"], template=None)
    assert runtime.must_execute(runtime.environment)


def test_the_control_plane_waits_for_what_hosts_compile_first() -> None:
    assert {name for name, each in RUNTIMES.items() if each.compiled_first} == COMPILED_FIRST
