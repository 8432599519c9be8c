"""What a control plane is told at its start. Only app.py reads it."""

from __future__ import annotations

import argparse
import base64
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from controlplane.model.credentials import Credentials
from emberd.wire.errors import ConflictError

REGION = "us-east-1"
ACCOUNT_ID = "000000000000"
ACCOUNT_CONCURRENCY = 1_000
DATA_KEY_BYTES = 32
STREAM_MB_PER_S = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one control plane."""

    data: Path
    """Its own folder: lock, database, packages, telemetry."""
    grpc_address: str
    http_address: str
    fleet_socket: Path
    """Where hosts on this machine attach."""
    secrets_fd: int
    """An inherited descriptor with what secret_files puts into its pipe."""
    status_fd: int
    """An inherited descriptor that takes one JSON line per event of its life."""
    region: str
    account_id: str
    account_concurrency: int
    stream_mb_per_s: int
    """How fast a streamed answer goes on after its first 6 MB; 0 for as fast as it comes."""
    log_level: str
    auth: bool
    """Whether callers over HTTP must sign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The bearer tokens of gRPC: who may call what."""

    client: str = field(repr=False)
    host: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """All that the supervisor hands over."""

    tokens: Tokens
    metrics_token: str = field(repr=False)
    """Opens /metrics and nothing else."""
    data_key: bytes = field(repr=False)
    root_key: Credentials
    """The account's own access key."""


def parse(arguments: Sequence[str]) -> Settings:
    """Read the control plane's command line, which the supervisor writes."""
    parser = argparse.ArgumentParser(prog="controlplane.start", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--grpc", required=True)
    parser.add_argument("--http", required=True)
    parser.add_argument("--fleet-socket", type=Path, required=True)
    parser.add_argument("--secrets-fd", type=int, required=True)
    parser.add_argument("--status-fd", type=int, required=True)
    parser.add_argument("--region", default=REGION)
    parser.add_argument("--account-id", default=ACCOUNT_ID)
    parser.add_argument("--account-concurrency", type=int, default=ACCOUNT_CONCURRENCY)
    parser.add_argument("--stream-mb-per-s", type=int, default=STREAM_MB_PER_S)
    parser.add_argument("--log-level", default="INFO")
    parser.add_argument("--no-auth", action="store_true")
    given = parser.parse_args(arguments)
    return Settings(
        data=given.data,
        grpc_address=given.grpc,
        http_address=given.http,
        fleet_socket=given.fleet_socket,
        secrets_fd=given.secrets_fd,
        status_fd=given.status_fd,
        region=given.region,
        account_id=given.account_id,
        account_concurrency=given.account_concurrency,
        stream_mb_per_s=given.stream_mb_per_s,
        log_level=given.log_level,
        auth=not given.no_auth,
    )


def read_secrets(fd: int) -> Secrets:
    """Read the secrets and close their descriptor, so that nothing else inherits it.

    Raises:
        ConflictError: data.key is damaged.
    """
    with os.fdopen(fd, "rb") as source:
        read = json.loads(source.read())
    try:
        data_key = base64.b64decode(read["data_key"], validate=True)
    except ValueError:
        data_key = b""
    if len(data_key) != DATA_KEY_BYTES:
        raise ConflictError(
            "data.key in the data folder is damaged: restore it from a backup; without it, remove "
            "it, and the next start makes another, which opens none of the access keys",
            reason="DATA_KEY_DAMAGED",
        )
    return Secrets(
        tokens=Tokens(client=read["client"], host=read["host"]),
        metrics_token=read["metrics"],
        data_key=data_key,
        root_key=Credentials(
            access_key_id=read["root_key_id"], secret_access_key=read["root_key_secret"]
        ),
    )
