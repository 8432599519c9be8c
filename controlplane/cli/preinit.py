"""WebAssembly that starts where its initialisation ended: Wizer runs that once, on this machine.

The module exports `wizer-initialize`; its globals and its memory as they are afterwards are those
that every instance begins with. It sees no files, variables or network of this machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from controlplane.cli import modules
from controlplane.cli.exits import BadParameterError, FailedError
from controlplane.cli.terminal import Steps

WIZER = "wizer"
INITIALISE = "wizer-initialize"
LIMIT_S = 300.0
LAST_CHARACTERS = 2_000
"""Of what Wizer says, shown when it failed."""


def check(path: Path) -> None:
    """Refuse what cannot be initialised ahead.

    Raises:
        BadParameterError: it is no module as its compiler left it.
    """
    if not modules.is_module(path):
        raise BadParameterError(f"--preinit wants a module, and {path} is none: deploy FILE.wasm")
    if modules.is_component(path):
        raise BadParameterError(
            f"{path} is a component, which --preinit cannot initialise: componentize-py, "
            "componentize-js and componentize-qjs have done so when they made it"
        )


def initialise(module: Path, target: Path, steps: Steps) -> None:
    """Write a module that has run its initialisation.

    Raises:
        FailedError: there is no Wizer here, or it failed; the message says what to do.
    """
    steps.say(f"initialising {module.name}")
    argv = [_wizer(module), "--allow-wasi", "-o", str(target), str(module)]
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="backslashreplace",
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise FailedError(f"{module.name} took longer than {LIMIT_S:g} s to initialise") from None
    if done.returncode != 0:
        raise FailedError(
            f"{module.name} could not be initialised: it must export a function {INITIALISE} "
            f"without parameters. Wizer said:\n{done.stdout.strip()[-LAST_CHARACTERS:]}"
        )


def _wizer(module: Path) -> str:
    """Where it is: on PATH, or where npm puts it beside the module or here."""
    local = [folder / "node_modules" / ".bin" for folder in (module.resolve().parent, Path.cwd())]
    search = os.pathsep.join([os.environ.get("PATH", ""), *map(str, local)])
    found = shutil.which(WIZER, path=search)
    if found is None:
        raise FailedError(
            "--preinit needs Wizer, which is not on PATH: npm install --global "
            "@bytecodealliance/wizer"
        )
    return found
