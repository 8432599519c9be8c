"""docs/compatibility.md says what the compatibility tests saw, and what they claim today."""

from __future__ import annotations

import ast
import json
from pathlib import Path

from tests.architecture.checkout import modules, text_of, tree_of
from tests.compat.outcomes import Behaviour, claim
from tests.compat.page import operations, page

SEEN = json.loads(text_of(Path("tests/compat/seen.json")))


def claims() -> list[Behaviour]:
    """What every test of that folder says that it shows, read without running it."""
    found = []
    for path in modules("tests/compat"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef):
                found += [
                    _claim(mark, f"{path.name}::{node.name}")
                    for mark in node.decorator_list
                    if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.shows"
                ]
    return found


def _claim(mark: ast.Call, test: str) -> Behaviour:
    area, behaviour = (ast.literal_eval(each) for each in mark.args)
    said = {each.arg: ast.literal_eval(each.value) for each in mark.keywords if each.arg}
    return claim(area, behaviour, test, **said)


def test_the_page_is_what_the_tests_saw() -> None:
    assert text_of(Path("docs/compatibility.md")) == page(), "run `make compat-page`"


def test_what_the_tests_saw_is_what_they_claim_today() -> None:
    seen = {Behaviour(**each) for each in SEEN["behaviours"]}
    claimed = set(claims())
    assert claimed
    assert seen == claimed, "run `make compat-docs`"


def test_every_operation_of_the_model_was_tried() -> None:
    assert set(SEEN["operations"]) == set(operations()), "run `make compat-docs`"
