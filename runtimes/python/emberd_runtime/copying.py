"""A function template's side of being copied, and a copy's way behind its own walls.

The platform sends descriptors of a world that is made: namespaces, mounts, network, log. A fork
enters them, which only this function's user may, gives up all that entering gave it, and puts
Landlock and the ordinary system call filter on itself. The platform looks at it from outside before
it lets it go on; a fork that skips something never runs an event.

Imported only where a function is initialised once and copied; ctypes for what os does not offer.
"""

from __future__ import annotations

import base64
import ctypes
import gc
import json
import os
import platform
import struct
import sys
from _socket import AF_UNIX, CMSG_SPACE, SCM_RIGHTS, SOCK_SEQPACKET, SOL_SOCKET
from _socket import socket as Socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FORK_SERVER_FD = 3
_FAILED, _NOBODY_ASKS = 127, 1
"""Exit statuses of a fork that became no copy."""
_REQUEST_BYTES_MAX = 512 * 1024
_DESCRIPTORS_MAX = 16

_PR_SET_PDEATHSIG, _SIGKILL = 1, 9
_PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_CAP_AMBIENT, _CLEAR_ALL = 4, 24, 47, 4
_CAPABILITY_VERSION_3 = 0x20080522
_CAPABILITIES = 64
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SET_MODE_FILTER = 1
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_PATH_BENEATH = 1

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


class Request:
    """One copy that is asked for."""

    def __init__(self, text: bytes, fds: list[int]) -> None:
        told = json.loads(text)
        self.control_fd, self.log_fd, *self.namespaces = fds
        self.filter = base64.b64decode(told["seccomp"])
        self.landlock: dict[str, object] | None = told["landlock"]


def serve(leave: Callable[[], None]) -> Mapping[str, str]:
    """Fork for every request. Returns in a copy that is locked in: with its variables.

    Args:
        leave: What a copy does first: let go of what is its template's.
    """
    server = Socket(AF_UNIX, SOCK_SEQPACKET, 0, FORK_SERVER_FD)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    # Copies share these pages as long as nobody writes them.
    gc.collect()
    gc.freeze()
    while True:
        # It waits for the next request itself: the first fork is done by then.
        pid = os.fork()
        if pid == 0:
            # While it waits it ends with its template; entering a user namespace clears that.
            _prctl(_PR_SET_PDEATHSIG, _SIGKILL)
            return _become_copy(_receive(server), server, leave)
        _, status = os.waitpid(pid, 0)
        # It only opens the way; the copy is its child.
        if os.waitstatus_to_exitcode(status) not in (0, _FAILED):
            os._exit(0)


def _receive(server: Socket) -> Request:
    size = CMSG_SPACE(4 * _DESCRIPTORS_MAX)
    text, ancillary, _, _ = server.recvmsg(_REQUEST_BYTES_MAX, size)
    if not text:
        os._exit(_NOBODY_ASKS)
    fds: list[int] = []
    for level, kind, data in ancillary:
        if level == SOL_SOCKET and kind == SCM_RIGHTS:
            fds.extend(struct.unpack(f"={len(data) // 4}i", data))
    return Request(text, fds)


def _become_copy(request: Request, server: Socket, leave: Callable[[], None]) -> Mapping[str, str]:
    control = Socket(AF_UNIX, SOCK_SEQPACKET, 0, request.control_fd)
    try:
        for fd in request.namespaces:
            _enter(fd)
            os.close(fd)
        # The pid namespace holds for children only.
        if os.fork():
            os._exit(0)
        server.close()
        leave()
        _take_place(request.log_fd)
        _lock_in(request)
        control.send(b"ready")
        # Its variables come when it is asked for, which may be long after it was made.
        admitted = control.recv(_REQUEST_BYTES_MAX)
    except BaseException as error:
        # Whatever it is, nothing must return into the template's code from here.
        control.send(f"failed: {error}".encode("utf-8", "replace")[:4096] or b"failed")
        os._exit(_FAILED)
    control.close()
    if not admitted:
        os._exit(0)
    variables: dict[str, str] = json.loads(admitted)
    os.environ.clear()
    os.environ.update(variables)
    return variables


def _enter(namespace_fd: int) -> None:
    _checked(_libc.setns(ctypes.c_int(namespace_fd), ctypes.c_int(0)), "setns")


def _take_place(log_fd: int) -> None:
    os.setsid()
    os.dup2(log_fd, 1)
    os.dup2(log_fd, 2)
    os.close(log_fd)
    os.chdir(os.environ.get("LAMBDA_TASK_ROOT", "/var/task"))


def _lock_in(request: Request) -> None:
    """Each closes the door behind it."""
    ruleset = _landlock_ruleset(request.landlock)
    _prctl(_PR_CAP_AMBIENT, _CLEAR_ALL)
    for number in range(_CAPABILITIES):
        if _libc.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(number), 0, 0, 0) != 0:
            break  # the kernel has no more
    header = ctypes.create_string_buffer(struct.pack("=II", _CAPABILITY_VERSION_3, 0), 8)
    _checked(_libc.capset(header, ctypes.create_string_buffer(24)), "capset")
    if ruleset is not None:
        _call(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint(0))
        os.close(ruleset)
    if request.filter:
        _filter(request.filter)
    # Entering a user namespace has hidden /proc/self from us.
    _prctl(_PR_SET_DUMPABLE, 1)


def _landlock_ruleset(wanted: dict[str, object] | None) -> int | None:
    """The rules, while the paths can still be opened."""
    if wanted is None:
        return None
    abi, rules = wanted["abi"], wanted["rules"]
    assert isinstance(abi, int)
    assert isinstance(rules, list)
    attributes = struct.pack("=QQQ", wanted["handled"], 0, wanted["scoped"])
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    text = ctypes.create_string_buffer(attributes, 24)
    ruleset = _call(_CREATE_RULESET, text, ctypes.c_size_t(size), ctypes.c_uint(0))
    for path, access in rules:
        path_fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = ctypes.create_string_buffer(struct.pack("=Qi", access, path_fd), 12)
        _call(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint(0))
        os.close(path_fd)
    return ruleset


class _FilterProgram(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def _filter(instructions: bytes) -> None:
    program = _FilterProgram(len(instructions) // 8, instructions)
    number = _SECCOMP[platform.machine()]
    _call(number, ctypes.c_uint(_SET_MODE_FILTER), ctypes.c_uint(0), ctypes.byref(program))


def _prctl(option: int, value: int) -> None:
    result = _libc.prctl(ctypes.c_int(option), ctypes.c_ulong(value), 0, 0, 0)
    _checked(result, f"prctl {option}")


def _call(number: int, *arguments: object) -> int:
    return _checked(_libc.syscall(ctypes.c_long(number), *arguments), f"call {number}")


def _checked(result: int, name: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result
