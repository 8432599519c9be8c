"""Small files, small functions, and names that say what a thing is."""

from __future__ import annotations

import ast
import builtins
import re

from tests.architecture.checkout import modules, shipped_modules, text_of, tree_of

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70

FORBIDDEN_MODULES = {
    f"{name}{plural}"
    for name in ("util", "helper", "common", "misc", "manager")
    for plural in ("", "s")
}
FORBIDDEN_CLASS = re.compile(r"(Manager|Helper|Util|Utils|Impl)$")

BUILTIN_ERRORS = {
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
} | {"CancelledError"}


def test_no_file_is_longer_than_anyone_reads() -> None:
    lengths = {str(path): len(text_of(path).splitlines()) for path in modules()}
    assert lengths
    assert not {name: lines for name, lines in lengths.items() if lines > FILE_LINES_MAX}


def test_no_function_is_longer_than_a_screen() -> None:
    long: list[str] = []
    seen = 0
    for path in modules():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                seen += 1
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    long.append(f"{path}:{node.lineno} {node.name} has {lines} lines")
    assert seen
    assert not long


def test_no_module_or_package_is_a_drawer_for_odds_and_ends() -> None:
    drawers = [
        str(path) for path in modules() if {path.stem, *path.parent.parts} & FORBIDDEN_MODULES
    ]
    assert not drawers


def test_no_class_is_named_for_being_in_charge() -> None:
    vague = [
        f"{path}: {node.name}"
        for path in modules()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef) and FORBIDDEN_CLASS.search(node.name)
    ]
    assert not vague


def test_no_class_takes_the_name_of_a_builtin_error() -> None:
    shadows = [
        f"{path}: {node.name}"
        for path in modules()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef) and node.name in BUILTIN_ERRORS
    ]
    assert not shadows


USERS_CODE = ("examples", "tests/functions", "benchmarks/workloads")
"""Functions as people write them, to which our style does not apply."""


def test_annotations_are_postponed_wherever_something_is_defined() -> None:
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    missing = [
        str(path)
        for path in modules()
        if not any(path.is_relative_to(folder) for folder in USERS_CODE)
        and any(isinstance(node, definitions) for node in ast.walk(tree_of(path)))
        and "from __future__ import annotations" not in text_of(path)
    ]
    assert not missing


def test_a_shipped_module_says_what_it_is_for() -> None:
    silent = [str(path) for path in shipped_modules() if not ast.get_docstring(tree_of(path))]
    assert not silent
