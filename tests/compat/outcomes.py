"""What the compatibility tests saw: gathered while they run, written for docs/compatibility.md.

A test says with a mark what behaviour of Lambda it shows:

    @pytest.mark.shows("Aliases", "weights share the traffic")
    @pytest.mark.shows("Invoke", "Event", absent="asynchronous invocation is to come")

*same* means that the test passed; `differs` and `absent` say in a sentence what emberd does
instead, which the test then asserts. Which operations were answered, and how, is noted by the
client itself, so that no one has to keep a list.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

SEEN = Path(__file__).with_name("seen.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """One thing that Lambda does, and what emberd does."""

    area: str
    behaviour: str
    seen: str
    """same, different or absent."""
    note: str
    test: str
    """FILE::NAME, so that a reader finds what was asserted."""


@dataclass(slots=True)
class Outcomes:
    """Everything seen in one run."""

    behaviours: list[Behaviour] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    """Operations that answered with success, the answer as the model has it."""
    refused: set[str] = field(default_factory=set)
    """Operations that answered that emberd does not have them."""

    def write(self, path: Path) -> None:
        """Write all of it, in an order of its own."""
        document = {
            "operations": {
                **dict.fromkeys(sorted(self.refused - self.answered), "absent"),
                **dict.fromkeys(sorted(self.answered), "same"),
            },
            "behaviours": [
                asdict(each)
                for each in sorted(self.behaviours, key=lambda each: (each.area, each.test))
            ],
        }
        path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")


def claims_of(item: pytest.Item) -> Iterable[Behaviour]:
    """What a test says that it shows."""
    name = f"{item.path.name}::{getattr(item, 'originalname', item.name)}"
    for mark in item.iter_markers("shows"):
        area, behaviour = mark.args
        yield claim(area, behaviour, name, **mark.kwargs)


def claim(
    area: str, behaviour: str, test: str, *, differs: str = "", absent: str = ""
) -> Behaviour:
    """One claim, as the mark makes it."""
    seen = "different" if differs else "absent" if absent else "same"
    return Behaviour(area=area, behaviour=behaviour, seen=seen, note=differs or absent, test=test)
