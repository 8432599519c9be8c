"""One call that Lambda refuses, and the names and words that many of them share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.compat.functions import PYTHON, ROLE, package

NAME = "refusals"
LAYER = "refusals-layer"
LAYER_ARN = f"arn:aws:lambda:us-east-1:000000000000:layer:{LAYER}"
WRONG_ID = "00000000-0000-4000-8000-000000000000"

IPV = ("InvalidParameterValueException", 400)
VALIDATION = ("ValidationException", 400)
NOT_FOUND = ("ResourceNotFoundException", 404)
CONFLICT = ("ResourceConflictException", 409)
PRECONDITION = ("PreconditionFailedException", 412)

PATTERN = "failed to satisfy constraint: Member must satisfy regular expression pattern: "
ENUM = "failed to satisfy constraint: Member must satisfy enum value set: "
DETECTED = "1 validation error detected: Value "


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One call that Lambda refuses, and its words; a text that ends in … goes on."""

    call: str
    given: dict[str, Any] = field(default_factory=dict)
    error: tuple[str, int]
    said: str

    @property
    def title(self) -> str:
        """Short enough for a test's name."""
        given = "-".join(sorted(set(self.given) - set(create())))
        return f"{self.call}-{given}-{self.said[:60]}"


def create(**changes: Any) -> dict[str, Any]:
    """The arguments of a CreateFunction that is right but for these."""
    given: dict[str, Any] = {
        "FunctionName": "never-made",
        "Role": ROLE,
        "Runtime": PYTHON,
        "Handler": "app.handler",
        "Code": {"ZipFile": package()},
    }
    return {**given, **changes}
