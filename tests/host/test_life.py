"""The life of real sandboxes: what is kept, what ends, and that nothing is left afterwards."""

from __future__ import annotations

import os
import signal
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from emberd.wire.errors import InvalidArgumentError
from sandbox.process import protocol
from sandbox.process.backend import ProcessBackend
from sandbox.process.protocol import Create
from sandbox.spec import MIB, Limits
from tests.host.census import (
    cgroups_of,
    leftovers_of,
    loop_devices_of,
    processes_of,
    settled,
)
from tests.host.harness import RUNTIME_ID, Host, answer_to, eventually, read_until

pytestmark = pytest.mark.host

WAITS = "import signal\nprint('ready', flush=True)\nsignal.pause()"
CROWD_SIZE = 5
CROWD = f"""
import os, signal
for _ in range({CROWD_SIZE}):
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.pause()
print('ready', flush=True)
signal.pause()
"""


def pid_of_launcher(host: Host) -> int:
    assert host.process is not None, "the host is running"
    return host.process.pid


async def test_a_reset_starts_a_new_process_in_the_same_environment(
    host: Host, backend: ProcessBackend
) -> None:
    source = (
        "import os, signal\n"
        "print(os.readlink('/proc/self/ns/net'), os.readlink('/proc/self/ns/pid'),\n"
        "      open('/proc/self/uid_map').read().split()[1], flush=True)\n"
        "signal.pause()"
    )
    sandbox = await backend.create(host.spec(source))
    before = read_until(sandbox.log_fd, b"\n").split()
    # Held open, or the kernel may give its number to the next.
    held = [os.open(f"/proc/{pid}/ns/pid", os.O_RDONLY) for pid in processes_of(host)]
    await sandbox.reset()
    after = read_until(sandbox.log_fd, b"\n").split()
    for fd in held:
        os.close(fd)
    assert (before[0], before[2]) == (after[0], after[2])
    assert before[1] != after[1]


async def test_many_resets_in_a_row_all_work(host: Host, backend: ProcessBackend) -> None:
    sandbox = await backend.create(host.spec(WAITS))
    for _ in range(5):
        read_until(sandbox.log_fd, b"ready")
        await sandbox.reset()
    read_until(sandbox.log_fd, b"ready")


async def test_a_kill_ends_what_the_function_started_too(
    host: Host, backend: ProcessBackend
) -> None:
    sandbox = await backend.create(host.spec(CROWD))
    read_until(sandbox.log_fd, b"ready")
    groups = _crowded(host)
    assert groups
    await sandbox.kill()
    assert [_pids_in(each) for each in groups] == [[]] * len(groups)


def _crowded(host: Host) -> list[Path]:
    """Cgroups of the crowd: what waits for a function is one process or two."""
    return [each for each in cgroups_of(host) if len(_pids_in(each)) > CROWD_SIZE]


def _pids_in(group: Path) -> list[str]:
    """None when it is gone, also while we look."""
    try:
        return [pid for procs in group.rglob("cgroup.procs") for pid in procs.read_text().split()]
    except OSError:
        return []


async def test_the_end_of_the_runtime_ends_what_it_left_behind(
    host: Host, backend: ProcessBackend
) -> None:
    source = "import os, signal, sys\nif os.fork() == 0:\n    signal.pause()\nsys.exit(3)"
    sandbox = await backend.create(host.spec(source))
    assert (await sandbox.wait()).status == 3


async def test_orphans_are_collected_and_do_not_fill_the_sandbox(
    host: Host, backend: ProcessBackend
) -> None:
    # Faster than they are collected it may be, on a busy machine; then it tries again.
    source = (
        "import os, time\n"
        "def fork():\n"
        "    while True:\n"
        "        try:\n"
        "            return os.fork()\n"
        "        except BlockingIOError:\n"
        "            time.sleep(0.001)\n"
        "for _ in range(100):\n"
        "    if (child := fork()) == 0:\n"
        "        if fork() == 0:\n"
        "            os._exit(0)\n"
        "        os._exit(0)\n"
        "    os.waitpid(child, 0)\n"
        "print('done', flush=True)"
    )
    sandbox = await backend.create(host.spec(source, processes=30))
    assert b"done" in read_until(sandbox.log_fd, b"\n")


async def test_nothing_is_left_of_a_destroyed_sandbox(host: Host, backend: ProcessBackend) -> None:
    """After the first few, the host holds only its embryos, however many come and go."""
    for _ in range(3):
        await (await backend.create(host.spec(WAITS))).destroy()
    before = settled(host)
    for _ in range(10):
        await (await backend.create(host.spec(WAITS))).destroy()
    assert not settled(host).growth_since(before, memory_bytes=8 * MIB)


async def test_a_program_that_cannot_be_executed_is_named(
    host: Host, backend: ProcessBackend
) -> None:
    """The image is there, yet its program is not: the very last step fails, visibly.

    A variable that only exec reads makes even a host with templates execute it.
    """
    spec = replace(host.spec(WAITS), environment={"PYTHONHASHSEED": "1"})
    image = next((host.state / "images").glob(f"{RUNTIME_ID}-*"))
    program = image / "var" / "lang" / "bin" / RUNTIME_ID
    hidden = program.with_name("hidden")
    program.rename(hidden)
    try:
        with pytest.raises(Exception, match=f"cannot execute .*{RUNTIME_ID}"):
            await backend.create(spec)
    finally:
        hidden.rename(program)
    assert spec.sandbox_id not in {path.name for path in cgroups_of(host)}


async def test_code_and_layers_outside_the_agents_folder_are_refused(
    host: Host, backend: ProcessBackend, tmp_path: Path
) -> None:
    spec = host.spec(WAITS)
    os.chown(tmp_path, host.instance.agent_id, host.instance.agent_id)
    for folder in (tmp_path, Path("/etc")):
        with pytest.raises(InvalidArgumentError, match="code or layers"):
            await backend.create(replace(spec, code_directory=str(folder)))
        with pytest.raises(InvalidArgumentError, match="code or layers"):
            await backend.create(replace(spec, layers_directory=str(folder)))


def test_a_request_that_makes_no_sense_is_answered_and_harms_nobody(own_host: Host) -> None:
    agent = own_host.start()
    for number, packet in enumerate(
        (
            b'{"verb": "Create", "number": 0, "sandbox_id": "../x"}',
            b'{"verb": "Mount", "number": 1, "sandbox_id": "x"}',
            protocol.encode_request(
                Create(
                    number=2,
                    sandbox_id="x",
                    runtime_id=RUNTIME_ID,
                    environment={},
                    limits=Limits.for_memory(128, 512),
                )
            ),
        )
    ):
        agent.send(packet)
        answer = answer_to(agent)
        assert (answer.number, type(answer.error)) == (number, InvalidArgumentError)
    agent.close()


async def test_sigterm_leaves_nothing(own_host: Host) -> None:
    backend = await ProcessBackend.connect(own_host.start())
    sandbox = await backend.create(own_host.spec(WAITS))
    read_until(sandbox.log_fd, b"ready")
    assert own_host.stop() == 0
    assert eventually(lambda: leftovers_of(own_host) == []), leftovers_of(own_host)
    await backend.close()


async def test_a_killed_launcher_takes_everything_with_it_and_the_next_one_sweeps(
    own_host: Host,
) -> None:
    backend = await ProcessBackend.connect(own_host.start())
    sandbox = await backend.create(own_host.spec(WAITS))
    read_until(sandbox.log_fd, b"ready")
    sandbox.freeze()
    own_host.stop(signal.SIGKILL)
    assert eventually(lambda: processes_of(own_host) == []), processes_of(own_host)
    assert eventually(lambda: loop_devices_of(own_host) == [])
    await backend.close()
    again = await ProcessBackend.connect(own_host.start())
    sandbox = await again.create(own_host.spec(WAITS))
    read_until(sandbox.log_fd, b"ready")
    await again.close()
    own_host.stop()
    assert eventually(lambda: leftovers_of(own_host) == []), leftovers_of(own_host)


async def test_when_the_agent_dies_its_sandboxes_go_and_another_agent_comes(
    own_host: Host,
) -> None:
    backend = await ProcessBackend.connect(own_host.start())
    sandbox = await backend.create(own_host.spec(CROWD))
    read_until(sandbox.log_fd, b"ready")
    lost: list[bool] = []
    backend.on_lost(lambda: lost.append(True))
    groups = _crowded(own_host)
    assert groups
    own_host.end_agent()
    connection = own_host.accept()
    assert eventually(lambda: not any(map(_pids_in, groups)))
    second = await ProcessBackend.connect(connection)
    await (await second.create(own_host.spec(WAITS))).destroy()
    await second.close()
    await backend.close()
    assert lost


def test_a_second_host_on_the_same_folder_is_refused(own_host: Host) -> None:
    from sandbox.process.instance import StateInUseError, take_lock

    own_host.start().close()
    with pytest.raises(StateInUseError, match="in use"):
        take_lock(own_host.state, wait_s=0.2)


def test_two_hosts_never_share_uids(own_host: Host, host: Host) -> None:
    assert own_host.instance.name != host.instance.name
    assert own_host.instance.agent_id != host.instance.agent_id


def test_the_agent_is_confined(own_host: Host) -> None:
    own_host.start().close()
    agent = next(
        pid for pid in processes_of(own_host) if _uid_of(pid) == own_host.instance.agent_id
    )
    status = Path(f"/proc/{agent}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert {fields[name] for name in ("CapEff", "CapPrm", "CapBnd")} == {"0" * 16}
    assert fields["NoNewPrivs"] == "1"
    assert fields["Groups"].strip() == ""


def _uid_of(pid: int) -> int:
    return os.stat(f"/proc/{pid}").st_uid


def test_a_socket_pair_is_all_that_the_agent_needs(own_host: Host) -> None:
    agent = own_host.start()
    assert agent.type is socket.SOCK_SEQPACKET
    agent.close()
