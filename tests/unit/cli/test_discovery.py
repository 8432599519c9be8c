"""Which handler and which name are found in a package."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from controlplane.cli.discovery import find_handler, function_name, handler_in
from controlplane.cli.exits import BadParameterError
from emberd.wire.errors import InvalidArgumentError


def found_in(**files: str) -> str | None:
    sources = {f"{name}.py": text.encode() for name, text in files.items()}
    return handler_in(sources.get)


@pytest.mark.parametrize(
    "source",
    [
        "def handler(event, context): ...",
        "async def handler(event, context): ...",
        "handler = make()",
        "handler: object = make()",
        "from other import run as handler",
        "try:\n    from fast import handler\nexcept ImportError:\n    from slow import handler",
        "if True:\n    def handler(event, context): ...",
    ],
)
def test_a_handler_is_found_however_it_is_defined(source: str) -> None:
    assert found_in(app=source) == "app.handler"


def test_the_usual_files_are_tried_in_order() -> None:
    assert found_in(lambda_function="def lambda_handler(e, c): ...", index="handler = 1") == (
        "lambda_function.lambda_handler"
    )


def test_lambda_handler_comes_before_handler() -> None:
    assert found_in(app="def handler(e, c): ...\ndef lambda_handler(e, c): ...") == (
        "app.lambda_handler"
    )


def test_what_is_only_inside_a_function_or_unparsable_is_no_handler() -> None:
    assert found_in(app="def make():\n    def handler(e, c): ...") is None
    assert found_in(app="def handler(:") is None
    assert found_in(app="\0") is None


def test_nothing_of_the_package_is_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    (tmp_path / "app.py").write_text(f"open({str(marker)!r}, 'w')\ndef handler(e, c): ...")
    assert find_handler(tmp_path) == "app.handler"
    assert not marker.exists()


def test_a_zip_is_searched_like_a_folder(tmp_path: Path) -> None:
    archive = tmp_path / "code.zip"
    with zipfile.ZipFile(archive, "w") as package:
        package.writestr("main.py", "def handler(e, c): ...")
    assert find_handler(archive) == "main.handler"
    assert function_name(archive) == "code"


def test_a_package_without_a_handler_is_told_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(BadParameterError, match=r"lambda_function\.py.*--handler"):
        find_handler(tmp_path)


def test_a_broken_zip_gets_lambdas_words(tmp_path: Path) -> None:
    archive = tmp_path / "code.zip"
    archive.write_bytes(b"no zip")
    with pytest.raises(InvalidArgumentError, match="Could not unzip uploaded file"):
        find_handler(archive)


def test_a_folder_whose_name_is_no_function_name_asks_for_one(tmp_path: Path) -> None:
    folder = tmp_path / "my.function"
    folder.mkdir()
    with pytest.raises(BadParameterError, match="--name"):
        function_name(folder)
