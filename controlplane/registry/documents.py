"""Functions, versions and aliases as stored documents, and what a change of a function writes.

One record each, so that publishing the thousandth version writes one small document:

    functions/NAME                    $LATEST, what serves for it, the number of the next version
    versions/NAME/0000000012          a published version
    aliases/NAME/ALIAS                an alias
    settings/NAME                     what hangs on a function besides; absent when nothing does
    numbers/NAME                      where a function that was deleted had come to

Documents are JSON. Fields are only ever added, each with a default for older documents.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, NotRequired, TypeAlias, TypedDict, cast

from controlplane.model.configuration import Configuration, Logging
from controlplane.model.functions import Alias, Function, FunctionVersion
from controlplane.model.layers import UsedLayer
from controlplane.model.settings import NO_SETTINGS, FunctionSettings
from controlplane.model.status import READY, Status
from controlplane.registry.settings.documents import settings_document
from controlplane.storage.ports import Delete, Put, Write

FUNCTIONS = "functions/"
VERSIONS = "versions/"
ALIASES = "aliases/"
SETTINGS = "settings/"

_Part: TypeAlias = FunctionVersion | Alias | FunctionSettings
NUMBERS = "numbers/"

_VERSION_DIGITS = 10
"""Numbers are padded, so that the order of keys is the order of versions."""


class _LoggingDocument(TypedDict):
    format: str
    application_level: str
    system_level: str
    group: str


class _ConfigurationDocument(TypedDict):
    runtime_id: str
    handler: str
    role: str
    description: str
    timeout_s: int
    memory_size_mb: int
    ephemeral_storage_mb: int
    environment: dict[str, str]
    environment_given: NotRequired[bool]
    layers: NotRequired[list[str]]
    tracing_mode: NotRequired[str]
    logging: NotRequired[_LoggingDocument]
    snap_start_apply_on: NotRequired[str]
    dead_letter_arn: NotRequired[str]
    kms_key_arn: NotRequired[str]
    network: NotRequired[str]
    security_groups: NotRequired[list[str]]


class _UsedLayerDocument(TypedDict):
    arn: str
    artifact_id: str
    size_bytes: int
    unzipped_bytes: int


class _StatusDocument(TypedDict):
    state: str
    state_reason: str
    state_reason_code: str
    last_update: str
    last_update_reason: str
    last_update_reason_code: str


class _VersionDocument(TypedDict):
    function_name: str
    version: str
    configuration: _ConfigurationDocument
    artifact_id: str
    artifact_size_bytes: int
    architecture: str
    last_modified: str
    lambda_revision_id: str
    status: NotRequired[_StatusDocument]
    published_from: str
    snapshot_refusal: NotRequired[str]
    layers: NotRequired[list[_UsedLayerDocument]]


class _AliasDocument(TypedDict):
    name: str
    function_name: str
    function_version: str
    description: str
    weights: dict[str, float]
    lambda_revision_id: str


class _FunctionDocument(TypedDict):
    latest: _VersionDocument
    next_version: int
    serving: NotRequired[_VersionDocument]


class _NumbersDocument(TypedDict):
    next_version: int


def writes_between(
    before: Function | None, after: Function | None, expected: int
) -> Sequence[Write]:
    """The transaction that turns one state of a function into another.

    It always touches the function's own record and demands the version that this was decided on,
    so that two writers can never both change one function.
    """
    root = FUNCTIONS + _name_of(before, after)
    if after is None:
        own: Write = Delete(key=root, expected=expected)
    else:
        own = Put(key=root, value=_encode(_function_document(after)), expected=expected)
    old, new = _parts(before), _parts(after)
    changed = [
        Put(key=key, value=_encode(_document(part)))
        for key, part in new.items()
        if old.get(key) is not part
    ]
    if before is not None and after is None and before.next_version > 1:
        numbers: _NumbersDocument = {"next_version": before.next_version}
        changed.append(Put(key=NUMBERS + before.name, value=_encode(numbers)))
    return [own, *changed, *(Delete(key=key) for key in old if key not in new)]


def read_function(value: bytes) -> Function:
    """A function as its record has it, without versions and aliases."""
    document = cast(_FunctionDocument, json.loads(value))
    serving = document.get("serving")
    return Function(
        latest=_version(document["latest"]),
        next_version=document["next_version"],
        versions={},
        aliases={},
        serving=None if serving is None else _version(serving),
    )


def read_version(value: bytes) -> FunctionVersion:
    """A published version."""
    return _version(cast(_VersionDocument, json.loads(value)))


def read_alias(value: bytes) -> Alias:
    """An alias."""
    return Alias(**cast(_AliasDocument, json.loads(value)))


def read_numbers(value: bytes) -> int:
    """The number after the last one that a deleted function had given."""
    return cast(_NumbersDocument, json.loads(value))["next_version"]


def _name_of(before: Function | None, after: Function | None) -> str:
    known = after or before
    assert known is not None, "a change has a function before it or after it"
    return known.name


def _parts(function: Function | None) -> Mapping[str, _Part]:
    """What has records beside the function's own, by key."""
    if function is None:
        return {}
    name = function.name
    parts: dict[str, _Part] = {}
    for version in function.versions.values():
        parts[f"{VERSIONS}{name}/{version.version:0>{_VERSION_DIGITS}}"] = version
    for alias in function.aliases.values():
        parts[f"{ALIASES}{name}/{alias.name}"] = alias
    if function.settings != NO_SETTINGS:
        parts[SETTINGS + name] = function.settings
    return parts


def _document(part: _Part) -> Mapping[str, object]:
    match part:
        case Alias():
            return _alias_document(part)
        case FunctionVersion():
            return _version_document(part)
        case FunctionSettings():
            return settings_document(part)


def _function_document(function: Function) -> _FunctionDocument:
    document: _FunctionDocument = {
        "latest": _version_document(function.latest),
        "next_version": function.next_version,
    }
    if function.serving is not None:
        document["serving"] = _version_document(function.serving)
    return document


def _version_document(version: FunctionVersion) -> _VersionDocument:
    return {
        "function_name": version.function_name,
        "version": version.version,
        "configuration": cast(_ConfigurationDocument, asdict(version.configuration)),
        "artifact_id": version.artifact_id,
        "artifact_size_bytes": version.artifact_size_bytes,
        "architecture": version.architecture,
        "last_modified": version.last_modified.isoformat(),
        "lambda_revision_id": version.lambda_revision_id,
        "status": cast(_StatusDocument, asdict(version.status)),
        "published_from": version.published_from,
        "snapshot_refusal": version.snapshot_refusal,
        "layers": [cast(_UsedLayerDocument, asdict(each)) for each in version.layers],
    }


def _alias_document(alias: Alias) -> _AliasDocument:
    return {
        "name": alias.name,
        "function_name": alias.function_name,
        "function_version": alias.function_version,
        "description": alias.description,
        "weights": dict(alias.weights),
        "lambda_revision_id": alias.lambda_revision_id,
    }


def _version(document: _VersionDocument) -> FunctionVersion:
    return FunctionVersion(
        function_name=document["function_name"],
        version=document["version"],
        configuration=_configuration(document["configuration"]),
        artifact_id=document["artifact_id"],
        artifact_size_bytes=document["artifact_size_bytes"],
        architecture=document["architecture"],
        last_modified=datetime.fromisoformat(document["last_modified"]),
        lambda_revision_id=document["lambda_revision_id"],
        status=Status(**document["status"]) if "status" in document else READY,
        published_from=document["published_from"],
        snapshot_refusal=document.get("snapshot_refusal", ""),
        layers=tuple(UsedLayer(**each) for each in document.get("layers", ())),
    )


def _configuration(document: _ConfigurationDocument) -> Configuration:
    plain: dict[str, Any] = {**document}  # Its values have as many types as there are fields.
    plain["layers"] = tuple(document.get("layers", ()))
    plain["security_groups"] = tuple(document.get("security_groups", ()))
    if "logging" in document:
        plain["logging"] = Logging(**document["logging"])
    return Configuration(**plain)


def _encode(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode("ascii")
