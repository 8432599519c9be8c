"""Reads every function from the records, once, when a control plane starts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import TypeVar

from controlplane.model.functions import Alias, Function, FunctionVersion
from controlplane.model.settings import NO_SETTINGS, FunctionSettings
from controlplane.registry.documents import (
    ALIASES,
    FUNCTIONS,
    NUMBERS,
    SETTINGS,
    VERSIONS,
    read_alias,
    read_function,
    read_numbers,
    read_version,
)
from controlplane.registry.settings.documents import read_settings
from controlplane.storage.ports import Record, RecordStore
from emberd.wire.errors import ConflictError

_Part = TypeVar("_Part")

_PAGE = 500


async def load_functions(records: RecordStore) -> list[tuple[Function, int]]:
    """Every function with the version of its record.

    Raises:
        ConflictError: a record cannot be read.
    """
    versions: dict[str, dict[str, FunctionVersion]] = {}
    async for record in all_records(records, VERSIONS):
        version = read_record(record, read_version)
        versions.setdefault(version.function_name, {})[version.version] = version
    aliases: dict[str, dict[str, Alias]] = {}
    async for record in all_records(records, ALIASES):
        alias = read_record(record, read_alias)
        aliases.setdefault(alias.function_name, {})[alias.name] = alias
    settings: dict[str, FunctionSettings] = {}
    async for record in all_records(records, SETTINGS):
        settings[record.key.removeprefix(SETTINGS)] = read_record(record, read_settings)
    functions: list[tuple[Function, int]] = []
    async for record in all_records(records, FUNCTIONS):
        bare = read_record(record, read_function)
        whole = replace(
            bare,
            versions=versions.get(bare.name, {}),
            aliases=aliases.get(bare.name, {}),
            settings=settings.get(bare.name, NO_SETTINGS),
        )
        functions.append((whole, record.version))
    return functions


async def first_version(records: RecordStore, name: str) -> int:
    """Where the numbers of a new function begin: Lambda gives none again under the same name.

    Raises:
        ConflictError: the record of those that were given cannot be read.
    """
    record = await records.get(NUMBERS + name)
    return 1 if record is None else read_record(record, read_numbers)


async def all_records(records: RecordStore, prefix: str) -> AsyncIterator[Record]:
    """Every record whose key begins with the prefix, in order."""
    after = ""
    while page := await records.list(prefix, after=after, limit=_PAGE):
        for record in page:
            yield record
        after = page[-1].key


def read_record(record: Record, read: Callable[[bytes], _Part]) -> _Part:
    """What a record holds.

    Raises:
        ConflictError: it cannot be read.
    """
    try:
        return read(record.value)
    except (ValueError, KeyError, TypeError) as error:
        raise ConflictError(
            f"record {record.key} of the registry cannot be read ({error!r}): put back a backup "
            "of the data folder, or run the emberd that wrote it",
            reason="RECORD_UNREADABLE",
            key=record.key,
        ) from error
