"""Runs inside a sandbox: tries what must be refused and prints how each attempt ended, as JSON.

Standard library only. An outcome is the name of an errno, "allowed", or what the probe returned.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import signal
import socket

libc = ctypes.CDLL(None, use_errno=True)
OUTCOMES: dict[str, object] = {}


def attempt(name, function):
    try:
        result = function()
    except OSError as error:
        OUTCOMES[name] = errno.errorcode.get(error.errno, str(error.errno))
    else:
        OUTCOMES[name] = "allowed" if result is None else result


def call(function, *arguments):
    """A libc function or, for a number, a bare system call; raises what it failed with."""
    if isinstance(function, int):
        arguments, function = (ctypes.c_long(function), *arguments), libc.syscall
    if function(*arguments) < 0:
        raise OSError(ctypes.get_errno(), "")


def in_child(function):
    """How a child that runs function ends: its exit status, or minus its signal."""
    pid = os.fork()
    if pid == 0:
        try:
            function()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def write_to(path):
    with open(path, "w") as file:
        file.write("x")


def read(path, size=-1):
    with open(path, "rb") as file:
        return file.read(size).decode(errors="replace")


def open_socket(*arguments):
    socket.socket(*arguments).close()


def foreign_call():
    """getpid through the 32-bit gate, as machine code: mov eax, 20; int 0x80; ret."""
    import mmap

    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    ctypes.CFUNCTYPE(ctypes.c_int)(address)()


def x32_call():
    libc.syscall(ctypes.c_long(0x40000000 + 39))


def setuid_program():
    """A setuid copy of a program in /tmp gains nothing: who does it run as?"""
    import shutil
    import subprocess

    shutil.copyfile("/usr/bin/id", "/tmp/id")
    os.chmod("/tmp/id", 0o4755)
    return subprocess.run(["/tmp/id", "-u"], capture_output=True, text=True).stdout.strip()


def visible_pids():
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != 1)


def status_of(field):
    with open("/proc/self/status") as file:
        return next(line.split(":")[1].strip() for line in file if line.startswith(field + ":"))


def open_descriptors():
    found = {}
    for name in os.listdir("/proc/self/fd"):
        # The descriptor of the listing itself is gone by now.
        with contextlib.suppress(OSError):
            found[name] = os.readlink(f"/proc/self/fd/{name}").split(":")[0]
    return found


attempt("descriptors", open_descriptors)

# files
attempt("read shadow", lambda: read("/etc/shadow"))
attempt("list root's home", lambda: os.listdir("/root") and None)
attempt("see the host through pid 1", lambda: os.listdir("/proc/1/root"))
attempt("write the code", lambda: write_to("/var/task/x"))
attempt("write the root", lambda: write_to("/x"))
attempt("write the runtime", lambda: write_to("/var/runtime/x"))
attempt("write the interpreter", lambda: write_to("/var/lang/bin/x"))
attempt("write to /dev", lambda: write_to("/dev/x"))
attempt("write /tmp", lambda: write_to("/tmp/x"))
attempt("make a device", lambda: os.mknod("/tmp/disk", 0o60600, os.makedev(254, 0)))
attempt("write a sysctl", lambda: write_to("/proc/sys/kernel/core_pattern"))
attempt("press sysrq", lambda: write_to("/proc/sysrq-trigger") or read("/proc/sysrq-trigger"))
attempt("read kernel memory", lambda: len(read("/proc/kcore", 64)))
attempt("look for sysfs", lambda: os.listdir("/sys"))
attempt("list the root", lambda: " ".join(sorted(os.listdir("/"))))
attempt("setuid program", setuid_program)

# kernel doors
attempt("mount", lambda: call(libc.mount, b"x", b"/tmp", b"tmpfs", 0, None))
attempt("unmount a mask", lambda: call(libc.umount2, b"/proc/kcore", 2))
attempt("chroot", lambda: os.chroot("/tmp"))
attempt("ptrace", lambda: call(libc.ptrace, 16, 1, 0, 0))
attempt("unshare a user namespace", lambda: call(libc.unshare, 0x10000000))
attempt("unshare a network", lambda: call(libc.unshare, 0x40000000))
attempt("join pid 1's namespaces", lambda: call(libc.setns, os.pidfd_open(1), 0x20000))
attempt("clone3", lambda: call(435, None, ctypes.c_long(0)))
attempt("open_tree", lambda: call(428, ctypes.c_long(-100), b"/", ctypes.c_long(1)))
attempt("fsopen", lambda: call(430, b"tmpfs", ctypes.c_long(0)))
attempt("io_uring", lambda: call(425, ctypes.c_long(1), None))
attempt("bpf", lambda: call(321, ctypes.c_long(0), None, ctypes.c_long(0)))
attempt("userfaultfd", lambda: call(323, ctypes.c_long(0)))
attempt("perf events", lambda: call(298, None, *[ctypes.c_long(0)] * 4))
attempt("keyrings", lambda: call(250, ctypes.c_long(0), ctypes.c_long(-3), ctypes.c_long(0)))
attempt("another seccomp filter", lambda: call(317, ctypes.c_long(1), ctypes.c_long(0), None))
attempt("an unknown call", lambda: call(9999))
attempt("32-bit calls", lambda: in_child(foreign_call))
attempt("x32 calls", lambda: in_child(x32_call))
attempt("setuid", lambda: os.setuid(0))
attempt("setgroups", lambda: os.setgroups([0]))
attempt("change the host name", lambda: socket.sethostname("x"))
attempt("raise nice", lambda: os.nice(-5))
attempt("real-time scheduling", lambda: os.sched_setscheduler(0, 1, os.sched_param(1)))

# sockets
attempt("raw socket", lambda: open_socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
attempt("packet socket", lambda: open_socket(socket.AF_PACKET, socket.SOCK_RAW))
attempt("vsock", lambda: open_socket(40, socket.SOCK_STREAM))
attempt("kernel crypto", lambda: open_socket(38, socket.SOCK_SEQPACKET))
attempt("netlink xfrm", lambda: open_socket(16, socket.SOCK_RAW, 6))
attempt("netlink route", lambda: open_socket(16, socket.SOCK_RAW, 0))
attempt("tcp socket", lambda: open_socket(socket.AF_INET, socket.SOCK_STREAM))
attempt("metadata service", lambda: socket.create_connection(("169.254.169.254", 80), 2))
attempt("the internet", lambda: socket.create_connection(("192.0.2.1", 80), 2))

# other processes
attempt("other pids", lambda: len(visible_pids()))
attempt("kill pid 1", lambda: os.kill(1, signal.SIGKILL) or "ignored")
attempt("read pid 1's memory", lambda: read("/proc/1/mem", 1))
attempt("read pid 1's environment", lambda: read("/proc/1/environ"))

# who we are
for field in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb", "NoNewPrivs", "Seccomp"):
    attempt(field, lambda field=field: status_of(field))
attempt("ids", lambda: [os.getuid(), os.getgid(), os.getgroups()])
attempt(
    "cgroups",
    lambda: sorted({line.split(":")[2] for line in read("/proc/self/cgroup").split()}),
)
attempt("folder", os.getcwd)
attempt("environment", lambda: dict(os.environ))
print(json.dumps(OUTCOMES), flush=True)
signal.pause()
