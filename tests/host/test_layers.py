"""Layers in real sandboxes: read-only at /opt, shared, and part of what the programs see."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.process import protocol
from sandbox.process.backend import ProcessBackend
from sandbox.process.protocol import Create
from sandbox.spec import Limits
from tests.host.harness import RUNTIME_ID, Host, answer_to, read_until

pytestmark = pytest.mark.host

PROBES = """
import errno, json, os, signal, subprocess

def outcome(function):
    try:
        return function()
    except OSError as error:
        return errno.errorcode[error.errno]

flags = os.statvfs("/opt").f_flag
print(json.dumps({
    "write": outcome(lambda: open("/opt/new", "w").close()),
    "append": outcome(lambda: open("/opt/notes", "a").close()),
    "remove": outcome(lambda: os.unlink("/opt/notes")),
    "run by name": subprocess.run(["tool"], capture_output=True, text=True).stdout,
    "read-only": bool(flags & os.ST_RDONLY),
    "nosuid": bool(flags & os.ST_NOSUID),
    "nodev": bool(flags & os.ST_NODEV),
}), flush=True)
signal.pause()
"""


async def test_a_function_can_run_its_layers_and_never_change_them(
    host: Host, backend: ProcessBackend
) -> None:
    layers = host.folder_of({"bin/tool": "#!/bin/sh\necho from a layer\n", "notes": "x"}, 0o755)
    spec = replace(host.spec(PROBES), layers_directory=str(layers))
    sandbox = await backend.create(spec)
    said = json.loads(read_until(sandbox.log_fd, b"\n"))
    assert {said.pop(name) for name in ("write", "append", "remove")} <= {"EROFS", "EACCES"}
    assert said == {
        "run by name": "from a layer\n",
        "read-only": True,
        "nosuid": True,
        "nodev": True,
    }


async def test_sandboxes_share_the_very_same_files(host: Host, backend: ProcessBackend) -> None:
    layers = host.folder_of({"notes": "x"})
    told = []
    for _ in range(2):
        source = (
            "import os, signal\nprint(os.stat('/opt/notes').st_ino, flush=True)\nsignal.pause()"
        )
        sandbox = await backend.create(replace(host.spec(source), layers_directory=str(layers)))
        told.append(int(read_until(sandbox.log_fd, b"\n")))
    assert set(told) == {(layers / "notes").stat().st_ino}


@pytest.mark.parametrize("has_layers", [False, True])
def test_a_create_with_another_number_of_descriptors_is_refused(
    own_host: Host, tmp_path: Path, has_layers: bool
) -> None:
    agent = own_host.start()
    request = Create(
        number=1,
        sandbox_id="x",
        runtime_id=RUNTIME_ID,
        environment={},
        limits=Limits.for_memory(128, 512),
        has_layers=has_layers,
    )
    with tmp_path.joinpath("file").open("w") as file:
        fds = [file.fileno()] * (1 if has_layers else 2)
        socket.send_fds(agent, [protocol.encode_request(request)], fds)
    answer = answer_to(agent)
    assert answer.error is not None
    assert "descriptors" in answer.error.message
    agent.close()
