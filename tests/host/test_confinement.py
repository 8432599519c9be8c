"""emberd-host confine and doctor, run as programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.host.harness import what_is_missing

pytestmark = [
    pytest.mark.host,
    pytest.mark.skipif(bool(what_is_missing()), reason=f"needs {what_is_missing()}"),
]

UID = 990_001

LOOK = """
import json, os, sys
import grpc
from pathlib import Path
told = {"ids": [os.getresuid(), os.getresgid(), os.getgroups()]}
def attempt(name, function):
    try:
        told[name] = function()
    except OSError as error:
        told[name] = type(error).__name__
kept = Path(sys.argv[1])
attempt("shadow", lambda: Path("/etc/shadow").read_text()[:1])
attempt("keep", lambda: (kept / "mine").write_text("x"))
attempt("neighbours", lambda: os.listdir(kept.parent))
attempt("root's home", lambda: sorted(os.listdir("/root")))
attempt("become root", lambda: os.setuid(0))
status = Path("/proc/self/status").read_text()
told["privilege"] = [l for l in status.split("\\n") if l.startswith(("CapEff", "CapBnd", "NoNew"))]
print(json.dumps(told))
"""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", "from sandbox.cli import main; main()", *arguments]
    return subprocess.run(program, capture_output=True, text=True, timeout=30)


def test_a_confined_program_runs_as_its_user_and_reaches_only_what_it_needs(
    tmp_path: Path,
) -> None:
    """Python's own home is closed to it, and so is the folder around the one it keeps."""
    data = tmp_path / "data"
    (data / "secret").mkdir(parents=True)
    data.chmod(0o700)
    kept = data / "mine"
    arguments = ["confine", "--uid", str(UID), "--gid", str(UID), "--keep", str(kept), "--"]
    done = run(*arguments, sys.executable, "-c", LOOK, str(kept))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["ids"] == [[UID] * 3, [UID] * 3, []]
    assert told["shadow"] == "PermissionError"
    assert told["keep"] == 1
    assert told["neighbours"] == ["mine"]
    assert told["become root"] == "PermissionError"
    assert told["privilege"] == ["CapEff:\t" + "0" * 16, "CapBnd:\t" + "0" * 16, "NoNewPrivs:\t1"]
    assert (kept / "mine").stat().st_uid == UID
    assert sorted(os.listdir(data)) == ["mine", "secret"]


def test_a_confined_program_gives_its_own_status() -> None:
    arguments = ["confine", "--uid", str(UID), "--gid", str(UID), "--"]
    assert run(*arguments, sys.executable, "-c", "raise SystemExit(5)").returncode == 5


def test_a_program_that_is_not_there_is_named() -> None:
    done = run("confine", "--uid", str(UID), "--gid", str(UID), "--", "/no/such/program")
    assert done.returncode == 1
    assert "/no/such/program cannot be started" in done.stderr


def test_the_doctor_finds_this_host_fit_and_names_its_runtimes() -> None:
    done = run("doctor", "--output", "json")
    assert done.returncode == 0, done.stdout
    report = json.loads(done.stdout)
    assert {each["name"] for each in report["checks"]} >= {"root", "seccomp", "landlock"}
    assert f"python3.{sys.version_info.minor}" in report["runtimes"]
    assert "runtime" in run("doctor").stdout


def test_run_without_root_is_refused_with_the_remedy() -> None:
    arguments = ["confine", "--uid", str(UID), "--gid", str(UID), "--", sys.executable, "-c"]
    command = ["run", "--state", "/x", "--control-plane", "unix:/x", "--token-fd", "0"]
    done = run(*arguments, f"from sandbox.cli import main; main({command})")
    assert done.returncode == 1
    assert "needs root" in done.stderr
