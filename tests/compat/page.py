"""docs/compatibility.md, written from what the tests saw: `python -m tests.compat.page`.

`seen.json` is what the tests wrote down, `remarks.json` what a test cannot say: where we differ on
purpose, what whole areas are to come. Both are committed, so that the page can be made and checked
without a sandbox.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import botocore.session

from tests.compat.outcomes import SEEN

REMARKS = Path(__file__).with_name("remarks.json")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "compatibility.md"

HEAD = """\
# Compatibility with AWS Lambda

Generated from what the tests in `tests/compat/` saw: real clients against a running emberd with
real sandboxes. Change those and run `make compat-docs`, or `tests/compat/remarks.json` and run
`make compat-page`.

*Same*: a test saw what Lambda does. *Different*: a test saw what emberd does instead. *Absent*: a
test saw a clear error.
"""


def operations() -> list[str]:
    """Every operation of Lambda's, by the service model of botocore."""
    return sorted(botocore.session.get_session().get_service_model("lambda").operation_names)


def render(seen: Mapping[str, Any], remarks: Mapping[str, Any], names: Iterable[str]) -> str:
    """The whole page."""
    parts = [
        HEAD,
        *_behaviours(seen["behaviours"]),
        *_operations(seen["operations"], names),
        "## Areas that no client sees\n",
        "| area | | today |\n|---|---|---|",
        *(f"| {area} | {seen} | {note} |" for area, seen, note in remarks["areas"]),
        "\n## Where we differ on purpose\n",
        *(f"* {each}" for each in remarks["on purpose"]),
    ]
    return "\n".join(parts) + "\n"


def _behaviours(seen: list[dict[str, str]]) -> Iterator[str]:
    areas: dict[str, list[dict[str, str]]] = {}
    for each in seen:
        areas.setdefault(each["area"], []).append(each)
    yield "## Behaviours\n"
    yield "| area | behaviour | seen | |\n|---|---|---|---|"
    for area, those in areas.items():
        for each in sorted(those, key=lambda each: each["behaviour"]):
            yield f"| {area} | {each['behaviour']} | {each['seen']} | {each['note']} |"
    yield ""


def _operations(seen: Mapping[str, str], names: Iterable[str]) -> Iterator[str]:
    rows = [(name, seen.get(name, "not tried")) for name in names]
    counts = Counter(state for _, state in rows)
    yield "## Operations\n"
    yield (
        f"Of the {len(rows)} operations in botocore's model "
        + ", ".join(f"{count} are {state}" for state, count in sorted(counts.items()))
        + ". *Same* means here that it answered, and that status, members and types were what the "
        "model says.\n"
    )
    yield "| operation | seen |\n|---|---|"
    for name, state in rows:
        yield f"| `{name}` | {state} |"
    yield ""


def page() -> str:
    """The page as it must be today."""
    return render(json.loads(SEEN.read_text()), json.loads(REMARKS.read_text()), operations())


if __name__ == "__main__":
    PAGE.write_text(page())
