"""Inputs of the query protocol: a form whose names are paths into the input's shape.

    Action=TagRole&RoleName=r&Tags.member.1.Key=a&Tags.member.1.Value=b

An entry of a list is NAME.member.N (NAME.N where the model says flattened), one of a map
NAME.entry.N.key and NAME.entry.N.value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, Union

from controlplane.api.aws.model import Member, Shape
from controlplane.api.aws.parsing import Request
from controlplane.api.aws.values import checked_text, from_text, unreadable

Tree: TypeAlias = dict[str, Union[str, "Tree"]]
"""The fields by the parts of their names."""

DEPTH_MAX = 16
INDEX_DIGITS_MAX = 6


def parse_form(shape: Shape, fields: Sequence[tuple[str, str]]) -> Request:
    """The members of an input.

    Raises:
        InvalidArgumentError: SERIALIZATION; something is not of its type.
    """
    return _structure(_tree(fields), shape)


def _tree(fields: Sequence[tuple[str, str]]) -> Tree:
    root: Tree = {}
    for name, value in fields:
        parts = name.split(".", DEPTH_MAX)
        node = root
        for part in parts[:-1]:
            inner = node.setdefault(part, {})
            if isinstance(inner, str):
                inner = node[part] = {}
            node = inner
        node[parts[-1]] = value
    return root


def _structure(tree: Tree, shape: Shape) -> Request:
    found: Request = {}
    for name, member in shape.members.items():
        given = tree.get(member.wire_name)
        value = None if given is None else _value(given, member.shape)
        if value is not None:
            found[name] = value
    return found


def _value(given: str | Tree, shape: Shape) -> object:
    if shape.kind not in ("structure", "list", "map"):
        if not isinstance(given, str):
            raise unreadable("Start of structure or map found where not expected.")
        return from_text(given, shape, "date-time")
    # An empty list or map is a name without anything behind it.
    tree = {} if given == "" else given
    if isinstance(tree, str):
        raise unreadable("Unexpected value where a list, map or structure was expected")
    match shape:
        case Shape(kind="list", element=Member() as element):
            name = element.wire_name or "member"
            return [_value(each, element.shape) for each in _entries(tree, shape, name)]
        case Shape(kind="map", key=Member() as key, value=Member() as value):
            pairs = {}
            for entry in _entries(tree, shape, "entry"):
                inner = entry if isinstance(entry, dict) else {}
                key_text = inner.get(key.wire_name or "key", "")
                if not isinstance(key_text, str):
                    raise unreadable("A key of a map must be a text")
                held = inner.get(value.wire_name or "value", "")
                pairs[checked_text(key_text)] = _value(held, value.shape)
            return pairs
    return _structure(tree, shape)


def _entries(tree: Tree, shape: Shape, name: str) -> list[str | Tree]:
    numbered = tree if shape.flattened else tree.get(name, {})
    if isinstance(numbered, str):
        raise unreadable("Unexpected value where a list or map was expected")
    entries = []
    for number, value in numbered.items():
        if not (number.isascii() and number.isdigit()) or len(number) > INDEX_DIGITS_MAX:
            raise unreadable("An entry of a list or map must have a number")
        entries.append((int(number), value))
    return [value for _, value in sorted(entries, key=lambda entry: entry[0])]
