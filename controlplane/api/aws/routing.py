"""From a method, a path and a query to an operation and the parts of its path.

The paths form a tree of segments, so that finding one of a hundred takes as many steps as it has
segments. A segment is decoded after the path was cut, so an encoded ARN stays one segment whatever
it contains. A slash at the end means nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from controlplane.api.aws.model import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a request asks for."""

    operation: Operation
    uri: Mapping[str, str]
    """Decoded path segments by the name that the model gives them."""


@dataclass(slots=True)
class _Node:
    fixed: dict[str, _Node] = field(default_factory=dict)
    any: _Node | None = None
    operations: dict[str, list[tuple[Operation, tuple[str, ...]]]] = field(default_factory=dict)
    """By method; with the names of the segments on the way that are members."""


class Router:
    """All paths of one service."""

    def __init__(self, operations: Collection[Operation]) -> None:
        self._root = _Node()
        for operation in operations:
            self._add(operation)

    def find(self, method: str, raw_path: str, query: Collection[tuple[str, str]]) -> Match | None:
        """The operation for a request; None where there is none.

        Args:
            method: As on the request line.
            raw_path: Still percent-encoded.
            query: Decoded names and values.
        """
        values: list[str] = []
        node = self._root
        for segment in raw_path.strip("/").split("/"):
            child = node.fixed.get(segment)
            if child is None:
                if node.any is None:
                    return None
                child = node.any
                values.append(unquote(segment) if "%" in segment else segment)
            node = child
        for operation, names in node.operations.get(method, ()):
            if all(each in query for each in operation.fixed_query):
                return Match(operation=operation, uri=dict(zip(names, values, strict=True)))
        return None

    def _add(self, operation: Operation) -> None:
        names: list[str] = []
        node = self._root
        for segment in operation.path.strip("/").split("/"):
            if segment.startswith("{"):
                names.append(segment.strip("{}+"))
                node.any = node = node.any or _Node()
            else:
                node = node.fixed.setdefault(segment, _Node())
        leaves = node.operations.setdefault(operation.method, [])
        leaves.append((operation, tuple(names)))
        # Those that demand something of the query are asked first.
        leaves.sort(key=lambda leaf: len(leaf[0].fixed_query), reverse=True)
