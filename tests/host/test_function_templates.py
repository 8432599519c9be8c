"""Function templates: init runs once, and sandboxes are copied from what it left, walled in."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from emberd.wire.errors import UnavailableError
from sandbox.backend import ProcessExit
from sandbox.process.backend import ProcessBackend
from sandbox.runtimeapi import InitError, SnapshotRefused
from tests.host.census import leftovers_of, read_of, template_runtimes_of
from tests.host.harness import Host, eventually, prepared
from tests.host.stage import Stage

pytestmark = pytest.mark.host

COUNTS = """
STARTS = []
STARTS.append(1)

def handler(event, context):
    STARTS.append(1)
    return len(STARTS)
"""


@pytest.fixture(scope="module")
def runtime_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A launcher whose sandboxes run our own runtime."""
    with prepared(Host(tmp_path_factory.mktemp("host"), real_runtime=True)) as host:
        yield host


@pytest.fixture
async def stage(runtime_host: Host) -> AsyncIterator[Stage]:
    """Of the shared launcher."""
    backend = await ProcessBackend.connect(runtime_host.connection())
    made = Stage(runtime_host, backend)
    yield made
    await made.close()
    await backend.close()


async def test_init_runs_once_and_every_copy_goes_on_from_there(stage: Stage) -> None:
    template = await stage.template(COUNTS)
    first, second = await stage.copy(template), await stage.copy(template)
    assert [await first.invoke(), await first.invoke(), await second.invoke()] == [2, 3, 2]


async def test_the_next_copy_is_made_before_it_is_asked_for(stage: Stage) -> None:
    template = await stage.template(COUNTS)
    for _ in range(20):
        copy = await stage.copy(template)
        assert await copy.invoke() == 2
        names = [name for name, _, _ in copy.sandbox.phases]
        if "copy" not in names:
            break
    assert names == ["image"]


SHOWS = """
import os, socket
OPEN = open("/var/task/main.py")

def handler(event, context):
    with open("/proc/self/status") as file:
        lines = (line.partition(":") for line in file)
        status = {name: value.strip() for name, _, value in lines}
    with open("/tmp/mine", "a+") as file:
        file.write("x")
    return {
        "name": os.environ["NAME"],
        "variables": sorted(os.environ),
        "pid": os.getpid(),
        "pids": sorted(int(each) for each in os.listdir("/proc") if each.isdigit()),
        "tmp": os.listdir("/tmp") + [os.path.getsize("/tmp/mine")],
        "host": socket.gethostname(),
        "folder": os.getcwd(),
        "reads": OPEN.read(9),
        "opt": os.listdir("/opt"),
        "ids": [os.getresuid(), os.getresgid(), os.getgroups()],
        "namespaces": {
            each: os.readlink("/proc/self/ns/" + each) for each in os.listdir("/proc/self/ns")
        },
        "sockets": [each for each in map(fd, os.listdir("/proc/self/fd")) if "socket" in each],
        "cgroups": open("/proc/self/cgroup").read().split(),
        "walls": [status[each] for each in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")]
            + [status["NoNewPrivs"], status["Seccomp"], status["Seccomp_filters"]],
    }

def fd(number):
    try:
        return os.readlink("/proc/self/fd/" + number)
    except OSError:
        return ""
"""


async def test_a_copy_has_a_world_of_its_own(stage: Stage) -> None:
    template = await stage.template(SHOWS)
    seen = []
    for _ in range(2):
        copy = await stage.copy(template)
        shown = await copy.invoke()
        assert isinstance(shown, dict)
        seen.append(shown)
    assert [each["name"] for each in seen] == ["copy 1", "copy 2"]
    assert seen[0]["variables"] == seen[1]["variables"]
    for shown in seen:
        assert (shown["pid"], shown["pids"]) == (2, [2])
        assert shown["tmp"] == ["mine", 1]
        assert (shown["host"], shown["folder"]) == ("sandbox", "/var/task")
        assert (shown["reads"], shown["opt"]) == ("\nimport o", [])
        assert shown["ids"] == [[993] * 3, [990] * 3, []]
        assert len(shown["sockets"]) == 1, "its Runtime API's and no other"
        assert all(each.endswith(":/") for each in shown["cgroups"] if "emberd" in each)
        assert shown["walls"] == ["0" * 16] * 5 + ["1", "2", "2"]
    first, second = (each["namespaces"] for each in seen)
    assert {name for name in first if first[name] == second[name]} == {"time", "time_for_children"}


DRAWS = """
import random, secrets, ssl, tempfile, uuid
DRAWN = [random.random(), ssl.RAND_bytes(8), uuid.uuid4(), uuid.uuid1(), tempfile.mktemp()]

def handler(event, context):
    return [
        random.random(), str(uuid.uuid4()), secrets.token_hex(), ssl.RAND_bytes(16).hex(),
        tempfile.mktemp(), random.SystemRandom().random(), str(uuid.uuid1()),
        uuid.uuid1().node,
    ]
"""


async def test_no_two_copies_draw_the_same(stage: Stage) -> None:
    template = await stage.template(DRAWS)
    drawn: list[object] = []

    async def draw(times: int) -> None:
        for _ in range(times):
            copy = await stage.copy(template)
            values = await copy.invoke()
            assert isinstance(values, list)
            drawn.extend(values)
            await copy.close()
            stage.functions.remove(copy)

    copies = int(os.environ.get("EMBERD_TEST_COPIES", "240"))  # make soak: 1,000
    await asyncio.gather(*(draw(copies // 4) for _ in range(4)))
    assert len(set(map(str, drawn))) == len(drawn) == 8 * copies


HOOKS = """
import os
import snapshot_restore_py as hooks
SAID = []

@hooks.register_before_snapshot
def first():
    SAID.append("before 1")

hooks.register_before_snapshot(SAID.append, "before 2")
hooks.register_after_restore(SAID.append, "after 1")

@hooks.register_after_restore
def second():
    SAID.append("after 2 of " + os.environ["NAME"])

def handler(event, context):
    return SAID
"""


async def test_hooks_run_in_lambdas_order(stage: Stage) -> None:
    copy = await stage.copy(await stage.template(HOOKS))
    assert await copy.invoke() == ["before 2", "before 1", "after 1", "after 2 of copy 1"]


FAILS = """
import snapshot_restore_py as hooks

@hooks.{register}
def hook():
    raise KeyError("not there")

def handler(event, context): pass
"""


async def test_a_failing_before_hook_is_a_failed_init(stage: Stage) -> None:
    source = FAILS.format(register="register_before_snapshot")
    template, outcome = await stage.start(stage.spec({"main.py": source}))
    assert isinstance(outcome, InitError)
    assert outcome.error_type == "Runtime.BeforeSnapshotError"
    assert json.loads(outcome.payload)["errorType"] == "KeyError"
    assert await template.sandbox.wait() == ProcessExit(status=64)


async def test_a_failing_after_hook_is_a_failed_restore(stage: Stage) -> None:
    template = await stage.template(FAILS.format(register="register_after_restore"))
    copy, outcome = await stage.start(stage.copy_spec(template))
    assert isinstance(outcome, InitError)
    assert outcome.error_type == "Runtime.AfterRestoreError"
    assert await copy.sandbox.wait() == ProcessExit(status=65)


RUNS_A_THREAD = """
import threading, time
threading.Thread(target=time.sleep, args=(99,), name="idler").start()
"""


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (RUNS_A_THREAD, "threads run beside the main one (idler)"),
        ("import subprocess\np = subprocess.Popen(['sleep', '99'])", "it has started processes"),
        ("import socket\na, b = socket.socketpair()", "it has 2 open sockets"),
        ("open('/tmp/here', 'w').close()", "its init has left 1 files in /tmp"),
    ],
    ids=["threads", "processes", "sockets", "files"],
)
async def test_what_cannot_be_copied_says_why(stage: Stage, source: str, reason: str) -> None:
    source += "\ndef handler(event, context): pass"
    _, outcome = await stage.start(stage.spec({"main.py": source}))
    assert isinstance(outcome, SnapshotRefused)
    assert outcome.reason.startswith(reason)


ENDS = """
import os, signal
def handler(event, context):
    if event == "exits":
        os._exit(7)
    if event == "is killed":
        os.kill(os.getpid(), signal.SIGTERM)
    if event == "wants memory":
        kept = [bytearray(b"x" * (1 << 20)) for _ in range(300)]
    return "lives"
"""


@pytest.mark.parametrize(
    ("event", "how"),
    [
        ("exits", ProcessExit(status=7)),
        ("is killed", ProcessExit(signal=15)),
        ("wants memory", ProcessExit(signal=9)),
    ],
)
async def test_the_end_of_a_copy_is_reported_as_any_other(
    stage: Stage, event: str, how: ProcessExit
) -> None:
    template = await stage.template(ENDS)
    copy, other = await stage.copy(template), await stage.copy(template)
    waiting = asyncio.create_task(copy.invoke(event))
    async with asyncio.timeout(20):
        assert await copy.sandbox.wait() == how
    waiting.cancel()
    assert (copy.sandbox.usage().oom_kills > 0) is (event == "wants memory")
    assert await other.invoke() == "lives"
    assert await (await stage.copy(template)).invoke() == "lives"


async def test_a_copy_is_frozen_and_killed_as_any_other(stage: Stage) -> None:
    template = await stage.template(COUNTS)
    copy = await stage.copy(template)
    copy.sandbox.freeze()
    async with asyncio.timeout(20):
        await copy.sandbox.kill()
        assert await copy.sandbox.wait() == ProcessExit(signal=9)
    with pytest.raises(Exception, match="cannot be reset"):
        await copy.sandbox.reset()


async def test_copies_outlive_their_template(stage: Stage) -> None:
    """What is left of it goes with the last of them."""
    template = await stage.template(COUNTS)
    [runtime] = template_runtimes_of(stage.host)
    ids = _first_id(runtime)
    first, second = await stage.copy(template), await stage.copy(template)
    await template.sandbox.destroy()
    assert runtime not in template_runtimes_of(stage.host)
    assert [await first.invoke(), await second.invoke()] == [2, 2]
    with pytest.raises(UnavailableError, match="is not here"):
        await stage.backend.create(stage.copy_spec(template))
    await first.sandbox.destroy()
    assert await second.invoke() == 3
    await second.sandbox.destroy()
    assert await asyncio.to_thread(eventually, lambda: not _with_ids(ids))


async def test_a_template_that_died_is_copied_no_more(stage: Stage) -> None:
    template = await stage.template(COUNTS)
    [runtime] = template_runtimes_of(stage.host)
    copy = await stage.copy(template)
    os.kill(runtime, signal.SIGKILL)
    async with asyncio.timeout(20):
        assert await template.sandbox.wait() == ProcessExit(signal=9)
    with pytest.raises(UnavailableError, match="its process has ended"):
        await stage.backend.create(stage.copy_spec(template))
    assert await copy.invoke() == 2


async def test_a_template_without_its_midwife_is_lost_and_not_merely_busy(stage: Stage) -> None:
    template = await stage.template(COUNTS)
    ids = _first_id(template_runtimes_of(stage.host)[0])
    midwife = _midwife(ids)
    os.kill(midwife, signal.SIGKILL)
    # Once the launcher has reaped her, it knows.
    assert await asyncio.to_thread(eventually, lambda: not Path(f"/proc/{midwife}").exists())
    with pytest.raises(UnavailableError, match="nobody can bear its copies"):
        await stage.backend.create(stage.copy_spec(template))


async def test_a_template_needs_no_copies_to_end(stage: Stage) -> None:
    template = await stage.template(COUNTS)
    ids = _first_id(template_runtimes_of(stage.host)[0])
    assert _with_ids(ids)
    await template.sandbox.destroy()
    assert await asyncio.to_thread(eventually, lambda: not _with_ids(ids))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_launcher_that_ends_leaves_nothing_of_them(tmp_path: Path, number: int) -> None:
    host = Host(tmp_path, real_runtime=True)
    host.prepare()
    try:
        backend = await ProcessBackend.connect(host.connection())
        stage = Stage(host, backend)
        template = await stage.template(COUNTS)
        ids = _first_id(template_runtimes_of(host)[0])
        copies = [await stage.copy(template) for _ in range(2)]
        await asyncio.to_thread(host.stop, number)
        assert await asyncio.to_thread(eventually, lambda: not _with_ids(ids))
        for function in (template, *copies):
            await function.api.close()
        await backend.close()
        if number == signal.SIGKILL:
            # Its cgroups, empty now, are its next life's to sweep.
            (await asyncio.to_thread(host.start)).close()
            await asyncio.to_thread(host.stop)
        assert not leftovers_of(host)
    finally:
        host.close()


HOSTILE = """
import ctypes, os, socket, threading, time
from emberd_runtime import copying
enter, lock_in = copying._enter, copying._lock_in
{change}
def handler(event, context): pass
"""


SKIPS_ONE = """
entered = []
def enter_less(fd):
    entered.append(fd)
    if len(entered) != {number}:
        enter(fd)
copying._enter = enter_less
"""

LOCKS_IN = """
def less(request):
    {first}
    lock_in(request)
copying._lock_in = less
"""

RUNS_BESIDE = "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("copying._lock_in = lambda request: None", "CapPrm is"),
        (LOCKS_IN.format(first="request.filter = b''"), "1 system call filters lie on it, not 2"),
        (LOCKS_IN.format(first=RUNS_BESIDE), "Threads is '2'"),
        (LOCKS_IN.format(first="os.setresuid(0, 0, 0)"), "Uid is"),
        (SKIPS_ONE.format(number=5), "it lives in another net namespace"),
        (SKIPS_ONE.format(number=7), "it lives in another pid namespace"),
        ("copying._enter = lambda fd: None", "it lives in another user namespace"),
    ],
    ids=["capabilities", "filter", "thread", "root", "net", "pid", "nothing entered"],
)
async def test_a_copy_that_is_not_locked_in_never_runs(stage: Stage, change: str, why: str) -> None:
    """A hostile template gains nothing, and nothing is copied from it again."""
    template = await stage.template(HOSTILE.format(change=change))
    with pytest.raises(UnavailableError, match="could not be made") as caught:
        await stage.backend.create(stage.copy_spec(template))
    assert why in caught.value.message
    with pytest.raises(UnavailableError, match="was not locked in"):
        await stage.backend.create(stage.copy_spec(template))


async def test_a_template_that_answers_nothing_is_waited_for_only_so_long(stage: Stage) -> None:
    template = await stage.template(
        HOSTILE.format(change="copying._enter = lambda fd: time.sleep(60)")
    )
    with pytest.raises(UnavailableError, match="did not start within 5 s"):
        await stage.backend.create(stage.copy_spec(template))


MIGHTY = """
import ctypes, os, socket
from emberd_runtime import copying
lock_in, TRIED = copying._lock_in, {{}}

def attempt(name, action):
    try:
        action()
        TRIED[name] = "it worked"
    except OSError as error:
        TRIED[name] = os.strerror(error.errno)

def try_first(request):
    libc = ctypes.CDLL(None, use_errno=True)
    def checked(result):
        if result < 0:
            raise OSError(ctypes.get_errno(), "")
    plain = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    for level, option in ((0, 64), (41, 64)):
        attempt(f"firewall {{level}}", lambda: plain.setsockopt(level, option, b""))
    plain.close()
    attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
    attempt("packet", lambda: socket.socket(17, socket.SOCK_RAW))
    attempt("netlink", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0))
    attempt("netfilter", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12))
    attempt("mount", lambda: checked(libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)))
    attempt("unshare", lambda: checked(libc.unshare(0x10000000)))
    attempt("bpf", lambda: checked(libc.syscall(321, 0, None, 0)))
    attempt("chroot", lambda: os.chroot("/tmp"))
    attempt("host's pid 1", lambda: os.kill(1, 9))
    lock_in(request)

copying._lock_in = try_first

def handler(event, context):
    return TRIED
"""


async def test_what_a_fork_could_do_before_it_is_locked_in_is_nothing(stage: Stage) -> None:
    """It has every capability there, over its own namespaces only; the filter leaves no use."""
    template = await stage.template(MIGHTY.format())
    copy = await stage.copy(template)
    tried = await copy.invoke()
    refused = "Operation not permitted"
    assert tried == {
        "firewall 0": refused,
        "firewall 41": refused,
        "raw": refused,
        "packet": "Address family not supported by protocol",
        "netlink": "Address family not supported by protocol",
        "netfilter": "Address family not supported by protocol",
        "mount": refused,
        "unshare": refused,
        "bpf": refused,
        "chroot": refused,
        "host's pid 1": "it worked",
    }, "pid 1 of a namespace takes no signal from inside"
    assert await copy.invoke() == tried


def _first_id(pid: int) -> int:
    return int(read_of(pid, "uid_map").split()[1])


def _midwife(first_id: int) -> int:
    """Whoever is right below the host's namespace, is not pid 1 there and runs no runtime."""
    [found] = [
        pid
        for pid in _with_ids(first_id)
        if re.search(rb"^NSpid:\s\d+\s(?!1$)\d+$", read_of(pid, "status"), re.MULTILINE)
        and b"/var/runtime/bootstrap.py" not in read_of(pid, "cmdline")
    ]
    return found


def _with_ids(first_id: int) -> list[int]:
    """Processes in this private range."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if first_id <= entry.stat().st_uid < first_id + 65_536:
                found.append(int(entry.name))
    return found
