"""Every code-signing configuration in memory, and as stored records.

    code-signing/csc-0123456789abcdef0

Documents are JSON. Fields are only ever added, each with a default for older documents.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from controlplane.model.code_signing import CodeSigningConfig
from controlplane.registry.loading import all_records, read_record
from controlplane.storage.ports import ABSENT, Delete, Put, RecordStore, Write

CODE_SIGNING = "code-signing/"


class CodeSigningIndex:
    """The code-signing configurations of one control plane, by ARN."""

    def __init__(self) -> None:
        self._configs: dict[str, tuple[CodeSigningConfig, int]] = {}

    def get(self, arn: str) -> tuple[CodeSigningConfig | None, int]:
        """A configuration, or None, and the version of its record."""
        return self._configs.get(arn, (None, ABSENT))

    def all(self) -> Sequence[CodeSigningConfig]:
        """All of them in order of their ARNs."""
        return [config for _, (config, _) in sorted(self._configs.items())]

    def put(self, arn: str, config: CodeSigningConfig | None, record_version: int) -> None:
        """Take a new state, None when it was deleted."""
        if config is None:
            self._configs.pop(arn, None)
        else:
            self._configs[arn] = (config, record_version)


async def load_code_signing(records: RecordStore) -> CodeSigningIndex:
    """Every configuration.

    Raises:
        ConflictError: a record cannot be read.
    """
    index = CodeSigningIndex()
    async for record in all_records(records, CODE_SIGNING):
        config = read_record(record, _read)
        index.put(config.arn, config, record.version)
    return index


def code_signing_writes(
    before: CodeSigningConfig | None, after: CodeSigningConfig | None, expected: int
) -> Sequence[Write]:
    """The transaction that turns one state of a configuration into another."""
    known = after or before
    assert known is not None, "a change has a configuration before it or after it"
    key = CODE_SIGNING + known.config_id
    if after is None:
        return [Delete(key=key, expected=expected)]
    document = {**asdict(after), "last_modified": after.last_modified.isoformat()}
    value = json.dumps(document, separators=(",", ":")).encode("ascii")
    return [Put(key=key, value=value, expected=expected)]


def _read(value: bytes) -> CodeSigningConfig:
    document: dict[str, Any] = json.loads(value)
    return CodeSigningConfig(
        **{
            **document,
            "signing_profile_arns": tuple(document["signing_profile_arns"]),
            "last_modified": datetime.fromisoformat(document["last_modified"]),
        }
    )
