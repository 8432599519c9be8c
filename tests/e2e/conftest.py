"""The whole system, started as a user starts it, once for each file of tests."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.system import Emberd, mark, running

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
EXAMPLES = REPOSITORY / "examples"
FUNCTIONS = REPOSITORY / "tests" / "functions" / "e2e"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mark(items, HERE)


@pytest.fixture(scope="session")
def examples() -> Path:
    """The functions that a newcomer deploys first."""
    return EXAMPLES


@pytest.fixture(scope="session")
def functions() -> Path:
    """Functions that misbehave on purpose."""
    return FUNCTIONS


@pytest.fixture(scope="module")
def module_folder() -> Iterator[Path]:
    """A folder with a short path, because a Unix socket lies in it."""
    folder = Path(tempfile.mkdtemp(prefix="emberd-e2e-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def emberd(module_folder: Path) -> Iterator[Emberd]:
    """A running emberd that the tests of one file share. They must leave it running."""
    with running(module_folder) as one:
        yield one


@pytest.fixture(scope="module")
def client(emberd: Emberd) -> Iterator[Any]:
    """AWS's SDK for that emberd's Lambda."""
    made = emberd.client()
    yield made
    made.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path for one test."""
    made = Path(tempfile.mkdtemp(prefix="emberd-e2e-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)
