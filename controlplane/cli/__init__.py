"""The command line `emberd`.

* exits         exit codes and the one place where errors become one line and a code
* client        how a command reaches a control plane
* output        --output and --query, the same on every command that lists something
* terminal      messages, steps and progress on stderr
* printable     text that cannot steer a terminal
* waterfall     a trace as a picture; picture, what top shows on a terminal
* shapes        messages as the JSON shapes that Lambda's own tools print
* package       a folder as a deterministic zip archive
* upload        an archive on its way to the control plane
* discovery     defaults read from a folder: name and handler
* modules       WebAssembly: bare modules, and the one that a package is about
* preinit       modules that Wizer initialises before they are deployed
* requirements  requirements.txt installed for the function's runtime
* pricing       what usage would cost at Lambda's price, or another
* the commands  one module each, with a `command` in it, imported only when it is called
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import click

from controlplane.cli.exits import run

SECTIONS: Mapping[str, Mapping[str, str]] = {
    "Run emberd": {
        "serve": "Start emberd on this machine.",
        "doctor": "Show what this machine can and cannot isolate.",
        "env": "Print the variables that clients and AWS tools read.",
        "keys": "Make access keys for AWS's tools.",
        "hosts": "Show the hosts that run functions.",
    },
    "Functions": {
        "deploy": "Create or update a function from a folder, a zip or a module.",
        "invoke": "Run a function and print its answer.",
        "functions": "List functions, or show one.",
        "publish": "Freeze $LATEST as a version.",
        "layer": "Publish packages that functions share.",
        "alias": "Name versions and share traffic between two.",
        "delete": "Delete a function or a version.",
    },
    "What happened": {
        "logs": "Show a function's log.",
        "traces": "List invocations whose traces are kept.",
        "top": "Watch functions and hosts at work.",
        "usage": "Show what functions used, and what Lambda would charge.",
        "trace": "Show where an invocation spent its time.",
    },
}
"""Commands with their help, so that `emberd --help` need not import a single one of them."""


class LazyGroup(click.Group):
    """Imports a command's module when that command is called, and no other."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command's name, in the order of the help."""
        return [name for section in SECTIONS.values() for name in section]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; None for a name that does not exist."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"controlplane.cli.{cmd_name}")
        command = module.command
        if not isinstance(command, click.Command):
            raise TypeError(f"{module.__name__}.command is no click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in their sections."""
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(list(commands.items()))


@click.group(
    cls=LazyGroup,
    name="emberd",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 the function failed, 130 interrupted, 252 bad parameter, "
    "253 not configured, 254 emberd refused or failed the request, 255 anything else.",
)
@click.version_option(package_name="emberd", prog_name="emberd")
def group() -> None:
    """AWS Lambda on your own hosts."""


def main() -> None:
    """Entry point of the console script."""
    run(group)
