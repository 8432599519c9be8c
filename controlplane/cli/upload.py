"""A package on its way to the control plane, in pieces that a message can hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from controlplane.cli import package
from controlplane.cli.client import Client
from controlplane.cli.terminal import Steps
from emberd.functions.v1 import functions_pb2 as pb
from emberd.wire import CHUNK_BYTES_MAX

UPLOAD_S = 300.0
"""Deadline of an upload: 50 MB at a slow link's 2 Mbit/s."""


def upload(client: Client, archive: Path, steps: Steps) -> pb.Code:
    """Send an archive; what comes back names it in a request."""
    response: pb.UploadArtifactResponse = client.call(
        client.functions.UploadArtifact, _pieces(archive, steps), UPLOAD_S
    )
    return pb.Code(artifact_id=response.artifact_id)


def pack(members: dict[str, package.Member], archive: Path, steps: Steps) -> Path:
    """Write an archive and say how large it became.

    Raises:
        BadParameterError: it is empty or too large, or a file cannot be read.
    """
    size = package.write_zip(
        members, archive, lambda done, total: steps.progress("packing", done, total)
    )
    steps.say(f"packed {len(members)} files, {size / 1024:.1f} KB")
    return archive


def _pieces(archive: Path, steps: Steps) -> Iterator[pb.UploadArtifactRequest]:
    total = archive.stat().st_size
    sent = 0
    with archive.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES_MAX):
            yield pb.UploadArtifactRequest(chunk=chunk)
            sent += len(chunk)
            steps.progress("uploading", sent, total)
