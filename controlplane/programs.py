"""The programs that a supervisor starts: their command lines and what they inherit.

Standard library only, because the supervisor keeps root.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from controlplane.config import SOCKET_PATH_BYTES_MAX, DataFolder, ServeConfig
from controlplane.secret_files import make_secrets

CONTROL_UID = 990_001
"""Uid and gid of a confined control plane; nothing else on a host uses this number."""

PR_SET_PDEATHSIG = 1  # linux/prctl.h

_libc = ctypes.CDLL(None, use_errno=True)


class SetupError(Exception):
    """The data folder or this installation does not allow a start; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """How the programs of this installation are called."""

    control: tuple[str, ...]
    host: tuple[str, ...]
    confined: bool
    """Whether the control plane gives up root first; only root has any to give up."""


def installed(*, confined: bool) -> Programs:
    """The programs beside the running interpreter.

    Raises:
        SetupError: emberd-host is not installed.
    """
    beside = Path(sys.executable).with_name("emberd-host")
    found = str(beside) if beside.exists() else shutil.which("emberd-host")
    if found is None:
        raise SetupError(
            f"emberd-host is neither beside {sys.executable} nor on PATH: install emberd again"
        )
    # -P: the folder that serve was started in is no place to import from, least of all as root.
    return Programs(
        control=(sys.executable, "-P", "-m", "controlplane.start"), host=(found,), confined=confined
    )


def new_life() -> str:
    """A name for one life of emberd, from its start to its end."""
    return secrets.token_hex(4)


def prepare(folder: DataFolder) -> None:
    """Make what is missing of a data folder; what is there keeps its mode and its secrets.

    Raises:
        SetupError: it cannot be used, with the reason.
    """
    longest = folder.fleet_socket_of(new_life())
    if len(os.fsencode(longest)) > SOCKET_PATH_BYTES_MAX:
        raise SetupError(
            f"the data folder {folder.root} has too long a path: {longest} must fit "
            f"into {SOCKET_PATH_BYTES_MAX} bytes, the most that a Unix socket's address holds"
        )
    try:
        folder.root.parent.mkdir(parents=True, exist_ok=True)
        for place, mode in (
            (folder.root, 0o700),
            (folder.control, 0o700),
            (folder.run, 0o755),
            (folder.host, 0o711),
        ):
            _make_folder(place, mode)
        make_secrets(folder)
        folder.read_root_key()
    except (OSError, ValueError) as error:
        raise SetupError(f"the data folder {folder.root} cannot be used: {error}") from error


def control_argv(
    config: ServeConfig, programs: Programs, *, life: str, secrets_fd: int, status_fd: int
) -> list[str]:
    """The control plane's command line, behind the program that takes root from it."""
    folder = DataFolder(config.data)
    program: tuple[str, ...] = programs.control
    if programs.confined:
        identity = ("--uid", str(CONTROL_UID), "--gid", str(CONTROL_UID))
        keep = ("--keep", str(folder.control), "--keep", str(folder.run))
        program = (*programs.host, "confine", *identity, *keep, "--", *program)
    return [
        *program,
        *(() if config.auth else ("--no-auth",)),
        *("--data", str(folder.control)),
        *("--grpc", config.grpc_address),
        *("--http", config.http_address),
        *("--fleet-socket", str(folder.fleet_socket_of(life))),
        *("--secrets-fd", str(secrets_fd)),
        *("--status-fd", str(status_fd)),
        *("--region", config.region),
        *("--account-concurrency", str(config.account_concurrency)),
        *("--stream-mb-per-s", str(config.stream_mb_per_s)),
        *("--log-level", config.log_level),
    ]


def host_argv(config: ServeConfig, programs: Programs, *, life: str, token_fd: int) -> list[str]:
    """The host's command line."""
    folder = DataFolder(config.data)
    argv = [
        *programs.host,
        "run",
        *("--state", str(folder.host)),
        *("--control-plane", f"unix:{folder.fleet_socket_of(life)}"),
        *("--token-fd", str(token_fd)),
        *("--log-level", config.log_level),
    ]
    if config.memory_mb is not None:
        argv += ["--memory-mb", str(config.memory_mb)]
    if config.template_memory_mb is not None:
        argv += ["--template-memory-mb", str(config.template_memory_mb)]
    if config.sandboxes_max is not None:
        argv += ["--max-sandboxes", str(config.sandboxes_max)]
    argv += [part for network in config.networks for part in ("--network", network)]
    argv += [part for name in config.allow_missing for part in ("--allow-missing", name)]
    return argv


def spawn(argv: Sequence[str], *, inherited: Sequence[int]) -> subprocess.Popen[bytes]:
    """Start a program that dies with its parent and is out of the terminal's reach.

    A session of its own keeps Ctrl-C away from it: the supervisor decides who stops first.
    """
    parent = os.getpid()

    def before_exec() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        pass_fds=tuple(inherited),
        start_new_session=True,
        preexec_fn=before_exec,  # safe: the supervisor has one thread
    )


def _make_folder(place: Path, mode: int) -> None:
    try:
        place.mkdir(mode=mode)
    except FileExistsError:
        return
    place.chmod(mode)  # whatever the umask left of it
