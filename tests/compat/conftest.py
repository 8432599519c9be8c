"""One emberd with real sandboxes for all of these tests, and the clients that speak to it.

What a test makes it names by itself (`name`), so that the tests share the emberd and nothing else.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.compat.functions import PYTHON, Workshop
from tests.compat.outcomes import SEEN, Outcomes, claims_of
from tests.compat.tools import terraform
from tests.compat.watching import Watch, client_for, watched_client
from tests.e2e.system import READY_S, Emberd, eventually, mark, running

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
collect_ignore = [] if terraform() else ["test_terraform.py"]
"""What this machine lacks and no registry has is no fault of its set-up: no skip, which would be a
failure in CI. The page says whether Terraform itself was run."""

OUTCOMES = pytest.StashKey[Outcomes]()
RECORD = "EMBERD_RECORD_COMPATIBILITY"
"""Set by `make compat-docs`: write down what was seen."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ours = [item for item in items if item.path.is_relative_to(HERE)]
    mark(ours, HERE)
    # Last, for their emberd runs to the end of the session and would run beside everything else.
    items[:] = [item for item in items if item not in ours] + ours


@pytest.fixture(scope="session")
def outcomes(pytestconfig: pytest.Config) -> Outcomes:
    """What this run has seen so far."""
    return _outcomes(pytestconfig)


def _outcomes(config: pytest.Config) -> Outcomes:
    return config.stash.setdefault(OUTCOMES, Outcomes())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note what a test has shown once it has passed."""
    report = yield
    if report.when == "call" and report.passed and item.path.is_relative_to(HERE):
        known = _outcomes(item.config).behaviours
        known += [each for each in claims_of(item) if each not in known]
    return report


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write it down if asked to and nothing failed."""
    if os.environ.get(RECORD) and exitstatus == 0:
        _outcomes(session.config).write(SEEN)


@pytest.fixture(scope="session")
def emberd() -> Iterator[Emberd]:
    """A running emberd; when it has stopped, nothing of it is left."""
    folder = Path(tempfile.mkdtemp(prefix="emberd-compat-"))
    try:
        with running(folder) as one:
            _run_once(one)
            yield one
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run_once(one: Emberd) -> None:
    """Wait until the runtime's image is there: a first start makes it in the background, and on a
    busy machine that may take longer than an invocation waits for its sandbox."""
    one.deploy(EXAMPLES / "hello", "warm-up", runtime=PYTHON)
    eventually(lambda: one.run("invoke", "warm-up").returncode == 0, READY_S)
    one.ok("delete", "warm-up")


@pytest.fixture(scope="session")
def environment(emberd: Emberd) -> dict[str, str]:
    """What `emberd env` exports, and what keeps tools from looking elsewhere."""
    return {
        **emberd.environment,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_PAGER": "",
    }


@pytest.fixture(scope="session")
def watch(outcomes: Outcomes) -> Watch:
    """What is noticed about the answers to `client`."""
    return Watch(outcomes=outcomes)


@pytest.fixture(scope="session")
def unchecked_client(environment: dict[str, str], watch: Watch) -> Any:
    """Made once, because making one takes longer than most tests."""
    return watched_client(environment, watch)


@pytest.fixture
def client(unchecked_client: Any, watch: Watch) -> Iterator[Any]:
    """A boto3 client for Lambda; an answer that the model does not have fails the test."""
    watch.violations.clear()
    yield unchecked_client
    assert watch.violations == []


@pytest.fixture(scope="session")
def sts(environment: dict[str, str]) -> Any:
    """A boto3 client for STS."""
    return client_for("sts", environment)


@pytest.fixture(scope="session")
def iam(environment: dict[str, str]) -> Any:
    """A boto3 client for IAM."""
    return client_for("iam", environment)


@pytest.fixture(scope="session")
def logs(environment: dict[str, str]) -> Any:
    """A boto3 client for CloudWatch Logs."""
    return client_for("logs", environment)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A function name that no other test has."""
    return re.sub(r"[^a-zA-Z0-9-]", "-", request.node.name.removeprefix("test_"))[-60:].strip("-")


@pytest.fixture
def workshop(client: Any) -> Iterator[Workshop]:
    """Makes functions and deletes them afterwards."""
    one = Workshop(client)
    yield one
    one.clear()
