"""What an agent is told at its start. Only agent.py and cli.py read it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

DISK_RESERVE_MB = 512
SANDBOXES_MAX = 1_000
TEMPLATE_SHARE = 0.25
"""Of the memory for sandboxes, what function templates hold together unless that is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConfig:
    """The settings of one host agent."""

    launcher_fd: int
    """The socket to the launcher, inherited."""
    token_fd: int
    """Where the host token can be read, inherited."""
    state: Path
    """The agent's own folder."""
    control_plane: str
    """unix:PATH or ADDRESS:PORT."""
    host_id: str
    labels: tuple[tuple[str, str], ...]
    memory_bytes: int
    """Budget for all sandboxes together; the launcher enforces the same."""
    template_memory_bytes: int
    """Of that, what function templates may hold together; 0 for none at all."""
    sandboxes_max: int
    disk_reserve_bytes: int
    """Below this much free disk no sandbox starts."""
    log_level: str
    missing_walls: tuple[str, ...] = ()
    """What this host lacks with the operator's leave."""
    networks: tuple[str, ...] = ()
    """Named networks that it offers, beside egress and none."""


def parse(arguments: Sequence[str]) -> AgentConfig:
    """Read the agent's command line, which the launcher writes."""
    parser = argparse.ArgumentParser(prog="sandbox.agent", description=__doc__)
    parser.add_argument("--launcher-fd", type=int, required=True)
    parser.add_argument("--token-fd", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--control-plane", required=True)
    parser.add_argument("--host-id", required=True)
    parser.add_argument("--label", action="append", default=[])
    parser.add_argument("--memory-mb", type=int, required=True)
    parser.add_argument("--template-memory-mb", type=int)
    parser.add_argument("--max-sandboxes", type=int, default=SANDBOXES_MAX)
    parser.add_argument("--disk-reserve-mb", type=int, default=DISK_RESERVE_MB)
    parser.add_argument("--log-level", default="INFO")
    parser.add_argument("--missing-wall", action="append", default=[])
    parser.add_argument("--network", action="append", default=[], help="the name alone")
    given = parser.parse_args(arguments)
    return AgentConfig(
        launcher_fd=given.launcher_fd,
        token_fd=given.token_fd,
        state=given.state,
        control_plane=given.control_plane,
        host_id=given.host_id,
        labels=tuple(_label(each) for each in given.label),
        memory_bytes=given.memory_mb << 20,
        template_memory_bytes=_template_memory_mb(given) << 20,
        sandboxes_max=given.max_sandboxes,
        disk_reserve_bytes=given.disk_reserve_mb << 20,
        log_level=given.log_level,
        missing_walls=tuple(given.missing_wall),
        networks=tuple(given.network),
    )


def read_token(fd: int) -> str:
    """Read the token and close its descriptor, so that nothing else inherits it."""
    with os.fdopen(fd, "rb") as source:
        return source.read().decode().strip()


def _template_memory_mb(given: argparse.Namespace) -> int:
    said: int | None = given.template_memory_mb
    return int(given.memory_mb * TEMPLATE_SHARE) if said is None else said


def _label(text: str) -> tuple[str, str]:
    key, _, value = text.partition("=")
    return key, value
