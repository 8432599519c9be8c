"""Kernel calls that Python does not offer: one function per call, errors as OSError.

The only module with ctypes. Constants carry the names of the kernel headers they come from
(linux/sched.h, linux/mount.h, linux/prctl.h, linux/landlock.h, linux/seccomp.h, linux/loop.h).
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct

CLONE_NEWTIME = 0x00000080
CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
CLONE_PIDFD = 0x1000
CLONE_PARENT = 0x8000
CLONE_CLEAR_SIGHAND = 0x1_0000_0000
CLONE_INTO_CGROUP = 0x2_0000_0000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_MOVE = 8192
MS_REC = 16384
MS_PRIVATE = 1 << 18
MS_SLAVE = 1 << 19
MNT_DETACH = 2

MOUNT_ATTR_RDONLY = 1
MOUNT_ATTR_NOSUID = 2
MOUNT_ATTR_NODEV = 4
MOUNT_ATTR_NOEXEC = 8

AT_FDCWD = -100
AT_EMPTY_PATH = 0x1000
AT_RECURSIVE = 0x8000
_AT_SYMLINK_NOFOLLOW = 0x100
_OPEN_TREE_CLONE = 1
_MOVE_MOUNT_F_EMPTY_PATH = 4
_FSOPEN_CLOEXEC = 1
_FSMOUNT_CLOEXEC = 1
_FSCONFIG_SET_FLAG = 0
_FSCONFIG_SET_STRING = 1
_FSCONFIG_CMD_CREATE = 6

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_NO_SYMLINKS = 0x04
RESOLVE_BENEATH = 0x08

_LANDLOCK_CREATE_RULESET_VERSION = 1
_LANDLOCK_RULE_PATH_BENEATH = 1
_SECCOMP_SET_MODE_FILTER = 1
_KEYCTL_JOIN_SESSION_KEYRING = 1
_LINUX_CAPABILITY_VERSION_3 = 0x20080522
_SIGCHLD = 17
_SMALL_MALLOC_BYTES = 1032
_MALLOC_STEP_BYTES = 16

# Calls since 5.x have the same number everywhere; these older ones differ (asm/unistd.h).
_OLD_NUMBERS = {
    "x86_64": {"pivot_root": 155, "keyctl": 250, "seccomp": 317},
    "aarch64": {"pivot_root": 41, "keyctl": 219, "seccomp": 277},
}
_NUMBERS = {
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "clone3": 435,
    "close_range": 436,
    "openat2": 437,
    "mount_setattr": 442,
    "landlock_create_ruleset": 444,
    "landlock_add_rule": 445,
    "landlock_restrict_self": 446,
    **_OLD_NUMBERS.get(platform.machine(), {}),
}

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_capset = _libc.capset
"""Looked up here: a waiting fork would copy the pages that it is looked up in."""
# clone3 makes a second interpreter: the GIL is kept across it, and CPython's own hooks run.
_python = ctypes.PyDLL(None, use_errno=True)
_python.syscall.restype = ctypes.c_long
for _hook in ("PyOS_BeforeFork", "PyOS_AfterFork_Parent", "PyOS_AfterFork_Child"):
    getattr(ctypes.pythonapi, _hook).restype = None


class _CloneArguments(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_uint64)
        for name in (
            "flags",
            "pidfd",
            "child_tid",
            "parent_tid",
            "exit_signal",
            "stack",
            "stack_size",
            "tls",
            "set_tid",
            "set_tid_size",
            "cgroup",
        )
    ]


class _FilterProgram(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


class _MallocInfo(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    ]


_Argument = int | bytes | None | ctypes.Structure
"""Bytes are what the kernel only reads: a buffer for them would make a type at every call."""


def _convert(argument: _Argument) -> object:
    if isinstance(argument, int):
        return ctypes.c_long(argument)
    if isinstance(argument, bytes):
        return ctypes.c_char_p(argument)
    if argument is None:
        return ctypes.c_void_p(None)
    return ctypes.byref(argument)


def _checked(result: int, name: str, what: str = "") -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}", what or None)
    return result


def _call(name: str, *arguments: _Argument, what: str = "") -> int:
    number = ctypes.c_long(_NUMBERS[name])
    return _checked(
        _libc.syscall(number, *(_convert(argument) for argument in arguments)), name, what
    )


def clone3(flags: int, cgroup_fd: int | None) -> tuple[int, int]:
    """Fork into new namespaces and a v2 cgroup; returns pid and pidfd, pid 0 in the child.

    Without a cgroup the child stays in the caller's.

    Only for a single-threaded process. With CLONE_PARENT the child is the caller's parent's.
    """
    pidfd = ctypes.c_int(-1)
    arguments = _CloneArguments(
        flags=flags
        | CLONE_PIDFD
        | CLONE_CLEAR_SIGHAND
        | (0 if cgroup_fd is None else CLONE_INTO_CGROUP),
        pidfd=ctypes.addressof(pidfd),
        # The kernel wants none where the parent is another's: the caller's own is taken.
        exit_signal=0 if flags & CLONE_PARENT else _SIGCHLD,
        cgroup=cgroup_fd or 0,
    )
    number, size = ctypes.c_long(_NUMBERS["clone3"]), ctypes.c_long(ctypes.sizeof(arguments))
    ctypes.pythonapi.PyOS_BeforeFork()
    pid = _python.syscall(number, ctypes.byref(arguments), size)
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
    else:
        ctypes.pythonapi.PyOS_AfterFork_Parent()
    return _checked(pid, "clone3"), pidfd.value


def unshare(flags: int) -> None:
    """Move into new namespaces."""
    _checked(_libc.unshare(ctypes.c_int(flags)), "unshare", hex(flags))


def setns(fd: int, flags: int) -> None:
    """Join the namespace behind a descriptor."""
    _checked(_libc.setns(ctypes.c_int(fd), ctypes.c_int(flags)), "setns")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """mount(2)."""
    result = _libc.mount(
        source.encode(),
        target.encode(),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        options.encode() or None,
    )
    _checked(result, "mount", f"{kind or source} on {target}")


def umount(target: str, flags: int = 0) -> None:
    """umount2(2)."""
    _checked(_libc.umount2(target.encode(), ctypes.c_int(flags)), "umount2", target)


def pivot_root(new: str, old: str) -> None:
    """pivot_root(2)."""
    _call("pivot_root", new.encode(), old.encode(), what=new)


def open_tree(path: str, *, directory_fd: int = AT_FDCWD, recursive: bool = False) -> int:
    """A detached copy of the mount at path; an empty path means directory_fd itself."""
    flags = _OPEN_TREE_CLONE | os.O_CLOEXEC | _AT_SYMLINK_NOFOLLOW
    flags |= AT_EMPTY_PATH if not path else 0
    flags |= AT_RECURSIVE if recursive else 0
    return _call("open_tree", directory_fd, path.encode(), flags, what=path)


def mount_setattr(mount_fd: int, attributes: int, *, recursive: bool = False) -> None:
    """Set MOUNT_ATTR_* on a detached mount."""
    flags = AT_EMPTY_PATH | (AT_RECURSIVE if recursive else 0)
    wanted = struct.pack("=QQQQ", attributes, 0, 0, 0)
    _call("mount_setattr", mount_fd, b"", flags, wanted, 32)


def move_mount(mount_fd: int, target: str) -> None:
    """Attach a detached mount."""
    _call(
        "move_mount",
        mount_fd,
        b"",
        AT_FDCWD,
        target.encode(),
        _MOVE_MOUNT_F_EMPTY_PATH,
        what=target,
    )


def new_mount(kind: str, options: dict[str, str], attributes: int) -> int:
    """Make a file system instance and a detached mount of it; an empty value sets a flag."""
    context = _call("fsopen", kind.encode(), _FSOPEN_CLOEXEC, what=kind)
    try:
        for key, value in options.items():
            command = _FSCONFIG_SET_STRING if value else _FSCONFIG_SET_FLAG
            argument = value.encode() if value else None
            _call("fsconfig", context, command, key.encode(), argument, 0, what=f"{kind} {key}")
        _call("fsconfig", context, _FSCONFIG_CMD_CREATE, None, None, 0, what=f"{kind} {options}")
        return _call("fsmount", context, _FSMOUNT_CLOEXEC, attributes, what=kind)
    finally:
        os.close(context)


def openat2(directory_fd: int, path: str, flags: int, resolve: int) -> int:
    """Open with limits on how the path may be resolved (RESOLVE_*)."""
    how = struct.pack("=QQQ", flags | os.O_CLOEXEC, 0, resolve)
    return _call("openat2", directory_fd, path.encode(), how, 24, what=path)


def close_from(first: int) -> None:
    """Close every descriptor from this one up."""
    _call("close_range", first, 0xFFFFFFFF, 0)


def prctl(option: int, value: int = 0) -> int:
    """prctl(2) with one argument."""
    result = _libc.prctl(
        ctypes.c_int(option),
        ctypes.c_ulong(value),
        ctypes.c_ulong(0),
        ctypes.c_ulong(0),
        ctypes.c_ulong(0),
    )
    return _checked(result, f"prctl {option}")


def clear_capabilities() -> None:
    """Empty the effective, permitted and inheritable sets."""
    header = struct.pack("=II", _LINUX_CAPABILITY_VERSION_3, 0)
    _checked(_capset(header, bytes(24)), "capset")


def use_up_gaps_of_malloc() -> None:
    """Take, for good, the memory that malloc has free between what is used.

    What it gives to a later fork then lies side by side, and not on a page here and there, each of
    which the fork would copy. Does nothing where the C library cannot say where its free end is.
    """
    describe = getattr(_libc, "mallinfo2", None)
    if describe is None:
        return
    describe.restype = _MallocInfo
    _libc.malloc.restype = _libc.sbrk.restype = ctypes.c_void_p
    free_end = _libc.sbrk(None) - describe().keepcost
    small = range(_SMALL_MALLOC_BYTES, 0, -_MALLOC_STEP_BYTES)
    for size in (*(_SMALL_MALLOC_BYTES << power for power in range(6, 0, -1)), *small):
        while (_libc.malloc(ctypes.c_size_t(size)) or free_end) < free_end:
            pass


def join_new_session_keyring() -> None:
    """Leave the inherited keyring for a fresh, anonymous one."""
    _call("keyctl", _KEYCTL_JOIN_SESSION_KEYRING, None)


def landlock_abi() -> int:
    """The Landlock version of this kernel; 0 when it has none."""
    try:
        return _call("landlock_create_ruleset", None, 0, _LANDLOCK_CREATE_RULESET_VERSION)
    except OSError:
        return 0


def landlock_create_ruleset(files: int, network: int, scoped: int, abi: int) -> int:
    """A ruleset's descriptor; fields that the ABI does not know are left out."""
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    attributes = struct.pack("=QQQ", files, network, scoped)
    return _call("landlock_create_ruleset", attributes, size, 0)


def landlock_allow_beneath(ruleset_fd: int, path_fd: int, access: int) -> None:
    """Allow access to everything beneath a path."""
    rule = struct.pack("=Qi", access, path_fd)
    _call("landlock_add_rule", ruleset_fd, _LANDLOCK_RULE_PATH_BENEATH, rule, 0)


def landlock_restrict_self(ruleset_fd: int) -> None:
    """Enter the domain, for good."""
    _call("landlock_restrict_self", ruleset_fd, 0)


def seccomp_filter(program: bytes) -> None:
    """Install a filter of 8-byte BPF instructions, for good."""
    _call("seccomp", _SECCOMP_SET_MODE_FILTER, 0, _FilterProgram(len(program) // 8, program))
