"""Parts are killed, folders are fought for, hosts are full: callers hear of it and it heals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.system import Emberd, eventually, listeners

HEAL_S = 20.0
DEFINITE_S = 5.0


@pytest.fixture
def emberd(folder: Path, functions: Path) -> Iterator[Emberd]:
    """One emberd for each test, with a function deployed."""
    one = Emberd(folder).start()
    one.deploy(functions / "echo", "echo", timeout=60)
    yield one
    one.close()


def works(emberd: Emberd) -> bool:
    """Whether the function answers."""
    done = emberd.run("invoke", "echo", "--payload", '"here"')
    return done.returncode == 0 and done.stdout == b'"here"'


@pytest.mark.parametrize("part", ["agent", "launcher"])
def test_a_caller_hears_of_a_lost_host_within_5_s_and_the_function_works_again(
    emberd: Emberd, part: str
) -> None:
    caller = emberd.begin_run("invoke", "echo", "--payload", '{"sleep_s": 50}')
    eventually(lambda: b"START RequestId" in emberd.ok("logs", "echo"), HEAL_S)
    os.kill(emberd.part(part).pid, signal.SIGKILL)
    answer, told = caller.communicate(timeout=DEFINITE_S)
    assert (caller.returncode, answer) == (254, b""), told.decode()
    assert b"HOST_LOST" in told
    eventually(lambda: works(emberd), HEAL_S)


@pytest.mark.parametrize("part", ["agent", "launcher", "control plane"])
def test_a_killed_part_is_started_again_and_functions_go_on(emberd: Emberd, part: str) -> None:
    assert works(emberd)
    killed = emberd.part(part)
    os.kill(killed.pid, signal.SIGKILL)
    eventually(lambda: not killed.is_alive(), HEAL_S)
    eventually(lambda: works(emberd), HEAL_S)
    footprint = emberd.footprint()
    assert emberd.stop() == 0
    assert footprint.left() == []


@pytest.mark.parametrize("part", ["supervisor", "everything"])
def test_after_kill_9_the_next_start_goes_on_with_every_function(emberd: Emberd, part: str) -> None:
    assert works(emberd)
    footprint = emberd.footprint()
    victims = emberd.tree() if part == "everything" else [emberd.part("supervisor")]
    for each in victims:
        try:
            os.kill(each.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue  # it went with one killed before
    assert emberd.process is not None
    emberd.process.wait(10)
    emberd.start()
    assert works(emberd)
    again = emberd.footprint()
    assert emberd.stop() == 0
    assert again.left() == []
    assert footprint.left() == []


def test_a_start_beside_a_host_that_is_still_leaving_takes_no_work_to_it(emberd: Emberd) -> None:
    caller = emberd.begin_run("invoke", "echo", "--payload", '{"sleep_s": 5}')
    emberd.wait_until_running(1)
    assert emberd.process is not None
    emberd.process.kill()
    emberd.process.wait(10)
    emberd.start()
    done = emberd.run("invoke", "echo", "--payload", '"here"')
    assert (done.returncode, done.stdout) == (0, b'"here"'), done.stderr.decode() + emberd.log()
    caller.communicate(timeout=DEFINITE_S)
    assert caller.returncode in (1, 254)


def test_a_stop_leaves_no_process_cgroup_mount_or_namespace(emberd: Emberd) -> None:
    assert works(emberd)
    footprint = emberd.footprint()
    assert len(footprint.processes) > 4
    assert footprint.cgroups
    assert footprint.namespaces
    assert emberd.stop() == 0
    assert footprint.left() == []
    assert not (emberd.data / "endpoint.json").exists()
    assert list((emberd.data / "run").iterdir()) == []


def test_a_stop_lets_what_runs_finish(emberd: Emberd) -> None:
    assert works(emberd)
    caller = emberd.begin_run("invoke", "echo", "--payload", '{"sleep_s": 3}')
    emberd.wait_until_running(1)
    assert emberd.stop() == 0
    answer, told = caller.communicate(timeout=10)
    assert (caller.returncode, answer) == (0, b'{"sleep_s": 3}'), told.decode()


def test_a_stop_does_not_wait_longer_than_its_deadline(emberd: Emberd) -> None:
    caller = emberd.begin_run("invoke", "echo", "--payload", '{"sleep_s": 50}')
    emberd.wait_until_running(1)
    footprint = emberd.footprint()
    begun = time.monotonic()
    assert emberd.stop() == 0
    assert time.monotonic() - begun < 20
    caller.communicate(timeout=10)
    assert caller.returncode in (1, 254, 255)
    assert footprint.left() == []


def test_an_interrupt_stops_it_as_well(emberd: Emberd) -> None:
    footprint = emberd.footprint()
    assert emberd.stop(signal.SIGINT) == 0
    assert footprint.left() == []


def test_a_second_serve_on_the_folder_is_refused_and_disturbs_nothing(
    emberd: Emberd, folder: Path
) -> None:
    second = Emberd(folder)
    second.starts = 10  # so that it writes to files of its own
    second.begin()
    assert second.process is not None
    assert second.process.wait(30) in (252, 253, 254, 255)
    assert "another emberd serves" in second.log()
    assert works(emberd)
    assert emberd.run("functions", "--data", emberd.data).returncode == 0


def test_functions_tokens_and_versions_survive_a_restart(emberd: Emberd) -> None:
    emberd.ok("publish", "echo")
    token = emberd.environment["EMBERD_TOKEN"]
    assert emberd.stop() == 0
    emberd.start()
    assert emberd.environment["EMBERD_TOKEN"] == token
    assert emberd.answer("echo:1", "again") == "again"


def test_a_host_without_room_answers_429_and_does_not_hang(folder: Path, functions: Path) -> None:
    emberd = Emberd(folder, "--max-sandboxes", "1").start()
    try:
        emberd.deploy(functions / "echo", "echo", timeout=60)
        caller = emberd.begin_run("invoke", "echo", "--payload", '{"sleep_s": 40}')
        emberd.wait_until_running(1)
        begun = time.monotonic()
        done = emberd.run("invoke", "echo")
        assert time.monotonic() - begun < 30
        assert done.returncode == 254
        assert "TOO_MANY_REQUESTS" in done.stderr.decode()
        caller.kill()
        caller.communicate()
    finally:
        emberd.close()


def test_whoever_listens_is_nobody(emberd: Emberd) -> None:
    for name in ("control plane", "agent"):
        process = emberd.part(name)
        status = dict(
            line.split(":\t", 1)
            for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
            if ":\t" in line
        )
        assert "0" not in status["Uid"].split(), name
        assert "0" not in status["Gid"].split(), name
        assert status["Groups"].split() == [], name
        for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert int(status[kind], 16) == 0, f"{name} {kind}"
        assert status["NoNewPrivs"] == "1", name
        uid, gid = status["Uid"].split()[0], status["Gid"].split()[0]
        inside = ["nsenter", "--target", str(process.pid), "--mount", "-S", uid, "-G", gid]
        shadow = subprocess.run([*inside, "cat", "/etc/shadow"], capture_output=True, check=False)
        assert shadow.returncode != 0, name
        assert b"Permission denied" in shadow.stderr, name


def test_the_ports_belong_to_the_control_plane_alone(emberd: Emberd) -> None:
    control = emberd.part("control plane").pid
    for address in (
        emberd.address,
        emberd.environment["AWS_ENDPOINT_URL_LAMBDA"].removeprefix("http://"),
    ):
        assert listeners(int(address.rpartition(":")[2])) == {control}


def test_secrets_are_in_no_command_line_log_or_readable_file(emberd: Emberd) -> None:
    assert works(emberd)
    secrets = [(emberd.data / name).read_text().strip() for name in ("token", "host.token")]
    for each in emberd.tree():
        assert not any(secret in each.command for secret in secrets)
    assert not any(secret in emberd.log() for secret in secrets)
    for name in ("token", "host.token"):
        assert (emberd.data / name).stat().st_mode & 0o077 == 0
    assert not any(secret in (emberd.data / "endpoint.json").read_text() for secret in secrets)


def test_doctor_says_what_this_machine_lacks(emberd: Emberd) -> None:
    done = emberd.run("doctor", "--output", "json")
    assert done.returncode == 0, done.stdout.decode()
    assert json.loads(done.stdout)
