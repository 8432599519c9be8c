"""A template: a runtime's interpreter, started once by the launcher and forked for every birth.

It lives in the runtime's image, as root and without any tenant's byte. Its children are siblings
of its own, the launcher's to watch, in namespaces of their own; in them the recipe of parked.py
runs. In the one that is to run a function, main returns into the runtime's own program.

    launcher -> template   its program and its terms, once; then a birth at a time: descriptors
    template -> launcher   "ready", once; then for each birth a pid, or "failed" and why
"""

from __future__ import annotations

import sys

_STARTED_WITH = frozenset(sys.modules)
"""What every start of the interpreter has loaded: never the package's to replace."""

import importlib  # noqa: E402
import itertools  # noqa: E402
import os  # noqa: E402
import time  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import ModuleType

_forgotten: list[ModuleType] = []

CONTROL_FD = 3
PROGRAM = (
    "import sys; sys.path.append({recipe!r}); "
    "from sandbox.process.template import main; "
    "main({entry!r}, {rehearsal!r}, {rehearsals!r}, {preload!r}, {argv!r})"
)
STARTER = f"import os; exec(os.read({CONTROL_FD}, 65536))"
"""For `python -c`: the program comes by the socket, since every fork keeps the command line."""


def main(
    entry: str,
    rehearsal: str,
    rehearsals: int,
    preload: tuple[str, ...],
    argv: tuple[str, ...],
) -> None:
    """Serve births; in a child, run the function that it was given."""
    run, rehearse = _function(entry), _function(rehearsal)
    runtimes_own = frozenset(sys.modules)
    for name in preload:
        try:
            importlib.import_module(name)
        except ImportError:
            continue  # this version has none
    for _ in range(rehearsals):
        rehearse()
    preloaded = frozenset(sys.modules)
    # Only now, so that what the recipe imports can be told from what functions may find.
    from sandbox.process import births

    # Here and not in the forks, each of which would copy a page for nearly every name it looks at.
    _forget([name for name in sys.modules if name not in preloaded or _is_ours(name)])
    last, replaceable = (
        next(reversed(sys.modules)),
        _by_top(preloaded - runtimes_own - _STARTED_WITH),
    )

    def settle() -> None:
        """All that a fork can do without its function's variables, while it waits for them."""
        rehearse()
        births.answer_interrupts()
        _forget(_newer_than(last))
        _make_way({})
        before = dict(os.environ)
        _replace_variables(births.SAMPLE)
        _replace_variables(before)

    variables = births.serve(CONTROL_FD, settle)
    _look_executed(argv, variables)
    _make_way(replaceable)
    run()


def _function(name: str) -> Callable[[], None]:
    module, _, attribute = name.partition(":")
    found: Callable[[], None] = getattr(importlib.import_module(module), attribute)
    return found


def _is_ours(name: str) -> bool:
    """Ours is a name that a package may use for its own."""
    return name.partition(".")[0] == __name__.partition(".")[0]


def _forget(names: Iterable[str]) -> None:
    """Nobody finds them any more. They are kept: taking them apart would cost page after page."""
    _forgotten.extend(sys.modules.pop(name) for name in names)


def _newer_than(last: str) -> list[str]:
    """Modules that were loaded after this one."""
    return list(itertools.takewhile(lambda name: name != last, reversed(sys.modules)))


def _by_top(names: Iterable[str]) -> dict[str, list[str]]:
    """Modules by the name that a package would have to have to be found in their place."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(name.partition(".")[0], []).append(name)
    return found


def _look_executed(argv: tuple[str, ...], variables: Mapping[str, str]) -> None:
    """Be as the runtime's program would find itself, had it been executed."""
    sys.path.pop()
    sys.path[0] = os.path.dirname(argv[1])
    sys.argv = list(argv[1:])
    sys.orig_argv = list(argv)
    zone = os.environ.get("TZ")
    _replace_variables(variables)
    if variables.get("TZ") != zone:
        time.tzset()
    os.chdir("/var/task")


def _replace_variables(variables: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)


def _make_way(replaceable: Mapping[str, Iterable[str]]) -> None:
    """A package's own top-level modules win over preloaded ones of the same name."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for folder in ("/var/task", f"/opt/python/lib/{version}/site-packages", "/opt/python"):
        try:
            own = os.listdir(folder)
        except OSError:
            continue  # no such folder: no layer, or none for Python
        for entry in own:
            names = replaceable.get(entry.partition(".")[0], ())
            _forget(name for name in names if name in sys.modules)
