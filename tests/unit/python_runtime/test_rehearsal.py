"""What a template does before it knows its function is not seen by the function."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

RUNTIME = Path(__file__).parents[3] / "runtimes" / "python"

REHEARSED = """
import json, logging, os, sys
from emberd_runtime import logging_hook, rehearsal
before = [dict(os.environ), list(sys.path), set(sys.modules)]
for _ in range(3):
    rehearsal.rehearse()
loaded = {"emberd_runtime.logs", "encodings.utf_8_sig"}
after = [dict(os.environ), list(sys.path), set(sys.modules) - loaded]
assert after == before, "something is left of it"
"""

LOGS = """
os.environ.update(json.loads(sys.argv[1]))
logging_hook.set_up_when_imported()
logging.getLogger("mine").warning("said")
"""

BRINGS_ITS_OWN = """
import types
own = types.ModuleType("logging")
exec(open(logging.__file__).read(), own.__dict__)
sys.modules["logging"] = own
logging_hook.set_up_when_imported()
names = [type(each).__name__ for each in own.getLogger().handlers]
print(names, isinstance(own.getLogger().handlers[0], own.Handler))
"""


def _run(program: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": str(RUNTIME)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize(
    ("variables", "begins"),
    [
        ("{}", "[WARNING]\t"),
        ('{"AWS_LAMBDA_LOG_FORMAT": "JSON"}', '{"timestamp": '),
        ('{"AWS_LAMBDA_LOG_LEVEL": "ERROR"}', ""),
    ],
)
def test_a_log_that_was_set_up_ahead_is_the_functions(variables: str, begins: str) -> None:
    """One line, in the format and of the level that the function's variables ask for."""
    said = _run(REHEARSED + LOGS, variables)
    assert said.startswith(begins)
    assert said.count("said") == bool(begins)


def test_a_package_with_a_logging_of_its_own_gets_lambdas_handler_there() -> None:
    assert _run(REHEARSED + BRINGS_ITS_OWN) == "['LambdaLoggerHandler'] True\n"
