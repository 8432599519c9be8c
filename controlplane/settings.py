"""What a control plane is told at its start. Only app.py reads it."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REGION = "us-east-1"
ACCOUNT_ID = "000000000000"
ACCOUNT_CONCURRENCY = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one control plane."""

    data: Path
    """Its own folder: lock, database, packages, telemetry."""
    grpc_address: str
    http_address: str
    fleet_socket: Path
    """Where hosts on this machine attach."""
    tokens_fd: int
    """An inherited descriptor with {"client": ..., "host": ...}."""
    status_fd: int
    """An inherited descriptor that takes one JSON line per event of its life."""
    region: str
    account_id: str
    account_concurrency: int
    log_level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The two secrets: who may call what."""

    client: str
    host: str


def parse(arguments: Sequence[str]) -> Settings:
    """Read the control plane's command line, which the supervisor writes."""
    parser = argparse.ArgumentParser(prog="controlplane.start", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--grpc", required=True)
    parser.add_argument("--http", required=True)
    parser.add_argument("--fleet-socket", type=Path, required=True)
    parser.add_argument("--tokens-fd", type=int, required=True)
    parser.add_argument("--status-fd", type=int, required=True)
    parser.add_argument("--region", default=REGION)
    parser.add_argument("--account-id", default=ACCOUNT_ID)
    parser.add_argument("--account-concurrency", type=int, default=ACCOUNT_CONCURRENCY)
    parser.add_argument("--log-level", default="INFO")
    given = parser.parse_args(arguments)
    return Settings(
        data=given.data,
        grpc_address=given.grpc,
        http_address=given.http,
        fleet_socket=given.fleet_socket,
        tokens_fd=given.tokens_fd,
        status_fd=given.status_fd,
        region=given.region,
        account_id=given.account_id,
        account_concurrency=given.account_concurrency,
        log_level=given.log_level,
    )


def read_tokens(fd: int) -> Tokens:
    """Read the tokens and close their descriptor, so that nothing else inherits it."""
    with os.fdopen(fd, "rb") as source:
        read = json.loads(source.read())
    return Tokens(client=read["client"], host=read["host"])
