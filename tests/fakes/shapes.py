"""Values for every shape of a model: a whole example of each, with what wire formats get wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from controlplane.api.aws.model import Shape

TEXT = 'a b/c:d+e&f=g?h%i"j\\k<l>é😀'
"""What paths, queries, JSON and XML each need to escape something of."""
HEADER_TEXT = "plain-text"
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def example(shape: Shape, location: str = "", depth: int = 0) -> Any:
    """A value with every member, two items in each list and two entries in each map."""
    match shape.kind:
        case "structure":
            return {
                name: example(member.shape, member.location, depth + 1)
                for name, member in shape.members.items()
                if depth < 8
            }
        case "list":
            return [example(shape.element.shape, location, depth + 1) for _ in range(2)]
        case "map":
            keys = shape.key.shape.enum[:2] or ("one", "two.é")
            return {key: example(shape.value.shape, location, depth + 1) for key in keys}
        case "string":
            if location in ("header", "headers"):
                return HEADER_TEXT
            return shape.enum[0] if shape.enum else TEXT
        case "integer" | "long":
            return 7
        case "double" | "float":
            return 0.25
        case "boolean":
            return True
        case "timestamp":
            return MOMENT
    return b"\x00\xff bytes"
