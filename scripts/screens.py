"""Takes the screens in docs/screens: starts emberd, loads it, and looks at it on a terminal.

    python scripts/screens.py [FOLDER]

Every picture is what the command wrote to a terminal of 140 columns, in its own colours. Times and
ids are those of the run. Needs root, as sandboxes do; leaves nothing else behind.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import shlex
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import grpc
from rich.console import Console
from rich.text import Text

from emberd.invocation.v1 import invocation_pb2, invocation_pb2_grpc

REPOSITORY = Path(__file__).resolve().parents[1]
EMBERD = Path(sys.executable).with_name("emberd")
COLUMNS, ROWS = 140, 40
READY_S = 60.0
LOAD = {"hello": 4, "counter": 2, "fails": 1}
"""Callers at once, by function."""
PAUSE_S = 0.02
FAILURES = 20
"""So many, and every function has long been warm."""
FAILS = """def handler(event, context):
    raise ValueError("no such order")
"""

PAGE = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
    font-family: monospace; font-size: {char_height}px; line-height: {line_height}px;
}}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""Rich's own page without fonts from elsewhere."""


def main(folder: Path) -> None:
    """Take every screen."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="emberd-screens-") as place,
        _serving(Path(place)) as environment,
    ):
        _deploy(Path(place), environment)
        with _loaded(environment):
            _take(folder, "top", environment, "top", "--once", "--interval", "3")
        # A new function's, so that it is a cold start on a host that has served others.
        _ran(environment, "deploy", REPOSITORY / "examples" / "hello", "--name", "greeting")
        info = _ran(environment, "invoke", "greeting", "--payload", '{"name": "Ada"}', "--info")
        cold = json.loads(info.stderr.splitlines()[0])["RequestId"]
        _take(folder, "trace", environment, "trace", cold)
        _take(folder, "traces", environment, "traces", "-n", "8", "--status", "error")
        _take(folder, "logs", environment, "logs", "fails", "-n", "5")
        _take(folder, "usage", environment, "usage")


@contextmanager
def _serving(place: Path) -> Iterator[Mapping[str, str]]:
    """A ready emberd; the environment of its clients."""
    data, log = place / "data", place / "log"
    addresses = ("--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0")
    with log.open("wb") as said:
        process = subprocess.Popen([EMBERD, "serve", "--data", data, *addresses], stderr=said)
    try:
        until = time.monotonic() + READY_S
        while "emberd ready" not in log.read_text().splitlines():
            if process.poll() is not None or time.monotonic() > until:
                sys.exit(f"emberd did not become ready; it said:\n{log.read_text()}")
            time.sleep(0.05)
        lines = subprocess.check_output([EMBERD, "env", "--data", data], text=True).splitlines()
        exports = dict(shlex.split(line)[1].split("=", 1) for line in lines)
        yield {**os.environ, **exports, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _deploy(place: Path, environment: Mapping[str, str]) -> None:
    fails = place / "fails"
    fails.mkdir()
    (fails / "app.py").write_text(FAILS)
    examples = REPOSITORY / "examples"
    for path in (examples / "hello", examples / "counter", fails):
        _ran(environment, "deploy", path, "--name", path.name)


def _ran(
    environment: Mapping[str, str], *arguments: str | Path
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [EMBERD, *arguments], env=environment, capture_output=True, text=True, check=True
    )


@contextmanager
def _loaded(environment: Mapping[str, str]) -> Iterator[None]:
    """Keep it busy meanwhile, and begin when it has been so for a while."""
    over = threading.Event()
    metadata = (("authorization", f"Bearer {environment['EMBERD_TOKEN']}"),)
    with grpc.insecure_channel(environment["EMBERD_ENDPOINT"]) as channel:
        stub = invocation_pb2_grpc.InvocationServiceStub(channel)

        def call(name: str) -> None:
            request = invocation_pb2.InvokeRequest(function_name=name, payload=b"{}")
            while not over.wait(PAUSE_S):
                stub.Invoke(request, metadata=metadata)

        names = [name for name, callers in LOAD.items() for _ in range(callers)]
        threads = [threading.Thread(target=call, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        try:
            until = time.monotonic() + READY_S
            while time.monotonic() < until and not _has_failed_often(environment):
                time.sleep(PAUSE_S)
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()


def _has_failed_often(environment: Mapping[str, str]) -> bool:
    listed = _ran(environment, "traces", "--status", "error", "--output", "json").stdout
    return len(json.loads(listed)["Traces"]) >= FAILURES


def _take(folder: Path, name: str, environment: Mapping[str, str], *arguments: str) -> None:
    """Run a command on a terminal and write its screen."""
    written = _on_terminal([EMBERD, *arguments], environment)
    command = f"emberd {shlex.join(arguments)}"
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        console.print(Text(f"$ {command}", style="bold"))
        console.print(Text.from_ansi(written.rstrip()))
    target = folder / f"{name}.svg"
    page = console.export_svg(title="emberd", code_format=PAGE, unique_id=name)
    target.write_text("\n".join(line.rstrip() for line in page.splitlines()) + "\n")
    sys.stdout.write(f"{target}\n")


def _on_terminal(command: Sequence[str | Path], environment: Mapping[str, str]) -> str:
    """What a command writes to a terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    process = subprocess.Popen(
        command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
    )
    os.close(theirs)
    pieces = []
    try:
        while piece := os.read(ours, 65_536):
            pieces.append(piece)
    except OSError:
        pass  # Linux's way of saying that the other end is closed
    finally:
        os.close(ours)
    if process.wait() != 0:
        sys.exit(f"{command} failed: {b''.join(pieces).decode(errors='replace')}")
    return b"".join(pieces).decode().replace("\r\n", "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "docs" / "screens")
