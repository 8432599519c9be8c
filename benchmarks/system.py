"""A whole emberd, started and stopped as a user does it: the console script and its output."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness import BenchmarkError
from benchmarks.procfs import command_of, cpu_of, cpu_s, tree

READY_LINE = "emberd ready"
READY_WITHIN_S = 60.0
STOP_WITHIN_S = 30.0
LINES_KEPT = 200
SETTLED_WITHIN_S = 120.0
SETTLE_WINDOW_S = 2.0
QUIET_SHARE = 0.05
"""Of a core; below it emberd counts as idle."""

NOTHING_MORE: Mapping[str, str] = {}
"""No variables but our own."""

PARTS = (
    ("controlplane.start", "control plane"),
    ("sandbox.agent", "agent"),
    ("/var/lang/", "templates, parked sandboxes and functions"),
    ("emberd-host", "launcher and waiting children"),
    ("emberd", "supervisor"),
)
"""What a command line contains, and which part that is; the first that fits."""


class System:
    """A running `emberd serve` with its data folder."""

    def __init__(
        self, data: Path, environment: Mapping[str, str], options: Sequence[str] = ()
    ) -> None:
        """Start it, with more variables than we have, and options of `emberd serve`."""
        self._data = data
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)
        self._ready = threading.Event()
        self._ready_ns = 0
        self.stop_ns = 0
        """From the signal to its end, once it was stopped."""
        self._begun_ns = time.perf_counter_ns()
        self._process = subprocess.Popen(
            [
                *(str(program()), "serve", "--data", str(data)),
                *("--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0"),
                *options,
            ],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Of the supervisor, the root of the process tree."""
        return self._process.pid

    @property
    def start_up_ns(self) -> int:
        """From the start of the program to the line that says it is ready."""
        return self._ready_ns - self._begun_ns

    def wait_ready(self) -> None:
        """Return once invocations are accepted."""
        if not self._ready.wait(READY_WITHIN_S) or not self._ready_ns:
            raise BenchmarkError(
                f"emberd did not say '{READY_LINE}' within {READY_WITHIN_S:.0f} s; it said:\n"
                + "\n".join(self._lines)
            )

    def settle(self) -> None:
        """Return once it does nothing by itself: a first start builds images in the background."""
        deadline = time.monotonic() + SETTLED_WITHIN_S
        before_s = cpu_s(self.pid)
        while time.monotonic() < deadline:
            time.sleep(SETTLE_WINDOW_S)
            now_s = cpu_s(self.pid)
            if now_s - before_s < QUIET_SHARE * SETTLE_WINDOW_S:
                return
            before_s = now_s
        raise BenchmarkError(
            f"emberd still worked by itself {SETTLED_WITHIN_S:.0f} s after its start: more than "
            f"{100 * QUIET_SHARE:.0f} % of a core in every window of {SETTLE_WINDOW_S:.0f} s"
        )

    def settings(self) -> dict[str, str]:
        """What `emberd env` prints."""
        printed = subprocess.run(
            [str(program()), "env", "--data", str(self._data)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        return read_exports(printed)

    def stop(self) -> None:
        """Ask it to stop and wait; it must do so in time and with status 0."""
        begun = time.perf_counter_ns()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise BenchmarkError(f"emberd did not stop within {STOP_WITHIN_S:.0f} s") from None
        self.stop_ns = time.perf_counter_ns() - begun
        self._reader.join(STOP_WITHIN_S)
        if status != 0:
            said = "\n".join(self._lines)
            raise BenchmarkError(f"emberd ended with status {status}; it said:\n{said}")

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if line.strip() == READY_LINE:
                self._ready_ns = time.perf_counter_ns()
                self._ready.set()
            self._lines.append(line.rstrip())
        # An end without the line is an answer too.
        self._ready.set()


@contextmanager
def running_system(
    environment: Mapping[str, str] = NOTHING_MORE, options: Sequence[str] = ()
) -> Iterator[System]:
    """A ready emberd on a fresh data folder; stopped and removed afterwards."""
    with data_folder() as data, started(data, environment, options) as system:
        yield system


@contextmanager
def started(
    data: Path, environment: Mapping[str, str] = NOTHING_MORE, options: Sequence[str] = ()
) -> Iterator[System]:
    """A ready emberd on this data folder; stopped afterwards."""
    system = System(data, environment, options)
    try:
        system.wait_ready()
        yield system
    finally:
        system.stop()


@contextmanager
def data_folder() -> Iterator[Path]:
    """A fresh folder, removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="emberd-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def part_of(command: str) -> str:
    """Which part of emberd a command line belongs to."""
    for text, part in PARTS:
        if text in command:
            return part
    return "other"


def cpu_by_part(root_pid: int) -> defaultdict[str, float]:
    """CPU seconds of a process tree by part."""
    spent: defaultdict[str, float] = defaultdict(float)
    for pid in tree(root_pid):
        spent[part_of(command_of(pid))] += cpu_of(pid)
    return spent


def program() -> Path:
    """The console script of the environment that runs the benchmarks."""
    beside = Path(sys.executable).parent / "emberd"
    found = str(beside) if beside.exists() else shutil.which("emberd")
    if found is None:
        raise BenchmarkError("there is no emberd to measure: run 'make setup' first")
    return Path(found)


def read_exports(text: str) -> dict[str, str]:
    """Names and values of shell `export K=V` lines."""
    values = {}
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if len(words) == 2 and words[0] == "export":
            name, _, value = words[1].partition("=")
            values[name] = value
    return values
