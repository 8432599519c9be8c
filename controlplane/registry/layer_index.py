"""Every layer in memory, and as stored records.

    layers/NAME                       the number of the next version; stays when all are deleted
    layer-versions/NAME/0000000012    a version

Documents are JSON. Fields are only ever added, each with a default for older documents.
"""

from __future__ import annotations

import bisect
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, TypedDict, cast

from controlplane.model.layers import Layer, LayerStatement, LayerVersion
from controlplane.registry.loading import all_records, read_record
from controlplane.storage.ports import ABSENT, Delete, Put, RecordStore, Write

LAYERS = "layers/"
LAYER_VERSIONS = "layer-versions/"

_NUMBER_DIGITS = 10
"""Numbers are padded, so that the order of keys is the order of versions."""


class LayerIndex:
    """The layers of one control plane, by name."""

    def __init__(self) -> None:
        self._layers: dict[str, tuple[Layer, int]] = {}
        self._names: list[str] = []
        self._uses: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._layers)

    def get(self, name: str) -> tuple[Layer | None, int]:
        """A layer, or None, and the version of its record."""
        return self._layers.get(name, (None, ABSENT))

    def version(self, name: str, number: int) -> LayerVersion | None:
        """One version that was not deleted."""
        layer, _ = self.get(name)
        return None if layer is None else layer.versions.get(number)

    def all(self) -> Sequence[Layer]:
        """Every layer, in order of their names."""
        return [self._layers[name][0] for name in self._names]

    def names(self) -> Sequence[str]:
        """All names in order."""
        return self._names

    def uses(self, artifact_id: str) -> bool:
        """Whether any version has this package."""
        return self._uses[artifact_id] > 0

    def put(self, layer: Layer, record_version: int) -> Collection[str]:
        """Take a layer's new state and return the packages that no version has any more."""
        before, _ = self.get(layer.name)
        if before is None:
            bisect.insort(self._names, layer.name)
        self._layers[layer.name] = (layer, record_version)
        self._uses.update(_artifacts(layer))
        self._uses.subtract(_artifacts(before))
        gone = {each for each in _artifacts(before) if not self._uses[each]}
        for artifact_id in gone:
            del self._uses[artifact_id]
        return gone


class _LayerDocument(TypedDict):
    name: str
    next_number: int


async def load_layers(records: RecordStore) -> LayerIndex:
    """Every layer.

    Raises:
        ConflictError: a record cannot be read.
    """
    versions: dict[str, dict[int, LayerVersion]] = {}
    async for record in all_records(records, LAYER_VERSIONS):
        version = read_record(record, _read_version)
        versions.setdefault(version.layer_name, {})[version.number] = version
    index = LayerIndex()
    async for record in all_records(records, LAYERS):
        layer = read_record(record, _read_layer)
        index.put(replace(layer, versions=versions.get(layer.name, {})), record.version)
    return index


def layer_writes(before: Layer | None, after: Layer, expected: int) -> Sequence[Write]:
    """The transaction that turns one state of a layer into another."""
    own: _LayerDocument = {"name": after.name, "next_number": after.next_number}
    old = {} if before is None else before.versions
    changed = [
        Put(key=_key(version), value=_encode(asdict(version)))
        for number, version in after.versions.items()
        if old.get(number) is not version
    ]
    deleted = [
        Delete(key=_key(version)) for number, version in old.items() if number not in after.versions
    ]
    return [
        Put(key=LAYERS + after.name, value=_encode(own), expected=expected),
        *changed,
        *deleted,
    ]


def _key(version: LayerVersion) -> str:
    return f"{LAYER_VERSIONS}{version.layer_name}/{version.number:0>{_NUMBER_DIGITS}}"


def _read_layer(value: bytes) -> Layer:
    document = cast(_LayerDocument, json.loads(value))
    return Layer(name=document["name"], next_number=document["next_number"])


def _read_version(value: bytes) -> LayerVersion:
    document: dict[str, Any] = json.loads(value)  # Its values have many types.
    return LayerVersion(
        **{
            **document,
            "created": datetime.fromisoformat(document["created"]),
            "runtimes": tuple(document["runtimes"]),
            "architectures": tuple(document["architectures"]),
            "statements": tuple(LayerStatement(**each) for each in document["statements"]),
        }
    )


def _encode(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, separators=(",", ":"), default=_plain).encode("ascii")


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not stored")


def _artifacts(layer: Layer | None) -> list[str]:
    """The package of every version, as often as it is used."""
    return [] if layer is None else [each.artifact_id for each in layer.versions.values()]
