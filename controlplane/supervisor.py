"""What `emberd serve` is: it starts the control plane and the host, and keeps both alive.

It keeps root and therefore stays small: standard library, one thread, one loop over signals, the
children's pidfds and the control plane's status pipe. It decides nothing about functions.

    start   control plane -> it holds the data folder's lock -> host -> host attached: ready
    stop    host (drains) -> control plane -> sockets and endpoint.json removed
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

from controlplane.config import DataFolder, Endpoint, ServeConfig
from controlplane.programs import (
    Programs,
    control_argv,
    host_argv,
    new_life,
    prepare,
    spawn,
)
from controlplane.secret_files import secrets_pipe
from emberd.wire.backoff import Backoff

EXIT_REFUSED = 255
"""Exit status when it could not start; the reason was told."""

READY_LINE = "emberd ready"
"""What scripts wait for on stderr: invocations are accepted."""

NO_AUTH_LINE = (
    "WARNING: --no-auth: every program and every user of this machine may deploy and run code here "
    "over HTTP, without any key. Leave it out on any machine that others use."
)

HOST_STOP_S = 12.0
"""10 s to drain and 2 s to remove what sandboxes leave behind."""
CONTROL_STOP_S = 5.0
HURRY_S = 2.0
"""What is left of these after a second signal."""

STATUS_BYTES_MAX = 64 * 1024
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(slots=True)
class Child:
    """One program that should be running, and its present life if it has one."""

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    backoff: Backoff
    process: subprocess.Popen[bytes] | None = None
    pidfd: int = -1
    started_at: float = 0.0
    restart_at: float | None = None
    kill_at: float | None = None

    def signal(self, number: int) -> None:
        """Send a signal; a child that has just died needs none."""
        if self.process is not None:
            self.process.send_signal(number)


class Supervisor:
    """Runs one emberd on one data folder until it is told to stop."""

    def __init__(self, config: ServeConfig, programs: Programs, say: Callable[[str], None]) -> None:
        self._config = config
        self._programs = programs
        self._say = say
        self._folder = DataFolder(config.data)
        # A host that outlives a killed serve for a moment must not pass for the next one's.
        self._life = new_life()
        self._selector = selectors.DefaultSelector()
        self._control = Child("control plane", self._start_control, Backoff())
        self._host = Child("host", self._start_host, Backoff())
        self._status_fd = -1
        self._status = b""
        self._signals = 0
        self._stopping = False
        self._holds_folder = False
        self._listened = False
        self._ready = False
        self._refusal = ""
        self._exit = 0

    def run(self) -> int:
        """Serve; return the exit status once nothing of it is left.

        Raises:
            SetupError: the data folder cannot be used; nothing was started.
        """
        prepare(self._folder)
        wakeup, woken = socket.socketpair()
        with wakeup, woken, self._selector:
            self._catch_signals(wakeup, woken)
            self._begin(self._control)
            while not self._over():
                self._turn()
            signal.set_wakeup_fd(-1)
        self._clean_up()
        return self._exit

    def _tell(self, message: str) -> None:
        self._say(f"emberd: {message}")

    def _catch_signals(self, wakeup: socket.socket, woken: socket.socket) -> None:
        wakeup.settimeout(0)
        woken.settimeout(0)
        self._selector.register(woken, selectors.EVENT_READ, lambda: woken.recv(64))
        for number in STOP_SIGNALS:
            signal.signal(number, self._count_signal)
        signal.set_wakeup_fd(wakeup.fileno(), warn_on_full_buffer=False)

    def _count_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1

    def _turn(self) -> None:
        """One turn of the loop: wait for anything, then do what is due."""
        for key, _ in self._selector.select(self._patience()):
            key.data()
        while self._signals:
            self._signals -= 1
            self._hurry() if self._stopping else self._stop(0)
        now = time.monotonic()
        for child in (self._control, self._host):
            if child.restart_at is not None and child.restart_at <= now:
                self._begin(child)
            if child.kill_at is not None and child.kill_at <= now:
                self._tell(f"the {child.name} does not stop: killing it")
                child.kill_at = None
                child.signal(signal.SIGKILL)

    def _patience(self) -> float | None:
        due = [
            at
            for child in (self._control, self._host)
            for at in (child.restart_at, child.kill_at)
            if at is not None
        ]
        return max(0.0, min(due) - time.monotonic()) if due else None

    # Lives of the two children.

    def _begin(self, child: Child) -> None:
        child.restart_at = None
        child.started_at = time.monotonic()
        try:
            child.process = child.start()
        except (OSError, ValueError) as error:
            # A machine short of processes or memory for a moment is no reason to end the others.
            self._restart_later(child, f"could not be started ({error})")
            return
        child.pidfd = os.pidfd_open(child.process.pid)
        self._selector.register(child.pidfd, selectors.EVENT_READ, lambda: self._on_exit(child))

    def _start_control(self) -> subprocess.Popen[bytes]:
        secrets_fd = secrets_pipe(self._folder)
        self._status_fd, child_status_fd = os.pipe()
        self._status = b""
        os.set_blocking(self._status_fd, False)
        self._selector.register(self._status_fd, selectors.EVENT_READ, self._read_status)
        argv = control_argv(
            self._config,
            self._programs,
            life=self._life,
            secrets_fd=secrets_fd,
            status_fd=child_status_fd,
        )
        try:
            return spawn(argv, inherited=(secrets_fd, child_status_fd))
        finally:
            os.close(secrets_fd)
            os.close(child_status_fd)

    def _start_host(self) -> subprocess.Popen[bytes]:
        # An open file, not a pipe: the host reads it again for every life of its agent.
        token_fd = os.open(self._folder.host_token, os.O_RDONLY | os.O_CLOEXEC)
        try:
            argv = host_argv(self._config, self._programs, life=self._life, token_fd=token_fd)
            return spawn(argv, inherited=(token_fd,))
        finally:
            os.close(token_fd)

    def _on_exit(self, child: Child) -> None:
        assert child.process is not None
        status = child.process.wait()
        self._selector.unregister(child.pidfd)
        os.close(child.pidfd)
        child.process, child.pidfd, child.kill_at = None, -1, None
        if child is self._control:
            self._close_status()
        if self._stopping:
            self._stop_control_after_host()
        elif child is self._control and not self._listened:
            self._tell(self._refusal or f"the control plane {_ended(status)} before it listened")
            self._stop(EXIT_REFUSED)
        else:
            self._restart_later(child, _ended(status))

    def _restart_later(self, child: Child, how: str) -> None:
        now = time.monotonic()
        wait_s = child.backoff.after(now - child.started_at)
        child.restart_at = now + wait_s
        if child is self._control and self._refusal:
            how = f"refused: {self._refusal}"
            self._refusal = ""
        self._tell(f"the {child.name} {how}; starting it again in {wait_s:g} s")

    # What the control plane says of itself.

    def _read_status(self) -> None:
        try:
            read = os.read(self._status_fd, STATUS_BYTES_MAX)
        except BlockingIOError:
            return
        if not read:
            self._selector.unregister(self._status_fd)
            os.close(self._status_fd)
            self._status_fd = -1
            return
        *lines, self._status = (self._status + read).split(b"\n")
        for line in lines:
            self._on_status(json.loads(line))

    def _close_status(self) -> None:
        """Read what a dead control plane still said."""
        while self._status_fd >= 0:
            self._read_status()

    def _on_status(self, said: Mapping[str, str]) -> None:
        match said["event"]:
            case "locked":
                self._on_locked()
            case "listening":
                self._on_listening(said["grpc"], said["http"])
            case "ready" if not self._ready:
                self._ready = True
                self._say(READY_LINE)
            case "refused":
                self._refusal = said["message"]

    def _on_locked(self) -> None:
        self._holds_folder = True
        if not self._listened:
            # A life that was killed left it behind; nobody shall follow it to a dead address.
            self._folder.endpoint_file.unlink(missing_ok=True)
            own = self._folder.fleet_socket_of(self._life)
            self._remove_sockets(but=own)
            self._folder.fleet_socket.symlink_to(own.name)
        if self._config.with_host and self._host.process is None and not self._stopping:
            self._begin(self._host)

    def _on_listening(self, grpc: str, http: str) -> None:
        # A later life of the control plane must come back where clients know it.
        self._config = replace(self._config, grpc_address=grpc, http_address=http)
        self._folder.write_endpoint(Endpoint(grpc=grpc, http=http, region=self._config.region))
        if not self._listened:
            self._listened = True
            self._tell(f"gRPC on {grpc}, HTTP on http://{http}, data in {self._config.data}")
            if not self._config.auth:
                self._tell(NO_AUTH_LINE)

    # The end.

    def _stop(self, exit_status: int) -> None:
        self._stopping = True
        self._exit = exit_status
        self._control.restart_at = self._host.restart_at = None
        if self._host.process is not None:
            self._ask_to_stop(self._host, HOST_STOP_S)
        else:
            self._stop_control_after_host()

    def _stop_control_after_host(self) -> None:
        control = self._control
        if self._host.process is None and control.process is not None and control.kill_at is None:
            # While it still holds the folder: its successor's files must not be removed.
            self._clean_up()
            self._ask_to_stop(control, CONTROL_STOP_S)

    def _hurry(self) -> None:
        for child in (self._host, self._control):
            if child.process is not None:
                self._ask_to_stop(child, HURRY_S)

    def _ask_to_stop(self, child: Child, patience_s: float) -> None:
        child.signal(signal.SIGTERM)
        child.kill_at = time.monotonic() + patience_s

    def _over(self) -> bool:
        return self._stopping and self._control.process is None and self._host.process is None

    def _clean_up(self) -> None:
        """Remove what points to a running emberd, unless another one holds this folder."""
        if self._holds_folder:
            self._folder.endpoint_file.unlink(missing_ok=True)
            self._remove_sockets()
            self._holds_folder = False

    def _remove_sockets(self, but: Path | None = None) -> None:
        """Remove where hosts attach, of earlier lives too; one of them may be in use by now."""
        self._folder.fleet_socket.unlink(missing_ok=True)
        for each in self._folder.run.glob(f"{self._folder.fleet_socket_of('*').stem}.*"):
            if but is None or each.stem != but.stem:
                each.unlink(missing_ok=True)


def _ended(status: int) -> str:
    """How a process ended, for people."""
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"ended with status {status}"
