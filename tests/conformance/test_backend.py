"""What every backend promises, asked of all of them: sandbox/backend.py in executable form."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from emberd.wire.errors import EmberdError, UnavailableError
from sandbox.backend import Backend, ProcessExit, Sandbox
from sandbox.fake import FakeBackend, FakeProcess
from sandbox.process.backend import ProcessBackend
from sandbox.spec import MIB, Limits, SandboxSpec
from tests.host.harness import Host


async def _sleeps(process: FakeProcess) -> ProcessExit:
    await process.say(b"ready\n")
    return await process.sleep_until_killed()


async def _exits(_: FakeProcess) -> ProcessExit:
    return ProcessExit(status=7)


async def _ends_by_signal(_: FakeProcess) -> ProcessExit:
    return ProcessExit(signal=15)


async def _counts_lives(process: FakeProcess) -> ProcessExit:
    lives = process.tmp.get("lives", b"") + b"x"
    process.tmp["lives"] = lives
    await process.say(b"lives %d\n" % len(lives))
    return await process.sleep_until_killed()


async def _ticks(process: FakeProcess) -> ProcessExit:
    while True:
        await process.say(b"tick\n")
        await asyncio.sleep(0)


async def _calls_home(process: FakeProcess) -> ProcessExit:
    with socket.create_connection(process.runtime_api) as home:
        home.sendall(b"hello")
        return await process.sleep_until_killed()


async def _calls_emberd(process: FakeProcess) -> ProcessExit:
    with socket.create_connection(process.callback) as emberd:
        emberd.sendall(b"hello")
        return await process.sleep_until_killed()


async def _shows_layers(process: FakeProcess) -> ProcessExit:
    await process.say(b"%s\n" % json.dumps(_as_text(process.opt())).encode())
    return await process.sleep_until_killed()


async def _is_copied(process: FakeProcess) -> ProcessExit:
    if process.spec.clone_of:
        await process.say(b"%s %s\n" % (process.memory["drawn"], _size(process.tmp)))
        process.memory["drawn"] = b"spoilt"
        process.tmp["file"] = b""
    else:
        process.memory["drawn"] = os.urandom(8).hex().encode()
        await process.say(b"ready\n")
    return await process.sleep_until_killed()


def _size(tmp: Mapping[str, bytes]) -> bytes:
    return b"%d" % len(tmp)


def _as_text(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: content.decode() for name, content in files.items()}


PROGRAMS = {
    "sleeps": (_sleeps, "import signal\nprint('ready', flush=True)\nsignal.pause()"),
    "exits": (_exits, "import sys\nsys.exit(7)"),
    "ends by signal": (
        _ends_by_signal,
        "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\nsignal.pause()",
    ),
    "counts lives": (
        _counts_lives,
        "import signal\n"
        "with open('/tmp/lives', 'a+') as file:\n"
        "    file.write('x')\n"
        "    file.seek(0)\n"
        "    print('lives', len(file.read()), flush=True)\n"
        "signal.pause()",
    ),
    "is copied": (
        _is_copied,
        "import os, signal\n"
        "from emberd_runtime import copying\n"
        "drawn = os.urandom(8).hex()\n"
        "print('ready', flush=True)\n"
        "copying.serve(lambda: None)\n"
        "print(drawn, len(os.listdir('/tmp')), flush=True)\n"
        "drawn = 'spoilt'\n"
        "open('/tmp/file', 'w').close()\n"
        "signal.pause()",
    ),
    "ticks": (_ticks, "while True:\n    print('tick', flush=True)"),
    "calls home": (
        _calls_home,
        "import signal, socket\n"
        "home = socket.create_connection(('169.254.100.1', 9001))\n"
        "home.sendall(b'hello')\n"
        "signal.pause()",
    ),
    "calls emberd": (
        _calls_emberd,
        "import signal, socket\n"
        "emberd = socket.create_connection(('169.254.100.1', 9002))\n"
        "emberd.sendall(b'hello')\n"
        "signal.pause()",
    ),
    "shows layers": (
        _shows_layers,
        "import json, pathlib, signal\n"
        "root = pathlib.Path('/opt')\n"
        "files = [each for each in root.rglob('*') if each.is_file()]\n"
        "found = {str(each.relative_to(root)): each.read_text() for each in files}\n"
        "print(json.dumps(found), flush=True)\n"
        "signal.pause()",
    ),
}


@dataclass
class Subject:
    """A backend under test, and how to ask it for a program."""

    backend: Backend
    spec: Callable[[str], SandboxSpec]
    folder_of: Callable[[Mapping[str, str]], Path]

    async def create(self, program: str, layers: Mapping[str, str] | None = None) -> Sandbox:
        spec = self.spec(program)
        if layers is not None:
            spec = replace(spec, layers_directory=str(self.folder_of(layers)))
        return await self.backend.create(spec)


def _fake_spec(program: str) -> SandboxSpec:
    return SandboxSpec(
        sandbox_id=f"sb-{program.replace(' ', '-')}",
        revision_id="r-1",
        runtime_id="python3.13",
        code_directory=program,
        environment={},
        limits=Limits.for_memory(128, 512),
    )


def _write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


@pytest.fixture(params=["fake", pytest.param("process", marks=pytest.mark.host)])
async def subject(
    request: pytest.FixtureRequest, shared_host: Callable[[], Host], tmp_path: Path
) -> AsyncIterator[Subject]:
    if request.param == "fake":
        fake = FakeBackend({name: program for name, (program, _) in PROGRAMS.items()})
        yield Subject(fake, _fake_spec, lambda files: _write(tmp_path, files))
        await fake.close()
        return
    host = shared_host()
    backend = await ProcessBackend.connect(host.connection())
    yield Subject(backend, lambda program: host.spec(PROGRAMS[program][1]), host.folder_of)
    await backend.close()


async def read_line(sandbox: Sandbox) -> bytes:
    """The next line of its log, without blocking the loop."""
    said = b""
    async with asyncio.timeout(10):
        while not said.endswith(b"\n"):
            try:
                said += os.read(sandbox.log_fd, 1)
            except BlockingIOError:
                await asyncio.sleep(0.001)
    return said


async def drain(sandbox: Sandbox) -> int:
    """Read what is there; how much it was."""
    size = 0
    while True:
        try:
            size += len(os.read(sandbox.log_fd, 1 << 20))
        except BlockingIOError:
            return size


async def falls_silent(sandbox: Sandbox) -> bool:
    """Whether a twentieth of a second passes, sooner or later, without a word."""
    for _ in range(100):
        await drain(sandbox)
        await asyncio.sleep(0.05)
        if not await drain(sandbox):
            return True
    return False


async def test_a_host_names_at_least_one_runtime(subject: Subject) -> None:
    assert all(each.runtime_id and each.version for each in subject.backend.runtimes)
    assert subject.backend.runtimes


async def test_a_program_that_exits_is_reported_with_its_status(subject: Subject) -> None:
    sandbox = await subject.create("exits")
    assert await sandbox.wait() == ProcessExit(status=7)
    await sandbox.destroy()


async def test_a_program_that_ends_by_a_signal_is_reported_with_it(subject: Subject) -> None:
    sandbox = await subject.create("ends by signal")
    assert await sandbox.wait() == ProcessExit(signal=15)
    await sandbox.destroy()


async def test_every_waiter_hears_of_the_end(subject: Subject) -> None:
    sandbox = await subject.create("sleeps")
    waiters = [asyncio.create_task(sandbox.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    waiters[0].cancel()
    await sandbox.kill()
    assert await asyncio.gather(*waiters[1:]) == [ProcessExit(signal=9)] * 2
    await sandbox.destroy()


async def test_what_a_program_prints_arrives_in_its_log(subject: Subject) -> None:
    sandbox = await subject.create("sleeps")
    assert await read_line(sandbox) == b"ready\n"
    await sandbox.destroy()


@pytest.mark.parametrize("program", ["calls home", "calls emberd"])
async def test_a_program_reaches_its_two_listeners(subject: Subject, program: str) -> None:
    sandbox = await subject.create(program)
    listener = sandbox.listener if program == "calls home" else sandbox.callback_listener
    async with asyncio.timeout(10):
        connection, _ = await asyncio.get_running_loop().sock_accept(listener)
        assert await asyncio.get_running_loop().sock_recv(connection, 5) == b"hello"
    connection.close()
    await sandbox.destroy()


async def test_a_listener_does_not_block(subject: Subject) -> None:
    sandbox = await subject.create("sleeps")
    for listener in (sandbox.listener, sandbox.callback_listener):
        with pytest.raises(BlockingIOError):
            listener.accept()
        assert listener.type is socket.SOCK_STREAM
    await sandbox.destroy()


async def test_a_reset_keeps_tmp_and_log_and_starts_anew(subject: Subject) -> None:
    sandbox = await subject.create("counts lives")
    assert await read_line(sandbox) == b"lives 1\n"
    log_fd = sandbox.log_fd
    await sandbox.reset()
    assert await read_line(sandbox) == b"lives 2\n"
    assert sandbox.log_fd == log_fd
    await sandbox.destroy()


async def test_a_reset_follows_a_kill(subject: Subject) -> None:
    sandbox = await subject.create("counts lives")
    await read_line(sandbox)
    await sandbox.kill()
    await sandbox.reset()
    assert await read_line(sandbox) == b"lives 2\n"
    waiter = asyncio.create_task(sandbox.wait())
    await asyncio.sleep(0)
    assert not waiter.done()
    await sandbox.destroy()
    await waiter


async def test_a_program_sees_its_layers_at_opt_and_after_a_reset_too(subject: Subject) -> None:
    layers = {"python/tool.py": "x = 1\n", "notes": "hello"}
    sandbox = await subject.create("shows layers", layers)
    assert json.loads(await read_line(sandbox)) == layers
    await sandbox.reset()
    assert json.loads(await read_line(sandbox)) == layers
    await sandbox.destroy()


async def test_without_layers_opt_is_empty(subject: Subject) -> None:
    sandbox = await subject.create("shows layers")
    assert json.loads(await read_line(sandbox)) == {}
    await sandbox.destroy()


async def test_a_frozen_program_stands_still_and_goes_on(subject: Subject) -> None:
    sandbox = await subject.create("ticks")
    await read_line(sandbox)
    sandbox.freeze()
    sandbox.freeze()
    # Freezing takes effect within moments; what was written before may still be read.
    assert await falls_silent(sandbox)
    sandbox.thaw()
    sandbox.thaw()
    assert (await read_line(sandbox)).endswith(b"tick\n")
    await sandbox.destroy()


async def test_a_frozen_program_can_be_killed(subject: Subject) -> None:
    sandbox = await subject.create("sleeps")
    await read_line(sandbox)
    sandbox.freeze()
    await sandbox.kill()
    assert await sandbox.wait() == ProcessExit(signal=9)
    await sandbox.destroy()


async def test_a_program_frozen_at_its_kill_is_reset_unfrozen(subject: Subject) -> None:
    sandbox = await subject.create("counts lives")
    await read_line(sandbox)
    sandbox.freeze()
    await sandbox.reset()
    assert await read_line(sandbox) == b"lives 2\n"
    await sandbox.destroy()


async def test_usage_is_read_at_any_time(subject: Subject) -> None:
    sandbox = await subject.create("sleeps")
    await read_line(sandbox)
    assert sandbox.usage().memory_peak_bytes > 0
    assert sandbox.usage().oom_kills == 0
    sandbox.limit_cpu()
    sandbox.limit_cpu()
    await sandbox.kill()
    assert sandbox.usage().memory_peak_bytes > 0
    await sandbox.destroy()


async def test_more_shares_may_be_had_at_any_time_and_again(subject: Subject) -> None:
    """As a worker has them for each of its events."""
    sandbox = await subject.create("sleeps")
    await read_line(sandbox)
    for shares in (3, 3, 2):
        sandbox.limit_cpu(shares)
        sandbox.allow_memory(3)
    sandbox.freeze()
    sandbox.limit_cpu(4)
    sandbox.allow_memory(4)
    sandbox.thaw()
    await sandbox.kill()
    sandbox.allow_memory(5)
    await sandbox.reset()
    await read_line(sandbox)
    sandbox.limit_cpu(2)
    sandbox.allow_memory(2)
    await sandbox.destroy()
    sandbox.limit_cpu()
    sandbox.allow_memory(6)


async def test_a_start_tells_what_it_took(subject: Subject) -> None:
    sandbox = await subject.create("sleeps")
    assert sandbox.phases
    assert all(name and start <= end for name, start, end in sandbox.phases)
    await sandbox.destroy()


async def test_destroy_is_idempotent_and_ends_the_wait(subject: Subject) -> None:
    sandbox = await subject.create("sleeps")
    waiter = asyncio.create_task(sandbox.wait())
    await sandbox.destroy()
    await sandbox.destroy()
    assert await waiter == ProcessExit(signal=9)


async def _template_of(subject: Subject) -> Sandbox:
    template = await subject.backend.create(replace(subject.spec("is copied"), is_template=True))
    assert await read_line(template) == b"ready\n"
    return template


def _copy_of(template: Sandbox, number: int = 1) -> SandboxSpec:
    spec, sandbox_id = template.spec, f"{template.spec.sandbox_id}-{number}"
    return replace(
        spec, sandbox_id=sandbox_id, is_template=False, clone_of=template.spec.sandbox_id
    )


async def test_copies_begin_with_what_their_template_remembers_and_nothing_else(
    subject: Subject,
) -> None:
    template = await _template_of(subject)
    said = []
    for number in (1, 2):
        copy = await subject.backend.create(_copy_of(template, number))
        said.append(await read_line(copy))
    first, second = said
    assert first == second
    drawn, files = first.split()
    assert len(drawn) == 16
    assert files == b"0"


async def test_a_copy_outlives_its_template(subject: Subject) -> None:
    template = await _template_of(subject)
    copy = await subject.backend.create(_copy_of(template))
    await template.destroy()
    assert await read_line(copy)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(copy.wait(), 0.1)
    await copy.destroy()


async def test_what_is_no_template_or_gone_cannot_be_copied(subject: Subject) -> None:
    template = await _template_of(subject)
    other = await subject.create("sleeps")
    with pytest.raises(UnavailableError, match="template"):
        await subject.backend.create(_copy_of(other))
    await template.destroy()
    with pytest.raises(UnavailableError, match="template"):
        await subject.backend.create(_copy_of(template))


async def test_an_unknown_runtime_is_refused_by_name(subject: Subject) -> None:
    known = subject.spec("sleeps")
    unknown = SandboxSpec(
        sandbox_id=known.sandbox_id,
        revision_id=known.revision_id,
        runtime_id="cobol74",
        code_directory=known.code_directory,
        environment={},
        limits=Limits(
            memory_bytes=128 * MIB, cpu_millis=72, processes=64, ephemeral_bytes=512 * MIB
        ),
    )
    with pytest.raises(EmberdError, match="cobol74"):
        await subject.backend.create(unknown)


async def test_closing_a_backend_ends_its_sandboxes(subject: Subject) -> None:
    sandboxes = [await subject.create("sleeps")]
    await subject.backend.close()
    await subject.backend.close()
    assert await sandboxes[0].wait() == ProcessExit(signal=9)
