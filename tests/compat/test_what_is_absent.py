"""Operations that emberd does not have say so, clearly and by name."""

from __future__ import annotations

import re
from typing import Any

import botocore.session
import pytest
from botocore.model import Shape

from tests.compat.watching import Watch, refusal

MODEL = botocore.session.get_session().get_service_model("lambda")

ABSENT = {
    "event source mappings": ("EventSourceMapping",),
    "capacity providers (Managed Instances)": ("CapacityProvider",),
    "durable executions": ("DurableExecution",),
}
"""What to come is called, and what the names of its operations have in them."""


def absent() -> list[tuple[str, str]]:
    """Each operation that is to come, with what it belongs to."""
    return [
        (name, what)
        for name in sorted(MODEL.operation_names)
        for what, parts in ABSENT.items()
        if any(part in name for part in parts)
    ]


def sample(shape: Shape, name: str = "") -> Any:
    """The least value that a shape allows; patterns are known by the member's name."""
    known = {
        "UUID": "00000000-0000-4000-8000-000000000000",
        "DurableExecutionArn": "arn:aws:lambda:us-east-1:000000000000:function:f:1/durable-"
        "execution/e/00000000-0000-4000-8000-000000000000",
    }
    if name in known:
        return known[name]
    match shape.type_name:
        case "structure":
            return {each: sample(shape.members[each], each) for each in shape.required_members}
        case "list":
            return [sample(shape.member)] * (shape.metadata.get("min") or 1)
        case "map":
            return {}
        case "integer" | "long" | "double":
            return shape.metadata.get("min", 1)
        case "boolean":
            return True
        case "timestamp":
            return 0
        case "blob":
            return b""
        case _:
            return shape.enum[0] if shape.enum else _matching(shape)


def _matching(shape: Shape) -> str:
    pattern = shape.metadata.get("pattern", "")
    length = max(1, shape.metadata.get("min") or 1)
    for text in (
        "1",
        "sg-1",
        "a" * length,
        "subnet-1",
        "arn:aws:iam::000000000000:role/r",
        "arn:aws:lambda:us-east-1:000000000000:capacity-provider:c",
        "A" * length + "=",
    ):
        if not pattern or re.fullmatch(pattern, text):
            return text
    raise AssertionError(f"no text for {shape.name}: {pattern}")


@pytest.mark.parametrize(("operation", "what"), absent(), ids=lambda each: str(each))
def test_an_operation_that_is_to_come_says_so(
    client: Any, watch: Watch, operation: str, what: str
) -> None:
    shape = MODEL.operation_model(operation).input_shape
    method = getattr(client, botocore.xform_name(operation))
    kind, status, message = refusal(method, **(sample(shape) if shape else {}))
    assert (kind, status) == ("NotImplementedException", 501)
    assert operation in message
    assert operation in watch.outcomes.refused
