"""Attacks on the kernel itself: system calls that no function needs."""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os

from tests.host.attacks.kit import add, libc, probe, system_call

_NAMESPACES = {
    "mount": 0x20000,
    "cgroup": 0x2000000,
    "uts": 0x4000000,
    "ipc": 0x8000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "network": 0x40000000,
    "time": 0x80,
}
for _name, _flag in _NAMESPACES.items():
    add(
        f"unshare the {_name} namespace",
        lambda flag=_flag: system_call("unshare", flag),
        "EPERM",
        escapes=_name != "user",
    )
for _name in ("mount", "user", "pid", "network"):
    add(
        f"clone into a new {_name} namespace",
        lambda flag=_NAMESPACES[_name]: system_call("clone", flag | 17, 0, 0, 0, 0) or os._exit(0),
        "EPERM",
        escapes=_name != "user",
    )


def _refuse(name: str, *arguments: int | bytes | None, escapes: bool = False) -> None:
    """A call that is on the floor's list."""
    add(f"call {name}", lambda: system_call(name, *arguments), "EPERM", escapes=escapes)


# These lead out: mounts, roots, other namespaces, the machine itself.
_refuse("mount", b"x", b"/tmp", b"tmpfs", 0, None, escapes=True)
_refuse("umount2", b"/proc/sys", 2, escapes=True)
_refuse("pivot_root", b"/tmp", b"/tmp", escapes=True)
_refuse("chroot", b"/tmp", escapes=True)
_refuse("open_tree", -100, b"/tmp", 1, escapes=True)
_refuse("move_mount", -100, b"/tmp", -100, b"/opt", 0, escapes=True)
_refuse("fsopen", b"tmpfs", 0, escapes=True)
_refuse("fspick", -100, b"/tmp", 0, escapes=True)
_refuse("mount_setattr", -100, b"/usr", 0, bytes(32), 32, escapes=True)
_refuse("init_module", b"x", 1, b"", escapes=True)
_refuse("finit_module", 0, b"", 0, escapes=True)
_refuse("delete_module", b"loop", 0, escapes=True)
_refuse("kexec_load", 0, 0, None, 0, escapes=True)
_refuse("reboot", 0xFEE1DEAD, 0x28121969, 0x01234567, None, escapes=True)
_refuse("swapon", b"/tmp/x", 0, escapes=True)
_refuse("acct", b"/tmp/x", escapes=True)
_refuse("settimeofday", bytes(16), None, escapes=True)
_refuse("clock_settime", 0, bytes(16), escapes=True)
_refuse("sethostname", b"x", 1, escapes=True)
_refuse("iopl", 3, escapes=True)
_refuse("syslog", 3, bytes(64), 64, escapes=True)
# Doors to code that has had holes: only the filter closes these, by their nature.
_refuse("bpf", 0, None, 0)
_refuse("perf_event_open", bytes(128), 0, -1, -1, 0)
_refuse("userfaultfd", 1)
_refuse("io_uring_setup", 1, bytes(120))
_refuse("io_uring_enter", -1, 0, 0, 0, None, 0)
_refuse("keyctl", 0, -3, 1)
_refuse("add_key", b"user", b"x", b"x", 1, -3)
_refuse("request_key", b"user", b"x", None, 0)
_refuse("modify_ldt", 0, bytes(16), 16)
_refuse("personality", 0x0040000)
_refuse("seccomp", 1, 0, None)
_refuse("fanotify_init", 0, 0)
_refuse("quotactl", 0, None, 0, None)
_refuse("mbind", 0, 0, 0, None, 0, 0)
_refuse("set_mempolicy", 0, None, 0)
_refuse("move_pages", 0, 0, None, None, None, 0)
_refuse("migrate_pages", 0, 0, None, None)
_refuse("vmsplice", 1, None, 0, 0)
_refuse("remap_file_pages", 0, 0, 0, 0, 0)
_refuse("memfd_secret", 0)
_refuse("kcmp", 1, 1, 0, 0, 0)
_refuse("statmount", None, None, 0, 0)
_refuse("lsm_list_modules", None, None, 0)
_refuse("ustat", 0, None)
_refuse("vhangup")
_refuse("lookup_dcookie", 0, None, 0)
_refuse("sync")
for _name in [
    "io_setup",
    "mq_open",
    "msgget",
    "cachestat",
    "clone3",
    "setxattrat",
]:
    add(f"call {_name}", lambda name=_name: system_call(name, 0, 0, 0, 0, 0, 0), "ENOSYS")
for _name in ("splice", "tee"):
    add(f"call {_name}", lambda name=_name: system_call(name, 0, 0, 0, 0, 0, 0), "EINVAL")
for _number in (335, 400, 467, 500, 9999):
    # 335 returns from a user probe: kernels that have it let no filter see it, and end whoever
    # calls it from anywhere else.
    _outcomes = ("ENOSYS", "SIGILL") if _number == 335 else ("ENOSYS",)
    add(f"call number {_number}", lambda number=_number: system_call(number), *_outcomes)
for _name, _more in {"mount": 0x20000, "network": 0x40000000, "pid": 0x20000000}.items():
    add(
        f"be root in a new user and {_name} namespace",
        lambda more=_more: system_call("unshare", 0x10000000 | more),
        "EPERM",
    )


@probe("EPERM", escapes=True)
def mount_as_root_of_a_new_namespace() -> None:
    """The way of most escapes: power over a namespace of one's own, used on the file tree."""
    _become_root_of_a_new_namespace()
    system_call("mount", b"x", b"/tmp", b"tmpfs", 0, None)


@probe("EPERM", escapes=True)
def remount_writable_as_root_of_a_new_namespace() -> None:
    _become_root_of_a_new_namespace()
    system_call("mount", b"none", b"/tmp", None, 4096 | 32, None)


@probe("EPERM", escapes=True)
def bind_over_a_mask_as_root_of_a_new_namespace() -> None:
    _become_root_of_a_new_namespace()
    system_call("mount", b"/tmp", b"/opt", None, 4096, None)


@probe("EPERM", escapes=True)
def copy_the_tree_as_root_of_a_new_namespace() -> None:
    _become_root_of_a_new_namespace()
    fd = system_call("open_tree", -100, b"/tmp", 1)
    system_call("move_mount", fd, b"", -100, b"/opt", 4)


@probe("EPERM", escapes=True)
def change_the_root_as_root_of_a_new_namespace() -> None:
    _become_root_of_a_new_namespace()
    system_call("pivot_root", b"/tmp", b"/tmp")


def _become_root_of_a_new_namespace() -> None:
    system_call("unshare", 0x10000000 | 0x20000)


@probe("EPERM", escapes=True)
def join_the_namespaces_of_pid_1() -> None:
    system_call("setns", os.pidfd_open(1), 0x20000)


@probe("SIGSYS")
def call_through_the_32_bit_gate() -> None:
    """getpid as machine code: mov eax, 20; int 0x80; ret."""
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    ctypes.CFUNCTYPE(ctypes.c_int)(address)()


@probe("SIGSYS")
def call_as_x32() -> None:
    system_call(0x40000000 + 39)


@probe("SIGSYS")
def call_number_minus_one() -> None:
    system_call(-1)


@probe("EPERM")
def filter_system_calls_by_prctl() -> None:
    _prctl(22, 2)


@probe("EPERM")
def forge_the_memory_map() -> None:
    _prctl(35, 1)


@probe("EPERM")
def schedule_with_a_neighbour() -> None:
    _prctl(62, 0)


@probe("EPERM", escapes=True)
def type_into_a_terminal() -> None:
    fcntl.ioctl(0, 0x5412, b"x")


@probe("EPERM")
def change_a_line_discipline() -> None:
    fcntl.ioctl(0, 0x5423, b"\0\0\0\0")


@probe("EPERM", "EINVAL", escapes=True)
def regain_a_capability() -> None:
    header = ctypes.create_string_buffer(b"\x22\x05\x08\x20\0\0\0\0", 8)
    sets = ctypes.create_string_buffer(b"\xff" * 12, 24)
    if libc.capset(header, sets) < 0:
        raise OSError(ctypes.get_errno(), "")


@probe("EPERM", escapes=True)
def raise_an_ambient_capability() -> None:
    _prctl(47, 2, 21)


def _prctl(*arguments: int) -> None:
    words = [*arguments, *[0] * (5 - len(arguments))]
    system_call("prctl", *words)
