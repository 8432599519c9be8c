"""Runs a program of the host's (ldconfig, mkfs, an interpreter) that dies with whoever runs it."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from emberd.wire.survival import be_as_any
from sandbox.process import capabilities


def become_a_program() -> None:
    """In the child: outlive no killed launcher, and be spared no more than any other program."""
    capabilities.die_with_parent()
    be_as_any()


def run_program(command: Sequence[str], *, timeout_s: float = 60) -> str:
    """Run it and return what it printed.

    Raises:
        OSError: it cannot be started, failed, or took too long; with the last line it said.
    """
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=timeout_s,
            preexec_fn=become_a_program,  # safe: no caller has threads
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{command[0]} did not end within {timeout_s:.0f} s") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise OSError(f"{command[0]} ended with {done.returncode}: {said[-1] if said else ''}")
    return done.stdout
