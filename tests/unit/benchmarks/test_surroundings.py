"""What the benchmarks read of processes, of the machine and of emberd's own output."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from benchmarks.client import WORKLOADS, package
from benchmarks.environment import describe
from benchmarks.floors.fork_exec import best_runtime, fork_exec
from benchmarks.harness import BenchmarkError, Effort
from benchmarks.micro import counting, scheduler_decision
from benchmarks.procfs import MachineTime, command_of, cpu_s, pss_bytes, tree
from benchmarks.system import cpu_by_part, part_of, read_exports


def test_a_process_tree_holds_grandchildren() -> None:
    grandchild = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    script = f"import subprocess, sys; print(1, flush=True); {grandchild.partition(';')[2]}"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        while len(tree(child.pid)) < 2:
            os.sched_yield()
        found = tree(child.pid)
        assert found[0] == child.pid
        assert set(found) < set(tree(os.getpid()))
        child.communicate(b"\n")


def test_cpu_time_of_children_that_ended_is_not_lost() -> None:
    before = cpu_s(os.getpid())
    subprocess.run([sys.executable, "-c", "sum(range(4_000_000))"], check=True)
    assert cpu_s(os.getpid()) > before


def test_a_process_that_has_gone_has_no_memory_and_no_name() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    assert pss_bytes(child.pid) == 0
    assert command_of(child.pid) == ""


def test_this_process_has_memory_and_a_name() -> None:
    assert pss_bytes(os.getpid()) > 1_000_000
    assert "python" in command_of(os.getpid())


def test_steal_is_a_share() -> None:
    before = MachineTime(total=1_000, stolen=10)
    assert before.steal_share_until(MachineTime(total=1_200, stolen=20)) == 0.05
    assert before.steal_share_until(before) == 0.0


def test_the_environment_names_commit_kernel_and_cores() -> None:
    described = describe(Path(__file__).parent)
    assert described["commit"] != "unknown"
    assert described["cores"] == os.cpu_count()
    assert described["cgroups"] in {"v1", "v2", "hybrid", "none"}
    assert described["package.grpcio"] != "absent"


def test_an_environment_without_a_repository_says_so(tmp_path: Path) -> None:
    assert describe(tmp_path)["commit"] == "unknown"


def test_exports_are_read_as_a_shell_reads_them() -> None:
    text = "# a placeholder\nexport A=1\nexport B='two words'\nexport C='x=y'\n\nother line\n"
    assert read_exports(text) == {"A": "1", "B": "two words", "C": "x=y"}


def test_every_package_is_new_and_carries_its_token() -> None:
    first, second = (package(WORKLOADS / "hello", token) for token in ("aaa", "bbb"))
    assert first != second
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert archive.namelist() == ["app.py", "package_token.py"]
        assert archive.read("package_token.py") == b'TOKEN = "aaa"\n'


def test_a_floor_that_fails_is_no_number() -> None:
    fork_exec(sys.executable)()
    with pytest.raises(BenchmarkError, match="ended with status"):
        fork_exec(sys.executable, "-c", "raise SystemExit(3)")()


def test_without_a_python_runtime_there_is_nothing_to_measure() -> None:
    with pytest.raises(BenchmarkError, match=r"nodejs22\.x"):
        best_runtime(["nodejs22.x"])


def test_processes_are_told_apart_by_their_command() -> None:
    assert part_of("python -m controlplane.start --data x") == "control plane"
    assert part_of("python -m sandbox.agent --state x") == "agent"
    assert part_of("python bin/emberd-host run --state x") == "launcher and waiting children"
    assert part_of("python bin/emberd serve") == "supervisor"
    forks = "templates, parked sandboxes and functions"
    assert part_of("/var/lang/bin/python3.11 /var/runtime/bootstrap.py") == forks
    assert part_of("sleep 1") == "other"


def test_cpu_time_by_part_adds_up_to_that_of_the_tree() -> None:
    low = cpu_s(os.getpid())
    spent = cpu_by_part(os.getpid())
    assert low - 0.01 <= sum(spent.values()) <= cpu_s(os.getpid()) + 0.01


def test_the_scheduler_benchmark_runs_and_measures_successes_only() -> None:
    result = scheduler_decision.run(Effort(decisions=20), sizes=(10,))
    assert len(result.samples) == 3
    assert all(len(each.values_ns) >= 20 and each.discarded == 0 for each in result.samples)


def test_the_benchmark_of_counting_runs() -> None:
    result = counting.run(Effort(decisions=20))
    assert [each.name for each in result.samples] == ["metrics", "metering", "page"]
    assert all(len(each.values_ns) >= 20 for each in result.samples)
