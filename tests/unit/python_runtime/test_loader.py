"""The handler string, and the order in which modules are found."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runtimes.python.emberd_runtime import Fault, loader

VERSION = f"python{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_dots_and_slashes_both_lead_to_the_function(package: Path):
    (package / "shop").mkdir()
    (package / "shop" / "orders.py").write_text("def place(event, context): return 7")
    assert loader.load("shop.orders.place")(None, None) == 7
    assert loader.load("shop/orders.place")(None, None) == 7


@pytest.mark.parametrize(
    ("handler", "error_type", "message"),
    [
        (
            "handler",
            "Runtime.MalformedHandlerName",
            "Bad handler 'handler': not enough values to unpack (expected 2, got 1)",
        ),
        (
            "sys.exit",
            "Runtime.BuiltInModuleConflict",
            "Cannot use built-in module sys as a handler module",
        ),
        (
            "ember_absent.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'ember_absent': No module named 'ember_absent'",
        ),
        (
            "ember_present.absent",
            "Runtime.HandlerNotFound",
            "Handler 'absent' missing on module 'ember_present'",
        ),
        (
            "ember_needy.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'ember_needy': No module named 'ember_missing_dependency'",
        ),
    ],
)
def test_a_handler_that_is_not_there_is_named_in_lambdas_words(
    package: Path, handler: str, error_type: str, message: str
):
    (package / "ember_present.py").write_text("")
    (package / "ember_needy.py").write_text("import ember_missing_dependency")
    with pytest.raises(Fault) as fault:
        loader.load(handler)
    assert (fault.value.error_type, fault.value.message) == (error_type, message)
    assert fault.value.trace == ()


def test_a_syntax_error_says_where(package: Path):
    (package / "ember_broken.py").write_text("def handler(:\n")
    with pytest.raises(Fault) as fault:
        loader.load("ember_broken.handler")
    assert fault.value.error_type == "Runtime.UserCodeSyntaxError"
    assert fault.value.message == (
        "Syntax error in module 'ember_broken': invalid syntax (ember_broken.py, line 1)"
    )
    path = package / "ember_broken.py"
    assert fault.value.trace == (f'  File "{path}" Line 1\n    def handler(:\n',)


def test_the_package_comes_first_then_layers_then_pythonpath_then_the_runtime(
    monkeypatch: pytest.MonkeyPatch,
):
    library = f"{sys.prefix}/lib/{VERSION}"
    monkeypatch.setattr(sys, "path", ["/var/runtime", "/mine", "/opt/python", library])
    loader.set_import_path("/var/task", "/var/runtime")
    assert sys.path == [
        "/var/task",
        f"/opt/python/lib/{VERSION}/site-packages",
        "/opt/python",
        "/mine",
        "/var/runtime",
        library,
    ]


def test_setting_the_path_twice_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "path", ["/var/runtime", f"{sys.prefix}/lib"])
    loader.set_import_path("/var/task", "/var/runtime")
    once = list(sys.path)
    loader.set_import_path("/var/task", "/var/runtime")
    assert sys.path == once
