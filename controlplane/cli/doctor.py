"""emberd doctor: what this machine can and cannot isolate; the host program knows."""

from __future__ import annotations

import os

import click

from controlplane.cli.exits import NotConfiguredError


@click.command(name="doctor")
@click.option("--output", type=click.Choice(("table", "json")), default="table", show_default=True)
def command(output: str) -> None:
    """Show what this machine can and cannot isolate, with the remedy for each lack.

    Exits with 0 when everything that sandboxes need is there.
    """
    from controlplane.programs import SetupError, installed

    try:
        host_program = installed(confined=False).host
    except SetupError as error:
        raise NotConfiguredError(str(error)) from error
    os.execv(host_program[0], [*host_program, "doctor", "--output", output])
