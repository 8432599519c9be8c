"""emberd-host: runs one host, takes privilege from a program, and says what a host can do.

Imports stay few: `run` becomes the launcher, which must not know gRPC, asyncio or threads.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

MEMORY_SHARE = 0.8
"""Part of the machine's memory that sandboxes may use together."""

PARKED_SHARE = 1 / 16
"""Part of that which may go to sandboxes that wait for the next burst."""
PARKED_MB = 6
"""What one of them takes."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of `emberd-host`."""
    given = _parser().parse_args(arguments)
    sys.exit(_COMMANDS[given.command](given))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="emberd-host", description="One host of emberd.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run a host: launcher, agent and sandboxes (as root)")
    run.add_argument("--state", type=Path, required=True, help="the host's own folder")
    run.add_argument("--control-plane", required=True, help="unix:PATH or ADDRESS:PORT")
    token = run.add_mutually_exclusive_group(required=True)
    token.add_argument("--token-fd", type=int, help="descriptor the host token is read from")
    token.add_argument("--token-file", type=Path, help="file the host token is read from")
    run.add_argument("--host-id", default="", help="name of this host (the machine's name)")
    run.add_argument("--label", action="append", default=[], help="KEY=VALUE, any number")
    run.add_argument("--memory-mb", type=int, default=0, help="for all sandboxes together")
    run.add_argument(
        "--template-memory-mb", type=int, help="of it, for function templates; 0 for none"
    )
    run.add_argument("--max-sandboxes", type=int, default=1000)
    run.add_argument("--log-level", default="INFO")
    run.add_argument(
        "--network",
        action="append",
        default=[],
        metavar="NAME=CIDR,...",
        help="a network that functions may have; with `internet` among its ranges egress too",
    )
    run.add_argument(
        "--allow-missing",
        action="append",
        default=[],
        metavar="WALL",
        help="run without this wall, as doctor calls it",
    )
    confined = commands.add_parser("confine", help="run a program as an ordinary user")
    confined.add_argument("--uid", type=int, required=True)
    confined.add_argument("--gid", type=int, required=True)
    confined.add_argument("--keep", action="append", default=[], type=Path, help="its folder")
    confined.add_argument("argv", nargs="+", metavar="-- ARGV")
    doctor = commands.add_parser("doctor", help="what this host can and cannot isolate")
    doctor.add_argument("--output", choices=("table", "json"), default="table")
    return parser


def _run(given: argparse.Namespace) -> int:
    if os.geteuid() != 0:
        return _refuse("run needs root: only root can make sandboxes. Try: sudo emberd-host run")
    from emberd.wire.logtext import log_to_stderr
    from emberd.wire.polling import wait_without_event_engine
    from sandbox.process.cgroup_layout import CgroupError
    from sandbox.process.instance import StateInUseError
    from sandbox.process.launcher import Launcher, LauncherConfig
    from sandbox.process.named_networks import parse_networks
    from sandbox.process.walls import WallMissingError

    log_to_stderr("launcher", given.log_level)
    try:
        networks = parse_networks(given.network)
    except ValueError as error:
        return _refuse(str(error))
    wait_without_event_engine(os.environ)  # the agent's
    memory_mb = given.memory_mb or default_memory_mb(Path("/proc/meminfo").read_text())
    state = given.state.resolve()
    config = LauncherConfig(
        state=state,
        agent_arguments=_agent_arguments(given, state, memory_mb),
        memory_bytes=memory_mb << 20,
        parked_max=int(memory_mb * PARKED_SHARE) // PARKED_MB,
        token_path=given.token_file,
        token_fd=given.token_fd,
        agent_needs=_socket_paths(given.control_plane),
        networks=networks,
        allow_missing=tuple(given.allow_missing),
    )
    try:
        Launcher(config).run()
    except (StateInUseError, CgroupError, WallMissingError) as error:
        return _refuse(str(error))
    return 0


def _agent_arguments(given: argparse.Namespace, state: Path, memory_mb: int) -> tuple[str, ...]:
    labels = [part for label in given.label for part in ("--label", label)]
    templates_mb = given.template_memory_mb
    return (
        *("-P", "-m", "sandbox.agent"),
        *("--launcher-fd", "3", "--token-fd", "4"),
        *("--state", str(state / "agent")),
        *("--control-plane", given.control_plane),
        *("--host-id", given.host_id or socket.gethostname()),
        *("--memory-mb", str(memory_mb)),
        *(() if templates_mb is None else ("--template-memory-mb", str(templates_mb))),
        *("--max-sandboxes", str(given.max_sandboxes)),
        *("--log-level", given.log_level),
        *labels,
    )


def _socket_paths(control_plane: str) -> tuple[Path, ...]:
    """The folder of a Unix socket, so that a new socket in it is seen too."""
    kind, _, path = control_plane.partition(":")
    return (Path(path).resolve().parent,) if kind == "unix" else ()


def default_memory_mb(meminfo: str) -> int:
    """The sandboxes' share of MemTotal, from the text of /proc/meminfo."""
    total_kb = next(
        int(line.split()[1]) for line in meminfo.splitlines() if line.startswith("MemTotal:")
    )
    return int(total_kb * MEMORY_SHARE) >> 10


def _confine(given: argparse.Namespace) -> int:
    if os.geteuid() != 0:
        return _refuse("confine needs root: it takes privilege, so there must be some to take")
    from sandbox.process.confine import Confinement, execute, raise_descriptor_limit

    raise_descriptor_limit()
    confinement = Confinement(uid=given.uid, gid=given.gid, owned=tuple(given.keep))
    try:
        execute(confinement, given.argv)
    except OSError as error:
        return _refuse(f"{given.argv[0]} cannot be started: {error}")


def _doctor(given: argparse.Namespace) -> int:
    from sandbox.process.doctor import run

    return run(as_json=given.output == "json")


def _refuse(message: str) -> int:
    sys.stderr.write(f"emberd-host: {message}\n")
    return 1


_COMMANDS = {"run": _run, "confine": _confine, "doctor": _doctor}
