"""The launcher's loop, the agent's back-off, ELF needs, image places and notes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtimes.catalog import RUNTIMES, candidate_patterns
from sandbox.cli import default_memory_mb
from sandbox.process import elf
from sandbox.process.discovery import only_root_can_change
from sandbox.process.loop import Loop


def test_the_loop_calls_for_descriptors_timers_and_idle_moments_in_turn() -> None:
    story: list[str] = []
    read_fd, write_fd = os.pipe()

    def idle() -> bool:
        story.append("idle")
        os.write(write_fd, b"x")
        return False

    loop = Loop(idle)

    def ready() -> None:
        os.read(read_fd, 1)
        story.append("read")
        loop.unwatch(read_fd)
        loop.after(0.001, lambda: (story.append("timer"), loop.stop())[1])

    loop.watch(read_fd, ready)
    loop.run()
    os.close(read_fd)
    os.close(write_fd)
    assert story[0] == "idle"
    assert [each for each in story if each != "idle"] == ["read", "timer"]


def test_what_the_kernel_refuses_one_callback_is_logged_and_the_loop_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    story: list[str] = []
    loop = Loop(lambda: False)

    def broken() -> None:
        raise OSError("no such cgroup")

    loop.after(0, broken)
    loop.after(0.001, lambda: (story.append("next"), loop.stop())[1])
    loop.run()
    assert story == ["next"]
    assert "no such cgroup" in caplog.text


def test_timers_come_in_order_of_time_and_then_of_asking() -> None:
    story: list[int] = []
    loop = Loop(lambda: False)
    loop.after(0.002, lambda: story.append(3))
    loop.after(0.001, lambda: story.append(1))
    loop.after(0.0015, lambda: story.append(2))
    loop.after(0.003, loop.stop)
    loop.run()
    assert story == [1, 2, 3]


def test_a_callback_may_unwatch_another_that_is_ready_too() -> None:
    story: list[int] = []
    pipes = [os.pipe(), os.pipe()]
    loop = Loop(lambda: False)

    def first(index: int) -> None:
        story.append(index)
        for read_fd, _ in pipes:
            loop.unwatch(read_fd)
        loop.stop()

    for index, (read_fd, write_fd) in enumerate(pipes):
        os.write(write_fd, b"x")
        loop.watch(read_fd, lambda index=index: first(index))  # type: ignore[misc]
    loop.run()
    for pair in pipes:
        os.close(pair[0])
        os.close(pair[1])
    assert len(story) == 1


def test_the_libraries_of_a_program_are_found_without_running_it() -> None:
    needs = elf.read_needs(Path("/bin/sh").resolve())
    assert needs is not None
    assert "ld-" in needs.loader
    assert any(name.startswith("libc.so") for name in needs.libraries)
    found = elf.closure([Path("/bin/sh").resolve()], elf.loader_cache())
    assert any("libc.so" in name for names in found.values() for name in names)


def test_a_script_needs_no_libraries(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    assert elf.read_needs(script) is None


def test_every_runtime_is_looked_for_in_path_and_below_version_managers() -> None:
    runtime = RUNTIMES["python3.13"]
    patterns = candidate_patterns(runtime, "/a:relative:/b", (Path("/srv/x"),))
    assert patterns[:2] == ((Path("/a"), "python3.13"), (Path("/b"), "python3.13"))
    assert (Path("/srv/x/.pyenv/versions"), "*/bin/python3.13") in patterns
    assert all(folder.is_absolute() for folder, _ in patterns)


@pytest.mark.parametrize("runtime_id", RUNTIMES)
def test_a_runtime_starts_its_own_interpreter_with_lambdas_variables(runtime_id: str) -> None:
    runtime = RUNTIMES[runtime_id]
    program = "python3" if runtime_id == "wasm" else runtime_id
    assert runtime.argv == (f"/var/lang/bin/{program}", "/var/runtime/bootstrap.py")
    assert runtime.environment["AWS_EXECUTION_ENV"] == f"AWS_Lambda_{runtime_id}"
    assert runtime.environment["PATH"].startswith("/var/lang/bin:")


def test_an_interpreter_that_others_can_change_is_not_trusted(tmp_path: Path) -> None:
    program = tmp_path / "python3.13"
    program.touch(mode=0o777)
    program.chmod(0o777)
    assert not only_root_can_change(program)
    assert only_root_can_change(Path("/usr/bin/env").resolve())


def test_sandboxes_get_four_fifths_of_the_machines_memory() -> None:
    assert default_memory_mb("MemTotal:       10240000 kB\nMemFree: 1 kB\n") == 8000


def test_the_launchers_modules_import_neither_grpc_nor_asyncio() -> None:
    program = (
        "import sys, sandbox.process.launcher\n"
        "print([n for n in ('grpc', 'asyncio', 'aiohttp') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
