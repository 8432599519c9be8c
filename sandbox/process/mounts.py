"""The file system of a sandbox: what is attached where, and nothing of the host beyond it.

The launcher makes detached copies of what is read-only (image, runtime, code, layers) and passes
them as descriptors; the child attaches them. A mount is born read-only, never made so afterwards.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from sandbox.process import syscalls
from sandbox.process.syscalls import (
    MNT_DETACH,
    MS_BIND,
    MS_MOVE,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
    MS_SLAVE,
)

STAGE = "/run/emberd/stage"
"""An empty directory that any uid can reach; every child mounts its own stage over it."""

RUNTIME = "/var/runtime"
RECIPE = "/run/emberd/recipe"
"""Where a template finds our package; no sandbox ever sees it."""

_NO_PRIVILEGE = MS_NOSUID | MS_NODEV | MS_NOEXEC

_DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9)}
_DEVICE_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}

_MASKED_FILES = (
    "cmdline config.gz diskstats interrupts iomem ioports kallsyms kcore key-users keys kmsg "
    "kpagecgroup kpagecount kpageflags latency_stats locks mdstat modules partitions "
    "sched_debug slabinfo swaps sysrq-trigger timer_list vmallocinfo"
)
_MASKED_FOLDERS = "acpi asound bus driver dynamic_debug fs irq pressure scsi tty"


def leave_host_table() -> None:
    """Give this process a mount table of its own, which still follows the host's unmounts."""
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount("none", "/", flags=MS_REC | MS_SLAVE)


def make_devices(folder: Path) -> None:
    """Mount the one /dev that all sandboxes get copies of; needs real root for the nodes."""
    folder.mkdir(parents=True, exist_ok=True)
    syscalls.mount("tmpfs", str(folder), "tmpfs", MS_NOSUID | MS_NOEXEC, "size=64k,mode=755")
    for name, (major, minor) in _DEVICES.items():
        os.mknod(folder / name, 0o20666, os.makedev(major, minor))
        os.chmod(folder / name, 0o666)
    for name, target in _DEVICE_LINKS.items():
        os.symlink(target, folder / name)


def detached(path: str, *, directory_fd: int = syscalls.AT_FDCWD, devices: bool = False) -> int:
    """A read-only copy of what is mounted at path, without setuid and (unless asked) devices."""
    copy = syscalls.open_tree(path, directory_fd=directory_fd)
    kind = syscalls.MOUNT_ATTR_NOEXEC if devices else syscalls.MOUNT_ATTR_NODEV
    syscalls.mount_setattr(copy, syscalls.MOUNT_ATTR_RDONLY | syscalls.MOUNT_ATTR_NOSUID | kind)
    return copy


def enter_stage(devices_fd: int) -> None:
    """Child: leave the host's tree for an empty one with /dev and a masked /proc.

    Done while the child waits for its function. From here on it holds nothing of the host, so a
    waiting child never keeps another sandbox's mounts alive.
    """
    syscalls.mount("none", "/", flags=MS_REC | MS_PRIVATE)
    syscalls.mount("tmpfs", STAGE, "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=755")
    os.chdir(STAGE)
    for name in ("root", "dev", "proc"):
        os.mkdir(name)
    syscalls.move_mount(devices_fd, "dev")
    os.close(devices_fd)
    # The kernel lets a user namespace mount proc only while the host's own is in sight.
    syscalls.mount("proc", "proc", "proc", _NO_PRIVILEGE, "hidepid=invisible")
    _mask_proc()
    _swap_root()


def enter_template(image_fd: int, runtime_fd: int, recipe_fd: int, devices_fd: int) -> None:
    """Template: make the image the root, with what the births of sandboxes need besides.

    That is /dev, /proc in full (see enter_stage), the recipe's own code and a place for the stage.
    """
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount("none", "/", flags=MS_REC | MS_PRIVATE)
    syscalls.mount("tmpfs", STAGE, "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=755")
    os.chdir(STAGE)
    os.mkdir("root")
    syscalls.move_mount(image_fd, "root")
    syscalls.move_mount(runtime_fd, f"root{RUNTIME}")
    syscalls.move_mount(devices_fd, "root/dev")
    syscalls.mount("proc", "root/proc", "proc", _NO_PRIVILEGE)
    syscalls.mount("tmpfs", "root/run", "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=755")
    for path in (STAGE, f"{RECIPE}/sandbox"):
        os.makedirs(f"root{path}")
    syscalls.move_mount(recipe_fd, f"root{RECIPE}/sandbox")
    os.chdir("root")
    _swap_root()


def _mask_proc() -> None:
    for name in _MASKED_FILES.split():
        if os.path.exists(f"proc/{name}"):
            syscalls.mount("dev/null", f"proc/{name}", flags=MS_BIND)
    # One empty folder over all of them: a file system for each would cost every birth and end.
    empty = ""
    for name in _MASKED_FOLDERS.split():
        if not os.path.isdir(f"proc/{name}"):
            continue
        if empty:
            syscalls.mount(empty, f"proc/{name}", flags=MS_BIND)
        else:
            empty, options = f"proc/{name}", "size=0,nr_inodes=2"
            syscalls.mount("tmpfs", empty, "tmpfs", MS_RDONLY | _NO_PRIVILEGE, options)
    syscalls.mount("proc/sys", "proc/sys", flags=MS_BIND)
    remount = MS_BIND | MS_REMOUNT | MS_RDONLY | _NO_PRIVILEGE
    syscalls.mount("none", "proc/sys", flags=remount)


def enter_root(image_fd: int, attachments: Sequence[tuple[int, str]]) -> None:
    """Child: attach the image and what belongs into it, and make it the root."""
    syscalls.move_mount(image_fd, "root")
    attach(attachments, root="root")
    for name in ("dev", "proc"):
        syscalls.mount(name, f"root/{name}", flags=MS_MOVE)
    os.chdir("root")
    _swap_root()


def attach(attachments: Sequence[tuple[int, str]], root: str = "") -> None:
    """Child: put detached mounts in their places."""
    for mount_fd, target in attachments:
        syscalls.move_mount(mount_fd, f"{root}{target}")


def _swap_root() -> None:
    """Make the current directory the root; the old root goes with all that was below it."""
    syscalls.pivot_root(".", ".")
    syscalls.umount(".", MNT_DETACH)
    os.chdir("/")
