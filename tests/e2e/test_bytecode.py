"""Packages that a host has compiled: their next starts find the bytecode, and see nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.system import Emberd, eventually

HANDLER = """
import json, os
import large

def handler(event, context):
    return {
        "loader": type(large.__spec__.loader).__module__,
        "value": large.VALUE,
        "line": large.where.__code__.co_firstlineno,
        "source": large.where.__code__.co_filename,
        "in the package": sorted(os.listdir("/var/task")),
        "json": type(json.__spec__.loader).__module__,
    }
"""
FILLING = "\n".join(f"def f{n}(a, b={n}):\n    return [a * b, '{n}']" for n in range(4_000))


@pytest.fixture
def function(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(HANDLER)
    write_module(tmp_path, "one")
    return tmp_path


def write_module(folder: Path, value: str) -> None:
    text = f"VALUE = {value!r}\ndef where(): pass\n{FILLING}\n"
    (folder / "large.py").write_text(text)


def answer(emberd: Emberd, name: str) -> dict[str, object]:
    said = emberd.answer(name)
    assert isinstance(said, dict)
    return said


def test_a_package_is_compiled_once_and_for_all_its_next_starts(
    emberd: Emberd, function: Path
) -> None:
    emberd.deploy(function, "first")
    first = answer(emberd, "first")
    assert first["loader"] == "_frozen_importlib_external"

    numbers = iter(range(100))

    def next_start() -> dict[str, object]:
        """Another function of the very same package: its sandbox is always a new one."""
        name = f"again-{next(numbers)}"
        emberd.deploy(function, name)
        return answer(emberd, name)

    ours = "emberd_runtime.bytecode"
    assert eventually(lambda: next_start()["loader"] == ours, 60)
    again = next_start()
    assert again == {**first, "loader": ours}
    assert (again["value"], again["line"]) == ("one", 2)
    assert again["source"] == "/var/task/large.py"
    assert again["in the package"] == ["app.py", "large.py"]
    assert again["json"] != ours


def test_what_cannot_be_compiled_is_told_by_the_function_that_imports_it(
    emberd: Emberd, function: Path
) -> None:
    (function / "broken.py").write_text("x = 1\nif x\n")
    (function / "app.py").write_text(
        "import large\n"
        "def handler(event, context):\n"
        "    try:\n"
        "        import broken\n"
        "    except SyntaxError as error:\n"
        "        loader = type(large.__spec__.loader).__module__\n"
        "        return {'loader': loader, 'at': [error.filename, error.lineno]}\n"
    )
    emberd.deploy(function, "broken")
    numbers = iter(range(100))

    def next_start() -> dict[str, object]:
        name = f"broken-{next(numbers)}"
        emberd.deploy(function, name)
        return answer(emberd, name)

    assert answer(emberd, "broken")["at"] == ["/var/task/broken.py", 2]
    assert eventually(lambda: next_start()["loader"] == "emberd_runtime.bytecode", 60)
    assert next_start()["at"] == ["/var/task/broken.py", 2]


def test_bytecode_is_never_of_another_code(emberd: Emberd, function: Path) -> None:
    for value in ("one", "two", "three"):
        write_module(function, value)
        emberd.deploy(function, "changing")
        assert answer(emberd, "changing")["value"] == value
