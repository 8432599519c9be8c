"""/tmp on a real host: as large as was asked for, apart from memory, and nobody's but its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.process.backend import ProcessBackend
from sandbox.process.disposer import Disposer
from sandbox.process.ephemeral import Volumes
from sandbox.spec import MIB
from tests.host.census import loop_devices_of
from tests.host.harness import Host, eventually, read_until

pytestmark = pytest.mark.host

OWN_BYTES, SHORT_LIVED_BYTES = 64 * MIB, 96 * MIB
"""Embryos have the default size, so volumes of these sizes are those of one test."""

FILL = (
    "import errno, signal\n"
    "written = 0\n"
    "try:\n"
    "    with open('/tmp/big', 'wb', buffering=0) as file:\n"
    "        while True:\n"
    "            written += file.write(b'x' * (1 << 20))\n"
    "except OSError as error:\n"
    "    print(errno.errorcode[error.errno], written >> 20, flush=True)\n"
    "signal.pause()"
)
SECRET = b"what only the first tenant knows "
"""So many bytes that no page holds it by chance."""
KEEP = (
    "import os, signal\n"
    f"secret = {SECRET!r} * (1 << 15)\n"
    "for name in ('kept', 'removed'):\n"
    "    with open(f'/tmp/{name}', 'wb') as file:\n"
    "        file.write(secret)\n"
    "        os.fsync(file.fileno())\n"
    "os.remove('/tmp/removed')\n"
    "print('ready', flush=True)\n"
    "signal.pause()"
)
SEARCH = (
    "import os, signal\n"
    "found = os.listdir('/tmp')\n"
    "with open('/tmp/old', 'w+b') as file:\n"
    "    os.posix_fallocate(file.fileno(), 0, 50 << 20)\n"
    "    while piece := file.read(1 << 20):\n"
    "        if piece.strip(b'\\0'):\n"
    "            found.append('bytes')\n"
    "os.remove('/tmp/old')\n"
    "print(found, flush=True)\n"
    "signal.pause()"
)


async def test_a_small_function_fills_the_smallest_tmp_and_meets_its_end_not_that_of_memory(
    host: Host, backend: ProcessBackend
) -> None:
    sandbox = await backend.create(host.spec(FILL, memory_bytes=128 * MIB))
    name, written_mb = read_until(sandbox.log_fd, b"\n", 60).split()
    assert name == b"ENOSPC"
    assert 440 <= int(written_mb) <= 512
    assert sandbox.usage().oom_kills == 0
    assert sandbox.usage().memory_peak_bytes <= 128 * MIB


@pytest.mark.parametrize("size_mb", [512, 1024, 10_240])
async def test_tmp_has_the_size_that_was_asked_for_and_nothing_in_it(
    host: Host, backend: ProcessBackend, size_mb: int
) -> None:
    source = (
        "import os, signal\n"
        "found = os.statvfs('/tmp')\n"
        "print(found.f_blocks * found.f_frsize >> 20, found.f_files,\n"
        "      oct(os.stat('/tmp').st_mode), os.listdir('/tmp'), flush=True)\n"
        "signal.pause()"
    )
    sandbox = await backend.create(host.spec(source, ephemeral_bytes=size_mb * MIB))
    told = read_until(sandbox.log_fd, b"\n", 20).decode().split(maxsplit=3)
    assert 0.96 * size_mb <= int(told[0]) <= size_mb
    inodes, mode, files = told[1:]
    assert int(inodes) == size_mb * MIB // 16_384
    assert (mode, files.strip()) == ("0o41777", "[]")


async def test_files_without_content_are_counted_too(host: Host, backend: ProcessBackend) -> None:
    source = (
        "import errno, os, signal\n"
        "made = 0\n"
        "try:\n"
        "    while True:\n"
        "        os.mknod(f'/tmp/{made}')\n"
        "        made += 1\n"
        "except OSError as error:\n"
        "    print(errno.errorcode[error.errno], made, flush=True)\n"
        "signal.pause()"
    )
    sandbox = await backend.create(host.spec(source, ephemeral_bytes=32 * MIB))
    name, made = read_until(sandbox.log_fd, b"\n", 30).split()
    assert name == b"ENOSPC"
    # 2,048 less those that every ext4 keeps for itself.
    assert 2_000 < int(made) < 2_048


async def test_nothing_is_handed_on_to_the_same_function_or_to_another(
    host: Host, backend: ProcessBackend
) -> None:
    """Neither files, nor what was in blocks that are free again."""
    first = host.spec(KEEP, ephemeral_bytes=OWN_BYTES)
    sandbox = await backend.create(first)
    read_until(sandbox.log_fd, b"ready", 20)
    assert SECRET in contents_of(devices_of_size(host, OWN_BYTES))
    await sandbox.destroy()
    same = replace(host.spec(SEARCH, ephemeral_bytes=OWN_BYTES), revision_id=first.revision_id)
    others = [host.spec(SEARCH, ephemeral_bytes=OWN_BYTES) for _ in range(3)]
    for spec in (same, *others, host.spec(SEARCH)):
        sandbox = await backend.create(spec)
        assert read_until(sandbox.log_fd, b"\n", 30) == b"[]\n"
    devices = devices_of_size(host, OWN_BYTES)
    assert len(devices) >= 4
    assert SECRET not in contents_of(devices)


def devices_of_size(host: Host, size: int) -> list[str]:
    """Loop devices of this host."""
    return [name for name in loop_devices_of(host) if size_of(name) == size]


def size_of(device: str) -> int:
    return int(Path(f"/sys/block/{device}/size").read_text()) * 512


def contents_of(devices: Sequence[str]) -> bytes:
    """What is on these block devices, as the host sees it; zeros left out."""
    found = []
    for name in devices:
        with open(f"/dev/{name}", "rb", buffering=0) as device:
            os.posix_fadvise(device.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            while piece := device.read(1 << 20):
                found.append(piece.strip(b"\0"))
    return b"".join(found)


@pytest.mark.parametrize("written_mb", [0, 64])
async def test_its_image_is_gone_from_the_host_soon_after_its_end(
    host: Host, backend: ProcessBackend, written_mb: int
) -> None:
    source = (
        "import signal\n"
        f"open('/tmp/file', 'wb').write(b'x' * ({written_mb} << 20))\n"
        "print('ready', flush=True)\n"
        "signal.pause()"
    )
    sandbox = await backend.create(host.spec(source, ephemeral_bytes=SHORT_LIVED_BYTES))
    read_until(sandbox.log_fd, b"ready", 20)
    assert len(devices_of_size(host, SHORT_LIVED_BYTES)) == 1
    await sandbox.destroy()
    assert eventually(lambda: devices_of_size(host, SHORT_LIVED_BYTES) == [])


def test_the_largest_image_is_sparse_and_has_neither_journal_nor_reserve(
    host: Host, tmp_path: Path
) -> None:
    assert host.process is not None, "its volumes need what a host needs"
    size = 10_240 * MIB
    Volumes(tmp_path).prepare(size)
    [template] = tmp_path.iterdir()
    assert template.stat().st_size == size
    assert template.stat().st_blocks * 512 < 2 * MIB
    shown = subprocess.run(
        ["/usr/sbin/dumpe2fs", "-h", template], capture_output=True, text=True, check=True
    ).stdout
    fields = dict(line.split(":", 1) for line in shown.splitlines() if ":" in line)
    assert "journal" not in fields["Filesystem features"]
    assert fields["Reserved block count"].strip() == "0"


def test_a_volume_ends_though_nobody_is_left_to_end_it(host: Host, tmp_path: Path) -> None:
    """The launcher sees to it itself then."""
    assert host.process is not None, "its volumes need what a host needs"
    size = 24 * MIB
    volumes, disposer = Volumes(tmp_path), Disposer()
    volumes.prepare(size)
    disposer.close()
    volume = volumes.create(size)
    device = volume.device.removeprefix("/dev/")
    assert size_of(device) == size
    disposer.take(volume)
    assert eventually(lambda: size_of(device) == 0)
