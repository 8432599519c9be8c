"""The services as botocore's own models describe them: operations, shapes, members, errors.

botocore ships `service-2.json` for every service; it is the source of every path, name, location,
type and constraint here. What we differ in lies in `overlay.json` and nowhere else. A model is read
on its first use, and a shape is made from it when somebody asks for it.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, TypeAlias

Description: TypeAlias = Mapping[str, Any]
"""A piece of JSON of the model; the classes below give it types."""

PLUS = "+"
"""An overlay's key that ends in it adds to a list instead of replacing it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Member:
    """A member of a structure, or the element, key or value of a list or map."""

    name: str
    """As operations use it; empty for elements, keys and values."""
    shape_name: str
    wire_name: str
    """As it is called on the wire."""
    location: str
    """uri, querystring, header, statusCode, or empty for the body."""
    event_payload: bool
    model: Model = field(repr=False, compare=False)

    @property
    def shape(self) -> Shape:
        """What it holds."""
        return self.model.shape(self.shape_name)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shape:
    """A type of the model with its constraints."""

    name: str
    kind: str
    """structure, list, map, string, integer, long, double, float, boolean, timestamp or blob."""
    members: Mapping[str, Member]
    """Of a structure, by name, in the order in which they are checked: the model's, but for those
    that our overlay calls checkedFirst."""
    required: tuple[str, ...]
    payload: str
    """The member that is the whole body; empty where the body is JSON of all body members."""
    element: Member | None
    key: Member | None
    value: Member | None
    enum: tuple[str, ...]
    minimum: float | None
    """Least length, number of items or value."""
    maximum: float | None
    pattern: str
    sensitive: bool
    """Its value must not be shown."""
    names_element_rules: bool
    """Our overlay's: of a list, that an error names its elements' constraint as if its own."""
    says_not_null: bool
    """Our overlay's: of an element with a pattern, that its rules end with one about null."""
    streaming: bool
    event_stream: bool
    flattened: bool
    timestamp_format: str
    error_code: str
    """Of an exception: its code where it is not its name."""
    error_status: int
    """Of an exception: its HTTP status; 400 or, where the service is to blame, 500 by default."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operation:
    """One operation of a service."""

    name: str
    method: str
    path: str
    """With {Member} for the parts that are members of the input."""
    fixed_query: tuple[tuple[str, str], ...]
    """What tells it from another operation of the same path."""
    status: int
    input: Shape | None
    output: Shape | None
    output_wrapper: str
    """The element around an output of the query protocol."""
    error_names: tuple[str, ...]


class Model:
    """A service."""

    def __init__(self, description: Description) -> None:
        self._metadata: Description = description["metadata"]
        self._operations: Description = description["operations"]
        self._shapes: Description = description["shapes"]
        self._made: dict[str, Shape] = {}

    @property
    def api_version(self) -> str:
        """The date of the API."""
        return str(self._metadata["apiVersion"])

    @property
    def target_prefix(self) -> str:
        """What stands before the operation in X-Amz-Target."""
        return str(self._metadata.get("targetPrefix", ""))

    @property
    def xml_namespace(self) -> str:
        """Of answers of the query protocol."""
        return str(self._metadata.get("xmlNamespace", ""))

    @cached_property
    def operation_names(self) -> tuple[str, ...]:
        """Every operation."""
        return tuple(self._operations)

    @cached_property
    def error_names(self) -> tuple[str, ...]:
        """Every exception."""
        return tuple(n for n, each in self._shapes.items() if each.get("exception"))

    @cached_property
    def routes(self) -> Mapping[str, tuple[str, str]]:
        """Method and path with query of every operation, which need no shape."""
        return {
            name: (each["http"]["method"], each["http"]["requestUri"])
            for name, each in self._operations.items()
        }

    @cache  # noqa: B019  # A model lives as long as the process.
    def operation(self, name: str) -> Operation:
        """One operation.

        Raises:
            KeyError: there is none of that name.
        """
        description = self._operations[name]
        path, _, query = description["http"]["requestUri"].partition("?")
        output = description.get("output", {})
        return Operation(
            name=name,
            method=description["http"]["method"],
            path=path,
            fixed_query=tuple(_pair(each) for each in query.split("&") if each),
            status=description["http"].get("responseCode", 200),
            input=self._shape_of(description.get("input")),
            output=self._shape_of(description.get("output")),
            output_wrapper=output.get("resultWrapper", ""),
            error_names=tuple(each["shape"] for each in description.get("errors", ())),
        )

    def shape(self, name: str) -> Shape:
        """One shape.

        Raises:
            KeyError: there is none of that name.
        """
        shape = self._made.get(name)
        if shape is None:
            shape = self._made[name] = self._make_shape(name, self._shapes[name])
        return shape

    def _shape_of(self, reference: Description | None) -> Shape | None:
        return None if reference is None else self.shape(reference["shape"])

    def _make_shape(self, name: str, description: Description) -> Shape:
        kind = description["type"]
        of_list = description.get("member") if kind == "list" else None
        error = description.get("error", {})
        return Shape(
            name=name,
            kind=kind,
            members=self._members(description),
            required=tuple(description.get("required", ())),
            payload=description.get("payload", ""),
            element=None if of_list is None else self._member("", of_list),
            key=self._member("", description["key"]) if kind == "map" else None,
            value=self._member("", description["value"]) if kind == "map" else None,
            enum=tuple(description.get("enum", ())),
            minimum=description.get("min"),
            maximum=description.get("max"),
            pattern=description.get("pattern", ""),
            sensitive=bool(description.get("sensitive")),
            names_element_rules=bool(description.get("namesElementRules")),
            says_not_null=bool(description.get("saysNotNull")),
            streaming=bool(description.get("streaming")),
            event_stream=bool(description.get("eventstream")),
            flattened=bool(description.get("flattened")),
            timestamp_format=description.get("timestampFormat", ""),
            error_code=error.get("code", ""),
            error_status=error.get("httpStatusCode", 500 if description.get("fault") else 400),
        )

    def _members(self, description: Description) -> Mapping[str, Member]:
        members = description.get("members", {})
        first = description.get("checkedFirst", ())
        return {name: self._member(name, members[name]) for name in (*first, *members)}

    def _member(self, name: str, description: Description) -> Member:
        return Member(
            name=name,
            shape_name=description["shape"],
            wire_name=description.get("locationName", name),
            location=description.get("location", ""),
            event_payload=bool(description.get("eventpayload")),
            model=self,
        )


@cache
def load_model(service: str) -> Model:
    """The model of a service ("lambda", "sts", "iam", "logs"), read once per process.

    Raises:
        FileNotFoundError: botocore does not know the service.
    """
    # Only botocore's data are read: importing its code would cost the start a tenth of a second.
    versions = sorted((files("botocore") / "data" / service).iterdir(), key=lambda each: each.name)
    description = json.loads(_read(versions[-1]))
    overlay = json.loads((files(__package__) / "overlay.json").read_bytes())
    return Model(overlaid(description, overlay.get(service, {})))


def overlaid(description: Description, overlay: Description) -> Description:
    """The description with the overlay's values in place of its own, at any depth."""
    merged = dict(description)
    for key, value in overlay.items():
        if key.endswith(PLUS):
            name = key.removesuffix(PLUS)
            merged[name] = [*merged[name], *value]
        elif isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = overlaid(merged[key], value)
        else:
            merged[key] = value
    return merged


def _read(folder: Traversable) -> bytes:
    packed = folder / "service-2.json.gz"
    if packed.is_file():
        return gzip.decompress(packed.read_bytes())
    return (folder / "service-2.json").read_bytes()


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value
