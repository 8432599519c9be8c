"""/tmp: a capped ext4 image on a loop device, so that files never count as the function's memory.

A template per size is made once by mkfs (no journal, no reserve); what of it is not zero is kept. A
volume is the same few blocks in a sparse file without a name, on a loop device that detaches
itself: when the last descriptor is closed nothing is left. Without mkfs or loop devices a tmpfs
stands in, which `emberd doctor` reports: it is charged to memory, and a reset empties it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.process import syscalls
from sandbox.process.programs import run_program

_LOOP_CTL_GET_FREE = 0x4C82
_LOOP_CONFIGURE = 0x4C0A
_LO_FLAGS_AUTOCLEAR = 4
_LO_FLAGS_DIRECT_IO = 16
_LOOP_MAJOR = 7
_BLOCK_BYTES = 4096
_EXTENT_BYTES = 1 << 20
_ATTEMPTS = 50

_EXT4_IOC_SHUTDOWN = 0x8004587D
_NO_LOG_FLUSH = 2
_WORTH_FORGETTING_BYTES = 16 << 20

_BYTES_PER_INODE = 16 * 1024
_ATTRIBUTES = syscalls.MOUNT_ATTR_NOSUID | syscalls.MOUNT_ATTR_NODEV
# What is on it never outlives a crash, so nothing waits for the disk.
_EXT4_OPTIONS = {"nobarrier": "", "noauto_da_alloc": ""}


@dataclass(slots=True, kw_only=True)
class Volume:
    """One /tmp. Open descriptors are all there is of it."""

    size_bytes: int
    mount_fd: int
    """The detached mount; kept open, so that the file system outlives a process tree."""
    loop_fd: int
    """-1 for a tmpfs."""
    device: str

    def remount(self) -> None:
        """A new detached mount of the same files, for the next process tree."""
        before = self.mount_fd
        if self.loop_fd < 0:
            self.mount_fd = _new_tmpfs(self.size_bytes)
        else:
            self.mount_fd = _mount_ext4(self.device)
        os.close(before)

    def give_to(self, owner_id: int) -> None:
        """Root of the sandbox owns it, anyone may write: /tmp as everywhere."""
        os.chown(".", owner_id, owner_id, dir_fd=self.mount_fd)

    @classmethod
    def of_descriptors(cls, fds: Sequence[int]) -> Volume:
        """What `descriptors` of another process have brought here, to be ended."""
        mount_fd, *loop_fds = fds
        return cls(
            size_bytes=0, mount_fd=mount_fd, loop_fd=loop_fds[0] if loop_fds else -1, device=""
        )

    @property
    def descriptors(self) -> tuple[int, ...]:
        """All that keep it alive."""
        return (self.mount_fd,) if self.loop_fd < 0 else (self.mount_fd, self.loop_fd)

    def forget_changes(self) -> None:
        """It is about to end: what a function has left in memory need not reach the disk.

        Only where that is much, because the kernel logs every such request as an alert.
        """
        found = os.fstatvfs(self.mount_fd)
        used_bytes = (found.f_blocks - found.f_bfree) * found.f_frsize
        if self.loop_fd < 0 or used_bytes < _WORTH_FORGETTING_BYTES:
            return
        root = os.open(".", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self.mount_fd)
        try:
            fcntl.ioctl(root, _EXT4_IOC_SHUTDOWN, struct.pack("=I", _NO_LOG_FLUSH))
        finally:
            os.close(root)

    def close(self) -> None:
        """Let the kernel take it away."""
        os.close(self.mount_fd)
        if self.loop_fd >= 0:
            os.close(self.loop_fd)


class Volumes:
    """Makes volumes from templates kept in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._extents: dict[int, tuple[tuple[int, bytes], ...]] = {}
        self.weakness = find_weakness()

    def is_ready(self, size_bytes: int) -> bool:
        """Whether create is cheap for this size."""
        known = self.weakness or size_bytes in self._extents
        return bool(known) or self._template(size_bytes).exists()

    def prepare(self, size_bytes: int) -> None:
        """Make the template: mkfs, about 20 ms; for a background process."""
        if self.is_ready(size_bytes):
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        building = self._folder / f"building-{os.getpid()}"
        try:
            _make_template(building, size_bytes)
            _dig_holes(building)
            building.rename(self._template(size_bytes))
        finally:
            building.unlink(missing_ok=True)

    def create(self, size_bytes: int) -> Volume:
        """A new, empty volume; the template must be ready."""
        if self.weakness:
            fd = _new_tmpfs(size_bytes)
            return Volume(size_bytes=size_bytes, mount_fd=fd, loop_fd=-1, device="")
        extents = self._extents.get(size_bytes)
        if extents is None:
            extents = self._extents[size_bytes] = _read_extents(self._template(size_bytes))
        image_fd = _write_image(self._folder, size_bytes, extents)
        try:
            device, loop_fd = _attach(image_fd)
        finally:
            os.close(image_fd)
        try:
            mount_fd = _mount_ext4(device)
        except OSError:
            os.close(loop_fd)
            raise
        return Volume(size_bytes=size_bytes, mount_fd=mount_fd, loop_fd=loop_fd, device=device)

    def _template(self, size_bytes: int) -> Path:
        return self._folder / f"ext4-{size_bytes}.template"


def find_weakness() -> str:
    """Why /tmp cannot be an image here, with the remedy; empty when it can."""
    if shutil.which("mkfs.ext4", path="/usr/sbin:/sbin:/usr/bin:/bin") is None:
        return "/tmp is a tmpfs charged to memory: mkfs.ext4 is missing (apt-get install e2fsprogs)"
    if not os.path.exists("/dev/loop-control"):
        return "/tmp is a tmpfs charged to memory: no loop devices (modprobe loop)"
    return ""


def _make_template(path: Path, size_bytes: int) -> None:
    with path.open("wb") as file:
        file.truncate(size_bytes)
    mkfs = shutil.which("mkfs.ext4", path="/usr/sbin:/sbin:/usr/bin:/bin") or "mkfs.ext4"
    features = "^has_journal,^resize_inode,^metadata_csum"
    command = [mkfs, "-q", "-F", "-b", str(_BLOCK_BYTES), "-m", "0", "-O", features]
    command += ["-E", "lazy_itable_init=1,nodiscard", "-I", "256"]
    command += ["-N", str(max(1024, size_bytes // _BYTES_PER_INODE)), str(path)]
    run_program(command)
    image_fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    device, loop_fd = _attach(image_fd)
    os.close(image_fd)
    mount_fd = _mount_ext4(device)
    os.rmdir("lost+found", dir_fd=mount_fd)
    os.chmod(".", 0o1777, dir_fd=mount_fd)
    os.close(mount_fd)
    os.close(loop_fd)


def _dig_holes(path: Path) -> None:
    """Keep only blocks that hold something: mkfs writes out 8 MB of empty inodes for 512 MB."""
    thin = path.with_suffix(".thin")
    try:
        with path.open("rb") as source, thin.open("wb") as target:
            target.truncate(path.stat().st_size)
            for start, data in _data_of(source.fileno(), _BLOCK_BYTES):
                if data.strip(b"\0"):
                    os.pwrite(target.fileno(), data, start)
        thin.rename(path)
    finally:
        thin.unlink(missing_ok=True)


def _read_extents(template: Path) -> tuple[tuple[int, bytes], ...]:
    """What a fresh file system consists of: some 80 KB at a few offsets."""
    with template.open("rb") as source:
        return tuple(_data_of(source.fileno(), _EXTENT_BYTES))


def _data_of(fd: int, bytes_max: int) -> Iterator[tuple[int, bytes]]:
    """Where a sparse file has data, in pieces of so many bytes at most."""
    end = 0
    while (start := _next_data(fd, end)) is not None:
        end = os.lseek(fd, start, os.SEEK_HOLE)
        for offset in range(start, end, bytes_max):
            yield offset, os.pread(fd, min(bytes_max, end - offset), offset)


def _write_image(folder: Path, size_bytes: int, extents: tuple[tuple[int, bytes], ...]) -> int:
    """A file without a name: nothing of it can be left behind."""
    image_fd = os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    os.ftruncate(image_fd, size_bytes)
    for offset, data in extents:
        os.pwrite(image_fd, data, offset)
    return image_fd


def _next_data(fd: int, offset: int) -> int | None:
    try:
        return os.lseek(fd, offset, os.SEEK_DATA)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return None
        raise


def _attach(image_fd: int) -> tuple[str, int]:
    """Bind a file to a free loop device that frees itself when nothing uses it any more."""
    flags = _LO_FLAGS_AUTOCLEAR | _LO_FLAGS_DIRECT_IO
    # struct loop_config: fd, block size, loop_info64 (flags at offset 52), reserved.
    info = bytearray(232)
    struct.pack_into("=I", info, 52, flags)
    config = struct.pack("=II", image_fd, _BLOCK_BYTES) + info + bytes(64)
    control = os.open("/dev/loop-control", os.O_RDWR | os.O_CLOEXEC)
    try:
        for _ in range(_ATTEMPTS):
            number = fcntl.ioctl(control, _LOOP_CTL_GET_FREE)
            device = f"/dev/loop{number}"
            if not os.path.exists(device):
                with contextlib.suppress(FileExistsError):
                    os.mknod(device, 0o60600, os.makedev(_LOOP_MAJOR, number))
            loop_fd = os.open(device, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.ioctl(loop_fd, _LOOP_CONFIGURE, bytearray(config))
            except OSError as error:
                os.close(loop_fd)
                if error.errno != errno.EBUSY:
                    raise
            else:
                return device, loop_fd
        raise OSError(errno.EBUSY, "every free loop device was taken by somebody else first")
    finally:
        os.close(control)


def _mount_ext4(device: str) -> int:
    return syscalls.new_mount("ext4", {"source": device, **_EXT4_OPTIONS}, _ATTRIBUTES)


def _new_tmpfs(size_bytes: int) -> int:
    options = {"size": str(size_bytes), "mode": "1777", "nr_inodes": "65536"}
    return syscalls.new_mount("tmpfs", options, _ATTRIBUTES)
