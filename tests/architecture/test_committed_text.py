"""What is committed names no package registry, no place of a machine, and is merged to its end."""

from __future__ import annotations

import re
from pathlib import Path

from tests.architecture.checkout import ROOT, text_of, tracked

# Written in parts, so that this file does not contain what it forbids.
REGISTRIES = [
    ("pypi", "org"),
    ("pythonhosted", "org"),
    ("npmjs", "(org|com)"),
    ("yarnpkg", "com"),
    ("crates", "io"),
    ("rubygems", "org"),
    ("nuget", "org"),
    ("golang", "org"),
    ("maven", "org"),
    ("packagist", "org"),
]
PLACES = ["root", "work", "home/[a-z]+", "Users"]

REGISTRY = re.compile(r"\b(" + "|".join(rf"{name}\.{end}" for name, end in REGISTRIES) + r")\b")
PLACE = re.compile(r"(?<![\w./)}\]*-])/(" + "|".join(PLACES) + r")/")
MERGE = re.compile(r"^(<{7}|>{7}) ")
SECRET = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b")


def findings(pattern: re.Pattern[str]) -> list[str]:
    """Where a pattern occurs in the repository's text files."""
    found: list[str] = []
    for path in tracked():
        try:
            text = text_of(path)
        except UnicodeDecodeError:
            continue  # a picture or another test input
        for number, line in enumerate(text.splitlines(), start=1):
            if pattern.search(line):
                found.append(f"{path}:{number}: {line.strip()[:100]}")
    return found


def test_no_package_registry_is_named() -> None:
    assert not findings(REGISTRY)


def test_no_path_of_a_machine_is_written_down() -> None:
    assert not findings(PLACE)


def test_this_checkouts_own_place_is_nowhere_in_it() -> None:
    own = [place for place in (ROOT, Path.home()) if len(place.parts) > 2]
    assert not [line for place in own for line in findings(re.compile(re.escape(f"{place}/")))]


def test_no_secret_is_committed() -> None:
    assert not findings(SECRET)


def test_no_half_done_merge_is_committed() -> None:
    assert not findings(MERGE)


def test_the_patterns_find_what_they_are_for() -> None:
    assert REGISTRY.search("see https://" + ".".join(("pypi", "org")) + "/simple")
    assert PLACE.search("cd " + "/".join(("", "root", "x")))
    assert not PLACE.search("/".join(("/proc", "self", "root", "etc")))
