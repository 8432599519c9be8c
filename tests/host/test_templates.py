"""Sandboxes that are forked from a runtime's template: a function cannot tell."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.process.backend import ProcessBackend
from sandbox.process.template import STARTER
from sandbox.spec import MIB
from tests.host.harness import PATIENCE, RUNTIME_ID, Host, eventually, read_until

pytestmark = pytest.mark.host

HOSTS_IDS = ["0", "0", "4294967295"]

WAITS = "import time\nprint('ready', flush=True)\ntime.sleep(600)"

SHOWS = """
import json, os, signal, sys, time
shown = {
    "environ": dict(os.environ),
    "path": sys.path,
    "argv": sys.argv[1:],
    "orig_argv": sys.orig_argv,
    "descriptors": sorted(int(each) for each in os.listdir("/proc/self/fd"))[:-1],
    "pid": os.getpid(),
    "folder": os.getcwd(),
    "ours": [each for each in sys.modules if each.partition(".")[0] in ("sandbox", "ctypes")],
    "interrupt": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
    "ids": [os.getresuid(), os.getresgid()],
    "zone": time.tzname,
}
print(json.dumps(shown), "done", flush=True)
time.sleep(600)
"""

HASHES = "import time\nprint(hash('a seed shows in it'), flush=True)\ntime.sleep(600)"

DRAWS = """
import hashlib, json, os, random, secrets, ssl, tempfile, time, uuid
print(json.dumps([
    random.random(), str(uuid.uuid4()), str(uuid.uuid1()), secrets.token_hex(), tempfile.mktemp(),
    ssl.RAND_bytes(16).hex(), os.urandom(16).hex(),
]), "done", flush=True)
time.sleep(600)
"""


async def _said(backend: ProcessBackend, host: Host, source: str) -> object:
    sandbox = await backend.create(host.spec(source))
    try:
        text = await asyncio.to_thread(read_until, sandbox.log_fd, b" done\n")
    finally:
        await sandbox.destroy()
    return json.loads(text.removesuffix(b" done\n"))


async def test_sandboxes_are_born_as_their_host_bears_them(
    host: Host, backend: ProcessBackend
) -> None:
    """Whatever their size; what the other tests see of this host holds for that kind of birth."""
    for size in (512, 600):
        sandbox = await backend.create(host.spec(WAITS, ephemeral_bytes=size * MIB))
        assert sandbox.was_parked is host.forks
        await sandbox.reset()
        assert sandbox.was_parked is host.forks
        await sandbox.destroy()


@pytest.mark.parametrize("name", ["PYTHONHASHSEED", "LD_PRELOAD", "MALLOC_ARENA_MAX", "LC_ALL"])
async def test_what_only_exec_reads_is_executed(
    host: Host, backend: ProcessBackend, name: str
) -> None:
    sandbox = await backend.create(replace(host.spec(WAITS), environment={name: "1"}))
    assert not sandbox.was_parked
    await asyncio.to_thread(read_until, sandbox.log_fd, b"ready")
    await sandbox.destroy()


async def test_a_function_cannot_tell_how_it_was_born(host: Host, backend: ProcessBackend) -> None:
    shown = await _said(backend, host, SHOWS)
    assert isinstance(shown, dict)
    assert shown.pop("environ")["GREETING"] == "hello"
    library = f"/var/lang/lib/{RUNTIME_ID}"
    zipped = library.replace(".", "") + ".zip"
    assert shown == {
        "path": ["/var/runtime", "/var/runtime", zipped, library, f"{library}/lib-dynload"],
        "argv": [],
        "orig_argv": [f"/var/lang/bin/{RUNTIME_ID}", "/var/runtime/bootstrap.py"],
        "descriptors": [0, 1, 2],
        "pid": 2,
        "folder": "/var/task",
        "ours": [],
        "interrupt": True,
        "ids": [[993] * 3, [990] * 3],
        "zone": ["UTC", "UTC"],
    }


async def test_a_function_sees_its_variables_and_the_runtimes(
    host: Host, backend: ProcessBackend
) -> None:
    """Exactly those of an executed one: nothing of the template's, nothing lost."""
    environments = []
    for extra in ({}, {"PYTHONHASHSEED": "1"}):
        spec = host.spec(SHOWS)
        sandbox = await backend.create(
            replace(spec, environment={**spec.environment, **extra, "TZ": "Asia/Tokyo"})
        )
        text = await asyncio.to_thread(read_until, sandbox.log_fd, b" done\n")
        shown = json.loads(text.removesuffix(b" done\n"))
        assert shown["zone"] == ["JST", "JST"]
        environments.append(shown["environ"])
        await sandbox.destroy()
    assert environments[1].pop("PYTHONHASHSEED") == "1"
    assert environments[0] == environments[1]


async def test_a_packages_own_modules_win_over_preloaded_ones(
    host: Host, backend: ProcessBackend
) -> None:
    """Lambda has the package before the standard library, whatever is loaded already."""
    spec = host.spec_of(
        {
            "main.py": "import sys; sys.path.insert(0, '/var/task')\n"
            "import uuid, decimal, sandbox, json\n"
            "print(uuid.WHOSE, decimal.WHOSE, sandbox.WHOSE, json.dumps(1), 'done', flush=True)\n"
            "import time; time.sleep(600)",
            "uuid.py": "WHOSE = 'mine'",
            "decimal/__init__.py": "WHOSE = 'mine'",
            "sandbox.py": "WHOSE = 'mine'",
        }
    )
    sandbox = await backend.create(spec)
    said = await asyncio.to_thread(read_until, sandbox.log_fd, b"done")
    assert said.split() == [b"mine", b"mine", b"mine", b"1", b"done"]
    await sandbox.destroy()


async def test_no_two_forks_draw_the_same(host: Host, backend: ProcessBackend) -> None:
    drawn: list[object] = []
    for _ in range(20):
        values = await _said(backend, host, DRAWS)
        assert isinstance(values, list)
        drawn += values
    assert len(set(drawn)) == len(drawn) == 140


async def test_a_template_that_dies_is_replaced_and_nobody_notices(
    own_host: Host,
) -> None:
    backend = await ProcessBackend.connect(own_host.connection())
    try:
        for pid in _templates(own_host):
            os.kill(pid, signal.SIGKILL)
        sandbox = await backend.create(own_host.spec(WAITS))
        await asyncio.to_thread(read_until, sandbox.log_fd, b"ready")
        await sandbox.destroy()
        if own_host.forks:
            assert eventually(lambda: len(_templates(own_host)) == 1, 20)
            sandbox = await backend.create(own_host.spec(WAITS))
            await asyncio.to_thread(read_until, sandbox.log_fd, b"ready")
            assert eventually(lambda: own_host.log.read_bytes().count(b"a template is ready") == 2)
            await sandbox.destroy()
    finally:
        await backend.close()


async def test_an_old_template_gives_way_to_another(tmp_path: Path) -> None:
    """Its forks live on; new ones have another hash seed."""
    host = Host(tmp_path, born="forked")
    host.template_age_s = PATIENCE
    host.prepare()
    try:
        backend = await ProcessBackend.connect(host.connection())
        old = await backend.create(host.spec(HASHES))
        before = await asyncio.to_thread(read_until, old.log_fd, b"\n")
        # Where everything is slow its successor may be there already.
        first = set(_templates(host))
        assert first
        assert await asyncio.to_thread(eventually, lambda: not first & {*_templates(host)}, 20)
        for _ in range(20):
            sandbox = await backend.create(host.spec(HASHES))
            assert sandbox.was_parked
            after = await asyncio.to_thread(read_until, sandbox.log_fd, b"\n")
            await sandbox.destroy()
            if after != before:
                break
        assert after != before
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(old.wait(), 0.1)
        await old.destroy()
        await backend.close()
    finally:
        host.close()


def _templates(host: Host) -> list[int]:
    """The launcher's children that are templates."""
    assert host.process is not None, "a host is started before it is looked at"
    children = Path(f"/proc/{host.process.pid}/task/{host.process.pid}/children").read_text()
    return [int(pid) for pid in children.split() if _is_template(Path(f"/proc/{pid}"))]


def _is_template(process: Path) -> bool:
    """Forks keep the command line; only the template itself lives among the host's ids."""
    try:
        command = (process / "cmdline").read_bytes()
        ids = (process / "uid_map").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return False  # it has just ended
    return STARTER.encode() in command and b"\0-c\0" in command and ids == HOSTS_IDS
