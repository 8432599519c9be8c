"""Functions in WebAssembly, from a source file to an answer."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.e2e.system import Emberd, eventually
from tests.fakes import guests, http_guest


def deployed(emberd: Emberd, folder: Path, name: str, content: bytes, **options: int) -> str:
    path = folder / "main.wasm"
    path.write_bytes(content)
    emberd.deploy(path, name, **options)
    return name


def test_a_go_program_is_built_deployed_and_called(
    emberd: Emberd, examples: Path, tmp_path: Path
) -> None:
    """As examples/wasm/README.md says it."""
    guests.build_go(examples / "wasm" / "go" / "main.go", tmp_path / "shop.wasm")
    arguments = ("deploy", tmp_path / "shop.wasm", "--output", "json")
    shown = json.loads(emberd.ok(*arguments))
    assert (shown["FunctionName"], shown["Runtime"], shown["Handler"]) == (
        "shop",
        "wasm",
        "shop.wasm",
    )
    for _ in range(3):
        assert emberd.answer("shop", {"item": "tea", "count": 2}) == {
            "item": "tea",
            "cents": 500,
            "orders": 1,
        }
    failed = emberd.failure("shop", "no order")
    assert failed["errorType"] == "Runtime.WasmExit"
    assert "no order:" in emberd.ok("logs", "shop").decode()


def test_a_component_is_called_through_our_world(emberd: Emberd, tmp_path: Path) -> None:
    name = deployed(emberd, tmp_path, "component", guests.COMPONENT_ECHO)
    assert emberd.answer(name, {"a": [1, "b"]}) == {"a": [1, "b"]}
    failing = deployed(emberd, tmp_path, "failing", guests.COMPONENT_FAILS)
    failed = emberd.failure(failing)
    assert (failed["errorType"], failed["errorMessage"]) == ("Shop.Closed", "come back tomorrow")


def test_a_component_asks_over_http_whom_its_network_lets_it(
    emberd: Emberd, tmp_path: Path
) -> None:
    path = tmp_path / "main.wasm"
    path.write_bytes(http_guest.ASKS)
    emberd.deploy(path, "asks")
    emberd.deploy(path, "asks-nobody", network="none")

    def answers(name: str, place: str) -> int:
        answer = emberd.answer(name, place)
        assert isinstance(answer, int)
        return answer

    for name in ("asks", "asks-nobody"):
        assert answers(name, "169.254.100.1:9002") < 500, "emberd itself answers every function"
    assert answers("asks", "10.0.0.1:80") == http_guest.CONNECTION_REFUSED, "by the router"
    assert answers("asks-nobody", "10.0.0.1:80") > http_guest.FAILED
    assert answers("asks-nobody", "10.0.0.1:80") != http_guest.CONNECTION_REFUSED


def test_a_folder_with_a_module_is_a_package(emberd: Emberd, tmp_path: Path) -> None:
    (tmp_path / "main.wasm").write_bytes(guests.ECHO)
    emberd.deploy(tmp_path, "folder", runtime="wasm")
    assert emberd.answer("folder", "said") == "said"


def test_a_loop_ends_with_its_event_and_its_sandbox_goes_on(emberd: Emberd, tmp_path: Path) -> None:
    name = deployed(emberd, tmp_path, "loops", guests.LOOPS, timeout=1)
    for _ in range(2):
        failed = emberd.failure(name)
        assert failed["errorType"] == "Sandbox.Timedout"
        assert str(failed["errorMessage"]).endswith("Task timed out after 1.00 seconds")
    log = emberd.ok("logs", name).decode()
    assert log.count("Task timed out after 1.00 seconds") == 2
    assert log.count("INIT_START") == 1


def test_a_guest_that_sleeps_in_a_host_call_ends_with_its_sandbox(
    emberd: Emberd, tmp_path: Path
) -> None:
    name = deployed(emberd, tmp_path, "sleeps", guests.SLEEPS, timeout=1)
    before = time.monotonic()
    assert emberd.failure(name)["errorType"] == "Sandbox.Timedout"
    assert time.monotonic() - before < 20


@pytest.mark.parametrize(
    ("name", "content", "error_type"),
    [
        ("trap", guests.UNREACHABLE, "Runtime.WasmTrap"),
        ("deep", guests.RECURSES, "Runtime.WasmTrap"),
        ("flood", guests.WRITES, "Function.ResponseSizeTooLarge"),
        ("greedy", guests.MUCH_AT_ONCE, "Runtime.WasmLinkError"),
        ("foreign", guests.FOREIGN, "Runtime.WasmLinkError"),
        ("library", guests.LIBRARY, "Runtime.WasmMissingExport"),
    ],
)
def test_what_goes_wrong_in_a_guest_is_told(
    emberd: Emberd, tmp_path: Path, name: str, content: bytes, error_type: str
) -> None:
    failed = emberd.failure(deployed(emberd, tmp_path, name, content, timeout=10))
    assert failed["errorType"] == error_type, failed


def test_a_guest_takes_all_its_memory_and_the_sandbox_holds_it(
    emberd: Emberd, tmp_path: Path
) -> None:
    """What it may take is less than its cgroup: it is refused more, and nothing is killed."""
    name = deployed(emberd, tmp_path, "grows", guests.GROWS, memory=256, timeout=20)
    for _ in range(3):
        tens = emberd.answer(name)
        assert isinstance(tens, int)
        assert 15 <= tens <= 24


def test_a_module_that_was_cut_off_cannot_be_compiled(emberd: Emberd, tmp_path: Path) -> None:
    name = deployed(emberd, tmp_path, "cut", guests.ECHO[:200])
    assert emberd.failure(name)["errorType"] == "Runtime.InvalidModule"


def test_a_guest_finds_nothing_but_its_own_tmp(emberd: Emberd, tmp_path: Path) -> None:
    for number, (path, link) in enumerate(
        [("../etc/passwd", ""), ("/etc/passwd", ""), ("link", "/etc/passwd")]
    ):
        name = deployed(emberd, tmp_path, f"opens{number}", guests.opens(path, link))
        said = emberd.ok("invoke", name).strip()
        assert said.isdigit()
        assert said != b"00"


def test_a_module_is_compiled_once_before_its_first_start(
    emberd: Emberd, examples: Path, tmp_path: Path
) -> None:
    path = tmp_path / "main.wasm"
    guests.build_go(examples / "wasm" / "go" / "main.go", path)
    # No other package has these bytes: an empty section of this name at the module's end.
    path.write_bytes(path.read_bytes() + b"\0\x09\x08compiled")
    before = compiled(emberd)
    emberd.deploy(path, "compiled", env="DEPLOY=1")
    after = compiled(emberd)
    assert len(after - before) == 1, "deploying waited for it"
    emberd.deploy(path, "compiled", env="DEPLOY=2")
    answered = emberd.answer("compiled", {"item": "tea", "count": 1})
    assert answered == {"item": "tea", "cents": 250, "orders": 1}
    assert compiled(emberd) == after


def compiled(emberd: Emberd) -> set[tuple[Path, int]]:
    """Every module that the host has compiled, and when."""
    found = emberd.data.glob("**/var/task/main.wasm.compiled")
    return {(path, path.stat().st_mtime_ns) for path in found}


def test_every_thread_of_a_worker_is_behind_the_walls(emberd: Emberd, tmp_path: Path) -> None:
    """Also those that wasmtime starts while a guest waits in a host call."""
    name = deployed(emberd, tmp_path, "waits", guests.SLEEPS, timeout=60)
    with emberd.begin_run("invoke", name) as invoking:
        eventually(lambda: tokio_threads(emberd) != [], 30)
        found = tokio_threads(emberd)
        invoking.kill()
        invoking.communicate()
    for status in found:
        assert status["Seccomp"] == "2"
        assert status["NoNewPrivs"] == "1"
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0


def tokio_threads(emberd: Emberd) -> list[dict[str, str]]:
    """The status of every thread of processes in which wasmtime has started some."""
    found = []
    for process in emberd.tree():
        threads = [read_status(each) for each in Path(f"/proc/{process.pid}/task").glob("*")]
        if any(each.get("Name") == "tokio-rt-worker" for each in threads):
            found += threads
    return found


def read_status(thread: Path) -> dict[str, str]:
    try:
        lines = (thread / "status").read_text().splitlines()
    except OSError:
        return {}  # it has just ended
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
