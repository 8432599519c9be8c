"""Every language that makes WebAssembly, from its source on: `make test-runtimes`.

They have tools of their own, which `make test` does not install, and so it leaves this folder out.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.system import Emberd, mark, running
from tests.runtimes import tools

HERE = Path(__file__).parent
collect_ignore_glob = [] if os.environ.get("EMBERD_TEST_RUNTIMES") else ["*"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mark(items, HERE)


@pytest.fixture(scope="session", autouse=True)
def _tools() -> Iterator[None]:
    """Commands find what `make test-runtimes` has installed, as after an install by hand."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.pathsep.join((*map(str, tools.FOLDERS), os.environ["PATH"])))
        yield


@pytest.fixture(scope="session")
def sources() -> Iterator[Path]:
    """A copy of examples/wasm that finds our WIT where the original does; builds go there."""
    with tempfile.TemporaryDirectory(prefix="emberd-wasm-") as folder:
        for part in ("examples/wasm", "runtimes/wasm/wit"):
            shutil.copytree(tools.REPOSITORY / part, Path(folder) / part)
        yield Path(folder) / "examples" / "wasm"


@pytest.fixture(scope="module")
def emberd() -> Iterator[Emberd]:
    """A running emberd that the tests of one file share."""
    with (
        tempfile.TemporaryDirectory(prefix="emberd-e2e-") as folder,
        running(Path(folder)) as one,
    ):
        yield one
