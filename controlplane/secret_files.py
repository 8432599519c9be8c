"""The secrets of a data folder: made at its first start, each in a file that its owner alone reads.

    token, host.token   bearer tokens of clients and hosts
    metrics.token       bearer token that opens /metrics and nothing else
    data.key            what the control plane seals with; 32 bytes, in base64
    root.key            the account's own access key, for AWS's tools

The control plane gets them over an inherited pipe: no command line and no variable ever has them.
Standard library only, because the supervisor keeps root.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from controlplane.config import DataFolder, RootKey

TOKEN_BYTES = 32
DATA_KEY_BYTES = 32


def make_secrets(folder: DataFolder) -> None:
    """Make those that are missing; what is there stays as it is.

    Raises:
        OSError: one cannot be written.
    """
    for place in (folder.token, folder.host_token, folder.metrics_token):
        _make(place, lambda: secrets.token_urlsafe(TOKEN_BYTES))
    _make(folder.data_key, lambda: base64.b64encode(secrets.token_bytes(DATA_KEY_BYTES)).decode())
    _make(folder.root_key, lambda: new_root_key().written())


def new_root_key() -> RootKey:
    """An access key in the form that AWS's tools know."""
    return RootKey(
        access_key_id="AKIA" + base64.b32encode(secrets.token_bytes(10)).decode(),
        secret_access_key=base64.b64encode(secrets.token_bytes(30)).decode(),
    )


def secrets_pipe(folder: DataFolder) -> int:
    """The read end of a pipe that holds them all.

    Raises:
        OSError: one cannot be read.
        ValueError: root.key is damaged.
    """
    root_key = folder.read_root_key()
    held = {
        "client": folder.token.read_text().strip(),
        "host": folder.host_token.read_text().strip(),
        "metrics": folder.metrics_token.read_text().strip(),
        "data_key": folder.data_key.read_text().strip(),
        "root_key_id": root_key.access_key_id,
        "root_key_secret": root_key.secret_access_key,
    }
    read_fd, write_fd = os.pipe()
    try:
        # Far less than a pipe holds, so this never waits for the reader.
        os.write(write_fd, json.dumps(held).encode())
    finally:
        os.close(write_fd)
    return read_fd


def _make(place: Path, new: Callable[[], str]) -> None:
    """Write a new secret unless there is one. Two starts at once end with the same secret."""
    if place.exists():
        return
    draft = place.with_name(f"{place.name}.{os.getpid()}.tmp")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(new() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, place)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
