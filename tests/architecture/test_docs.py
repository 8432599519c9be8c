"""The papers say what is there: links, paths, commands, settings, tests and reasons."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from controlplane.cli import SECTIONS, group
from tests.architecture.checkout import ROOT, modules, text_of, tracked, tree_of

PAPERS = [path for path in tracked() if path.suffix == ".md"]

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
OUR_FOLDERS = (
    "controlplane",
    "sandbox",
    "runtimes",
    "protos",
    "tests",
    "benchmarks",
    "docs",
    "examples",
)
TESTS = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")

CLASSES = {
    "InvalidArgumentError": "invalid",
    "DeniedError": "denied",
    "NotFoundError": "not found",
    "ConflictError": "conflict",
    "CapacityError": "capacity",
    "UnavailableError": "unavailable",
}


def anchors_of(path: Path) -> set[str]:
    """The anchors that a page's headings make, as forges make them."""
    headings = re.findall(r"^#+ (.+)$", text_of(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("paper", PAPERS, ids=str)
def test_every_link_leads_somewhere(paper: Path) -> None:
    dead: list[str] = []
    for target in LINK.findall(FENCE.sub("", text_of(paper))):
        if re.match(r"[a-z]+:", target):
            continue  # another site's is not ours to check here
        name, _, anchor = target.partition("#")
        page = (ROOT / paper).parent / name if name else ROOT / paper
        if not page.exists() or (
            anchor and anchor not in anchors_of(page.resolve().relative_to(ROOT))
        ):
            dead.append(target)
    assert not dead


@pytest.mark.parametrize("paper", PAPERS, ids=str)
def test_every_path_of_ours_that_is_named_exists(paper: Path) -> None:
    named = {
        code.split("::")[0]
        for code in CODE.findall(FENCE.sub("", text_of(paper)))
        if re.fullmatch(rf"(?:{'|'.join(OUR_FOLDERS)})/[\w./-]*(?:::\w+)?", code)
    }
    assert not [name for name in sorted(named) if not (ROOT / name).exists()]


def fenced(paper: Path) -> Iterator[str]:
    """The lines that a reader would type."""
    for language, block in FENCE.findall(text_of(paper)):
        if language in ("sh", "bash", "console"):
            yield from block.replace("\\\n", " ").splitlines()


def spoken(paper: Path) -> str:
    """Everything that is set as code, in lines or in the text."""
    return "\n".join((*fenced(paper), *CODE.findall(FENCE.sub("", text_of(paper)))))


@pytest.mark.parametrize("paper", PAPERS, ids=str)
def test_every_path_in_an_example_exists(paper: Path) -> None:
    typed = [word for line in fenced(paper) for word in line.split("#")[0].split()]
    named = [word for word in typed if word.split("/")[0] in OUR_FOLDERS and "/" in word]
    assert not [word for word in named if not (ROOT / word).exists()]


@pytest.mark.parametrize("paper", PAPERS, ids=str)
def test_every_make_target_that_is_named_exists(paper: Path) -> None:
    named = set(re.findall(r"\bmake ([a-z][a-z0-9-]*)", spoken(paper)))
    if named:
        targets = set(re.findall(r"^([a-z][a-z0-9-]*):", text_of(Path("Makefile")), re.MULTILINE))
        assert named <= targets


@pytest.mark.parametrize("paper", PAPERS, ids=str)
def test_every_command_of_ours_that_is_named_exists(paper: Path) -> None:
    commands = {name for section in SECTIONS.values() for name in section}
    named = set(re.findall(r"(?:^|[\s(])emberd ([a-z]+)", spoken(paper), re.MULTILINE))
    # What it prints, not what is typed.
    assert named - {"ready"} <= commands


@pytest.mark.parametrize("paper", PAPERS, ids=str)
def test_every_flag_in_an_example_is_one_of_that_command(paper: Path) -> None:
    unknown: list[str] = []
    context = click.Context(group)
    for line in fenced(paper):
        for name, rest in re.findall(r"\bemberd ([a-z]+)([^|&;)]*)", line):
            command = group.get_command(context, name)
            assert command is not None, line
            known = {flag for option in command.params for flag in option.opts} | {"--help"}
            given = set(re.findall(r"(?<=\s)--[a-z-]+", rest))
            if not isinstance(command, click.Group):
                unknown += [f"{name} {flag}" for flag in sorted(given - known)]
    assert not unknown


def test_every_setting_of_serve_is_explained() -> None:
    serve = group.get_command(click.Context(group), "serve")
    assert serve is not None
    flags = {flag for option in serve.params for flag in option.opts}
    said = text_of(Path("docs/operations.md"))
    assert "--data" in flags
    assert not [flag for flag in sorted(flags) if f"`{flag}" not in said]


def test_every_exit_code_is_explained() -> None:
    from controlplane.cli import exits

    codes = {value for name, value in vars(exits).items() if name.isupper() and type(value) is int}
    said = re.search(r"## Exit codes.*?\n##", text_of(Path("docs/operations.md")), re.DOTALL)
    assert said is not None
    assert {str(code) for code in codes} <= set(re.findall(r"\b\d+\b", said.group()))


@pytest.mark.parametrize("paper", PAPERS, ids=str)
def test_every_test_that_is_named_exists(paper: Path) -> None:
    missing = {
        f"{file}::{name}"
        for file, name in TESTS.findall(text_of(paper))
        if not (ROOT / file).exists() or (name and name not in names_of_tests(Path(file)))
    }
    assert not missing


def names_of_tests(path: Path) -> set[str]:
    """The tests of a file, by their names."""
    return {
        node.name
        for node in tree_of(path).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test")
    }


def test_every_promise_of_security_names_its_test() -> None:
    promised = text_of(Path("docs/security.md")).split("## What is promised")[1].split("\n## ")[0]
    rows = [
        row for row in re.findall(r"^\| (.+) \|$", promised, re.MULTILINE) if "held by" not in row
    ]
    assert len(rows) > 30
    assert not [row for row in rows if not TESTS.search(row.rpartition(" | ")[2])]


def test_every_promise_names_its_test_or_says_that_it_is_pending() -> None:
    rows = re.findall(r"^\| ([A-Z]\d+) \|(.+)\|$", text_of(Path("docs/specification.md")), re.M)
    assert len({number for number, _ in rows}) == len(rows) > 0
    assert not [
        number
        for number, row in rows
        if not re.search(r"`(tests|benchmarks)/|pending, `tests/|`make ", row)
    ]


def reasons() -> dict[str, set[str]]:
    """Every reason in the code, with the classes of error that it comes in."""
    found: dict[str, set[str]] = {"TRANSPORT": set()}
    for path in modules("controlplane", "sandbox", "protos/emberd/wire"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call):
                for keyword in node.keywords:
                    value = keyword.value
                    if keyword.arg == "reason" and isinstance(value, ast.Constant):
                        kind = CLASSES.get(getattr(node.func, "id", ""))
                        found.setdefault(str(value.value), set()).update({kind} if kind else ())
            elif isinstance(node, ast.ClassDef) and node.name == "FailReason":
                for line in node.body:
                    if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant):
                        found.setdefault(str(line.value.value), set()).add("unavailable")
    return found


def test_every_reason_of_an_error_is_explained_with_its_class() -> None:
    explained = {
        reason: {each.strip() for each in kinds.split(",")}
        for reason, kinds in re.findall(
            r"^\| `([A-Z_]+)` \| ([^|]+) \|", text_of(Path("docs/errors.md")), re.MULTILINE
        )
    }
    known = reasons()
    assert set(explained) == set(known)
    assert not {reason: kinds for reason, kinds in known.items() if not kinds <= explained[reason]}


def test_the_changelog_keeps_its_form() -> None:
    headings = re.findall(r"^## (.+)$", text_of(Path("CHANGELOG.md")), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", each) for each in headings[1:])
    kinds = set(re.findall(r"^### (.+)$", text_of(Path("CHANGELOG.md")), re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_decisions_are_numbered_without_gaps_and_have_their_parts() -> None:
    decisions = [path for path in PAPERS if path.parent == Path("docs/adr")]
    assert [path.name[:4] for path in decisions] == [
        f"{number:04}" for number in range(1, len(decisions) + 1)
    ]
    parts = ("## Context", "## Decision", "## Consequences", "## What would change our mind")
    assert not [path for path in decisions if any(part not in text_of(path) for part in parts)]
    assert not [path for path in decisions if len(text_of(path).splitlines()) > 60]
