"""Attacks on files: other people's, the system's own, devices, masks, programs with privilege."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess

from tests.host.attacks.kit import add, probe, read, system_call, write_to

for _path in ("/etc/shadow", "/etc/sudoers", "/etc/ssh/sshd_config", "/var/log/syslog"):
    add(f"read {_path}", lambda path=_path: read(path), "ENOENT", "EACCES", escapes=True)
for _path in ("/sys", "/run/emberd", "/home", "/var/lib", "/mnt", "/boot", "/dev/shm", "/dev/pts"):
    add(f"list {_path}", lambda path=_path: os.listdir(path), "ENOENT", [], escapes=True)
add("list /root", lambda: os.listdir("/root"), [], "EACCES", escapes=True)
for _path in [
    "/x",
    "/usr/x",
    "/usr/bin/x",
    "/lib/x",
    "/etc/x",
    "/etc/passwd",
    "/etc/resolv.conf",
    "/etc/ld.so.preload",
    "/opt/x",
    "/var/task/x",
    "/var/task/main.py",
    "/var/runtime/x",
    "/var/runtime/bootstrap.py",
    "/var/lang/bin/x",
    "/var/x",
    "/run/x",
    "/dev/x",
    "/proc/x",
]:
    # /proc has no file to make, which it says before anybody asks whether one may.
    _outcomes = ("ENOENT", "EACCES") if _path == "/proc/x" else ("EROFS", "EACCES")
    add(f"write {_path}", lambda path=_path: write_to(path), *_outcomes, escapes=True)
for _path in [
    "kernel/core_pattern",
    "kernel/modprobe",
    "kernel/hostname",
    "kernel/panic",
    "kernel/randomize_va_space",
    "vm/drop_caches",
    "fs/suid_dumpable",
    "net/ipv4/ip_forward",
    "fs/binfmt_misc/register",
]:
    add(
        f"write sysctl {_path}",
        lambda path=_path: write_to(f"/proc/sys/{path}"),
        *("EROFS", "EACCES", "ENOENT"),
        escapes=True,
    )
for _name in [
    "kcore",
    "kmsg",
    "kallsyms",
    "keys",
    "timer_list",
    "slabinfo",
    "vmallocinfo",
    "cmdline",
    "modules",
]:
    add(f"read /proc/{_name}", lambda name=_name: read(f"/proc/{name}", 64), "", "ENOENT", "EACCES")
for _name in ["acpi", "bus", "fs", "irq", "scsi", "tty", "driver"]:
    add(f"list /proc/{_name}", lambda name=_name: os.listdir(f"/proc/{name}"), [], "ENOENT")


@probe("", "ENOENT", "EACCES", escapes=True)
def press_sysrq() -> object:
    """The mask swallows what is written, and gives nothing back."""
    write_to("/proc/sysrq-trigger")
    return read("/proc/sysrq-trigger")


@probe("EPERM", "EACCES", escapes=True)
def make_the_disk() -> None:
    os.mknod("/tmp/disk", 0o60600, os.makedev(254, 0))


@probe("EPERM", "EACCES", escapes=True)
def make_kernel_memory() -> None:
    os.mknod("/tmp/mem", 0o20600, os.makedev(1, 1))


@probe("EPERM", "EACCES", "EROFS", escapes=True)
def make_a_device_in_dev() -> None:
    os.mknod("/dev/fuse", 0o20600, os.makedev(10, 229))


@probe("ENOENT", "EACCES", escapes=True)
def open_a_loop_device() -> None:
    os.open("/dev/loop-control", os.O_RDWR)


@probe("ENOENT", "EACCES", escapes=True)
def open_the_virtual_machine_device() -> None:
    os.open("/dev/kvm", os.O_RDWR)


@probe("EACCES", "ENOENT", escapes=True)
def see_the_host_through_pid_1() -> object:
    return os.listdir("/proc/1/root")


@probe("EACCES", "ENOENT", escapes=True)
def work_in_the_folder_of_pid_1() -> object:
    return os.listdir("/proc/1/cwd")


@probe(True, escapes=True)
def climb_out_of_the_root() -> object:
    """Dots lead nowhere: the root is its own parent."""
    return os.path.samefile("/" + "../" * 40, "/") and os.listdir("/../../..") == os.listdir("/")


@probe(True, escapes=True)
def climb_out_by_ones_own_folder() -> object:
    return os.path.samefile("/proc/self/cwd/../../../..", "/")


@probe(True, escapes=True)
def climb_out_by_a_link() -> object:
    os.symlink("/proc/self/root/../../etc/hostname", "/tmp/out")
    return not os.path.exists("/tmp/out") or read("/tmp/out") == read("/etc/hostname")


@probe("EPERM", "EXDEV", "EACCES", escapes=True)
def link_a_program_into_tmp() -> None:
    os.link("/usr/bin/id", "/tmp/linked")


@probe("993", escapes=True)
def run_a_setuid_copy() -> object:
    """A setuid copy of a program in /tmp gains nothing: who does it run as?"""
    shutil.copyfile("/usr/bin/id", "/tmp/id")
    os.chmod("/tmp/id", 0o4755)
    return subprocess.run(["/tmp/id", "-u"], capture_output=True, text=True).stdout.strip()


@probe("EPERM", escapes=True)
def give_a_file_to_root() -> None:
    write_to("/tmp/mine")
    os.chown("/tmp/mine", 0, 0)


@probe("EPERM", "EACCES", "EINVAL", escapes=True)
def give_a_program_capabilities() -> None:
    shutil.copyfile("/usr/bin/id", "/tmp/capable")
    value = b"\x01\x00\x00\x02" + b"\xff\xff\xff\xff" * 4
    os.setxattr("/tmp/capable", "security.capability", value)


@probe("EPERM", "EACCES", "EOPNOTSUPP", escapes=True)
def set_a_trusted_attribute() -> None:
    write_to("/tmp/trusted")
    os.setxattr("/tmp/trusted", "trusted.x", b"1")


@probe("ENOTTY", "EPERM", "EACCES", "EOPNOTSUPP")
def make_a_file_immutable() -> None:
    write_to("/tmp/immutable")
    with open("/tmp/immutable", "rb") as file:
        fcntl.ioctl(file, 0x40086602, b"\x10\0\0\0\0\0\0\0")


@probe("EPERM", "ETXTBSY", "EROFS", "EACCES", "ENOENT", escapes=True)
def overwrite_the_running_program() -> None:
    """CVE-2019-5736."""
    write_to("/proc/self/exe")


@probe("EPERM", "ETXTBSY", "EROFS", "EACCES", "ENOENT", escapes=True)
def overwrite_the_program_of_pid_1() -> None:
    write_to("/proc/1/exe")


@probe("EPERM", "EACCES", "EROFS", escapes=True)
def raise_ones_own_chance_to_survive() -> None:
    write_to("/proc/self/oom_score_adj", "-1000")


@probe("EPERM", "EACCES", "EROFS", escapes=True)
def be_spared_as_whoever_gave_birth_is() -> None:
    write_to("/proc/self/oom_score_adj", "-900")


@probe("EPERM", "EACCES", "EROFS", escapes=True)
def write_ones_own_uid_map() -> None:
    write_to("/proc/self/uid_map", "0 0 1")


@probe("EPERM", "EACCES", "EROFS", "ENOENT", escapes=True)
def write_ones_own_time_offsets() -> None:
    write_to("/proc/self/timens_offsets", "monotonic 1000 0")


@probe("ENOENT", "EACCES", "EPERM", "EROFS", escapes=True)
def leave_ones_cgroup() -> None:
    write_to("/sys/fs/cgroup/cgroup.procs", "0")


@probe("EPERM", escapes=True)
def open_a_file_by_its_handle() -> None:
    """Handles lead past every mount; the shocker attack."""
    system_call("open_by_handle_at", -100, b"\x08\0\0\0\x01\0\0\0" + b"\x02" + b"\0" * 7, 0)


@probe("allowed")
def write_tmp() -> None:
    write_to("/tmp/x")


@probe("allowed")
def make_a_named_pipe() -> None:
    os.mkfifo("/tmp/pipe")


@probe("bin dev etc home lib lib64 opt proc root run sbin tmp usr var")
def list_the_root() -> object:
    return " ".join(sorted(os.listdir("/")))
