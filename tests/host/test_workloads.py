"""Ordinary work runs under the allow-list of system calls: shells, threads, native wheels."""

from __future__ import annotations

import json
import os
import shutil
import sysconfig
from pathlib import Path

import pytest

from sandbox.process.backend import ProcessBackend
from sandbox.spec import MIB
from tests.host.harness import Host, read_until

pytestmark = pytest.mark.host

SITE = Path(sysconfig.get_path("platlib"))
NATIVE = ("PIL", "pillow.libs", "cryptography", "cffi", "_cffi_backend*", "numpy", "numpy.libs")
"""Packages with native code; those that are installed here are tried."""


def add_packages(folder: Path, owner: int) -> None:
    """What pip would have put into the function's package."""
    for pattern in NATIVE:
        for found in SITE.glob(pattern):
            copy = shutil.copytree if found.is_dir() else shutil.copy2
            copy(found, folder / found.name)
    for path in folder.rglob("*"):
        os.chown(path, owner, owner)


async def test_what_functions_do_all_day_is_allowed(host: Host, backend: ProcessBackend) -> None:
    source = Path(__file__).with_name("workload.py").read_text()
    spec = host.spec(source, memory_bytes=512 * MIB)
    add_packages(Path(spec.code_directory), host.instance.agent_id)
    sandbox = await backend.create(spec)
    told = json.loads(read_until(sandbox.log_fd, b"\n", 60))
    assert told["failed"] == {}
    assert told["native"] >= 2
