"""The supervisor with real processes: start, restart, refusal, stop. The programs stand in."""

from __future__ import annotations

import json
import os
import select
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

FAKES = Path(__file__).parents[1] / "fakes"
PATIENCE_S = 20.0


class Supervised:
    """One supervisor in a process of its own, and what it wrote to stderr."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        self.process = subprocess.Popen(
            [sys.executable, str(FAKES / "supervise.py"), str(data), *options],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self.said = ""

    def wait_for(self, text: str) -> None:
        """Read stderr until it has said this."""
        assert self.process.stderr is not None
        until = time.monotonic() + PATIENCE_S
        while text not in self.said:
            ready, _, _ = select.select([self.process.stderr], [], [], until - time.monotonic())
            piece = os.read(self.process.stderr.fileno(), 65_536).decode() if ready else ""
            assert piece, f"it never said {text!r} but: {self.said}"
            self.said += piece

    def stop(self) -> int:
        """Ask it to stop and wait for that."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; everything it said is kept."""
        _, said = self.process.communicate(timeout=PATIENCE_S)
        self.said += said.decode()
        return self.process.returncode

    def lives(self, part: str) -> list[list[str]]:
        """One line per life of `control` or `host`, its pid first."""
        path = self.data / part / "lives"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    def wait_for_lives(self, part: str, count: int) -> None:
        """Wait until a part has begun its so-many-th life; only a file tells."""
        until = time.monotonic() + PATIENCE_S
        while len(self.lives(part)) < count:
            assert time.monotonic() < until, f"{part} began only {self.lives(part)}"
            select.select([], [], [], 0.01)

    def kill(self, part: str) -> None:
        """kill -9 the present life of a part."""
        os.kill(int(self.lives(part)[-1][0]), signal.SIGKILL)


def is_gone(pid: int) -> bool:
    """Whether a process has ended, waiting for that through its pidfd."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([fd], [], [], PATIENCE_S)[0])
    finally:
        os.close(fd)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def supervised(data: Path) -> Iterator[Supervised]:
    one = Supervised(data)
    yield one
    one.process.kill()
    one.process.wait()
    if one.process.stderr is not None:
        one.process.stderr.close()
    assert all(is_gone(int(life[0])) for part in ("control", "host") for life in one.lives(part))


def test_ready_is_said_after_the_addresses_and_a_stop_ends_the_host_first(
    supervised: Supervised, data: Path
) -> None:
    supervised.wait_for("emberd ready\n")
    assert "gRPC on 127.0.0.1:40001, HTTP on http://127.0.0.1:40000" in supervised.said
    assert json.loads((data / "endpoint.json").read_text()) == {
        "grpc": "127.0.0.1:40001",
        "http": "127.0.0.1:40000",
        "region": "us-east-1",
    }
    assert supervised.stop() == 0
    assert (data / "ends").read_text() == "host\ncontrol\n"
    assert not (data / "endpoint.json").exists()
    assert list((data / "run").iterdir()) == []


def test_secrets_are_secret_reach_the_programs_and_survive_a_restart(
    supervised: Supervised, data: Path
) -> None:
    supervised.wait_for("emberd ready\n")
    assert supervised.stop() == 0
    first = (data / "token").read_text().strip()
    host = (data / "host.token").read_text().strip()
    assert first != host
    secrets = ("token", "host.token", "metrics.token", "data.key", "root.key")
    assert {stat.S_IMODE((data / each).stat().st_mode) for each in secrets} == {0o600}
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    root_key = json.loads((data / "root.key").read_text())
    assert json.loads((data / "control" / "secrets").read_text()) == {
        "client": first,
        "host": host,
        "metrics": (data / "metrics.token").read_text().strip(),
        "data_key": (data / "data.key").read_text().strip(),
        "root_key_id": root_key["access_key_id"],
        "root_key_secret": root_key["secret_access_key"],
    }
    assert (data / "host" / "token").read_text().strip() == host
    again = Supervised(data)
    again.wait_for("emberd ready\n")
    assert again.stop() == 0
    assert (data / "token").read_text().strip() == first
    assert json.loads((data / "root.key").read_text()) == root_key


def test_no_command_line_and_no_variable_has_a_secret(supervised: Supervised, data: Path) -> None:
    supervised.wait_for("emberd ready\n")
    held = json.loads((data / "control" / "secrets").read_text()).values()
    pids = [
        supervised.process.pid,
        *(supervised.lives(each)[-1][0] for each in ("control", "host")),
    ]
    for pid in pids:
        for name in ("cmdline", "environ"):
            shown = Path(f"/proc/{pid}/{name}").read_text()
            assert not any(secret in shown for secret in held)
    assert not any(secret in supervised.said for secret in held)


def test_no_auth_is_said_loudly_and_only_when_it_is_so(supervised: Supervised, data: Path) -> None:
    supervised.wait_for("emberd ready\n")
    assert supervised.stop() == 0
    assert "--no-auth" not in supervised.said
    unguarded = Supervised(data, "--no-auth")
    unguarded.wait_for("emberd ready\n")
    assert unguarded.stop() == 0
    assert "WARNING: --no-auth: every program and every user of this machine" in unguarded.said


def test_a_damaged_root_key_is_refused_without_showing_it(data: Path) -> None:
    data.mkdir()
    (data / "root.key").write_text('{"secret_access_key": "torn')
    damaged = Supervised(data)
    assert damaged.wait() != 0
    assert "root.key is damaged" in damaged.said
    assert "torn" not in damaged.said


def test_each_life_has_a_socket_of_its_own_and_the_known_name_leads_to_it(
    supervised: Supervised, data: Path
) -> None:
    supervised.wait_for("emberd ready\n")
    link = data / "run" / "fleet.sock"
    first = link.readlink()
    assert supervised.stop() == 0
    left = [data / "run" / first, data / "run" / first.with_suffix(".link")]
    for each in left:
        each.touch()
    again = Supervised(data)
    again.wait_for("emberd ready\n")
    assert link.readlink() != first
    assert not any(each.exists() for each in left)
    assert link.is_socket()
    assert again.stop() == 0


def test_a_killed_host_is_started_again(supervised: Supervised) -> None:
    supervised.wait_for("emberd ready\n")
    supervised.kill("host")
    supervised.wait_for("the host was killed by SIGKILL; starting it again in 0.1 s")
    supervised.wait_for_lives("host", 2)
    assert supervised.stop() == 0
    assert supervised.said.count("emberd ready") == 1


def test_a_killed_control_plane_comes_back_at_the_same_addresses(supervised: Supervised) -> None:
    supervised.wait_for("emberd ready\n")
    supervised.kill("control")
    supervised.wait_for("the control plane was killed by SIGKILL; starting it again in 0.1 s")
    supervised.wait_for_lives("control", 2)
    assert supervised.lives("control")[1][1:] == ["127.0.0.1:40001", "127.0.0.1:40000"]
    assert len(supervised.lives("host")) == 1
    assert supervised.stop() == 0


def test_a_second_serve_on_the_folder_is_refused_and_disturbs_nothing(
    supervised: Supervised, data: Path
) -> None:
    supervised.wait_for("emberd ready\n")
    endpoint = (data / "endpoint.json").read_text()
    second = Supervised(data)
    assert second.wait() == 255
    assert "another emberd serves this folder" in second.said
    assert (data / "endpoint.json").read_text() == endpoint
    assert (data / "run" / "fleet.sock").exists()
    assert len(supervised.lives("host")) == 1
    assert supervised.stop() == 0


def test_a_control_plane_that_dies_before_it_listens_ends_the_start(data: Path) -> None:
    (data / "control").mkdir(parents=True)
    (data / "control" / "crash").touch()
    one = Supervised(data)
    assert one.wait() == 255
    assert "the control plane ended with status 7 before it listened" in one.said


def test_a_second_signal_does_not_wait_for_a_stubborn_host(
    supervised: Supervised, data: Path
) -> None:
    supervised.wait_for("emberd ready\n")
    (data / "host" / "stubborn").touch()
    started = time.monotonic()
    supervised.process.send_signal(signal.SIGTERM)
    supervised.process.send_signal(signal.SIGINT)
    assert supervised.wait() == 0
    assert time.monotonic() - started < 8
    assert "the host does not stop: killing it" in supervised.said


def test_children_die_with_a_killed_supervisor_and_the_next_start_works(
    supervised: Supervised, data: Path
) -> None:
    supervised.wait_for("emberd ready\n")
    supervised.process.kill()
    supervised.process.wait()
    assert is_gone(int(supervised.lives("control")[0][0]))
    assert is_gone(int(supervised.lives("host")[0][0]))
    again = Supervised(data)
    again.wait_for("emberd ready\n")
    assert again.stop() == 0


def test_without_a_host_it_listens_and_waits(data: Path) -> None:
    one = Supervised(data, "--no-host")
    one.wait_for("gRPC on")
    assert one.stop() == 0
    assert one.lives("host") == []
    assert "emberd ready" not in one.said


def test_a_folder_whose_socket_has_too_long_a_path_is_refused(tmp_path: Path) -> None:
    one = Supervised(tmp_path / ("d" * 100))
    assert one.wait() == 253
    assert "too long a path" in one.said
