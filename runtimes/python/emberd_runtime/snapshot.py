"""SnapStart: init runs once, then this process is copied, and every copy goes on from here.

    template   before-hooks, may it be copied at all, /restore/next, a fork for every copy
    copy       fresh randomness, its own variables and connection, after-hooks, then events

The hooks are those of Lambda's snapshot_restore_py, where the package brings it: before-hooks run
last registered first, after-hooks in the order of their registration. What cannot be copied safely
says why, and its revision's sandboxes start without a snapshot.
"""

from __future__ import annotations

import os
import stat
import sys

from . import copying
from .api import RuntimeApi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .marshal import Marshaller

    Hook = tuple[Callable[..., object], tuple[object, ...], dict[str, object]]

_READ_ONLY = ("/var/", "/opt/", "/usr/", "/lib", "/bin/", "/etc/")
"""Where what is open is there in every copy too."""
_ANONYMOUS = 0
"""The kind of epoll's, timers' and other descriptors without a file."""

_BEFORE_ERROR, _AFTER_ERROR = "Runtime.BeforeSnapshotError", "Runtime.AfterRestoreError"
_BEFORE_STATUS, _AFTER_STATUS = 64, 65
"""Exit statuses of a runtime whose hook failed, as Lambda's has them."""


def wait_to_be_copied(api: RuntimeApi, marshaller: Marshaller) -> RuntimeApi:
    """Returns in a copy that is restored, with its own Runtime API; never in the template."""
    try:
        _run(reversed(_hooks("_before_snapshot_registry")))
    except Exception as error:
        _report(api.init_failed, marshaller, error, _BEFORE_ERROR)
        sys.exit(_BEFORE_STATUS)
    reason = why_not()
    if reason:
        api.refuse_snapshot(reason)
    else:
        api.await_restore()
    copying.serve(api.close)
    open_anew()
    draw_afresh()
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        _run(_hooks("_after_restore_registry"))
    except Exception as error:
        _report(api.restore_failed, marshaller, error, _AFTER_ERROR)
        sys.exit(_AFTER_STATUS)
    return api


def why_not() -> str:
    """Why this process cannot be copied; empty when it can."""
    if _trial_fork():
        names = ", ".join(_other_threads())
        return f"threads run beside the main one ({names}): a copy would lack them"
    if _has_children():
        return "it has started processes, which no copy would have"
    kinds = [stat.S_IFMT(kind) for _, kind in _open_files()]
    sockets = kinds.count(stat.S_IFSOCK)
    if sockets:
        return f"it has {sockets} open sockets, which all copies would share"
    queues = kinds.count(stat.S_IFIFO) + kinds.count(_ANONYMOUS)
    if queues:
        return f"it has {queues} open pipes or event queues, which all copies would share"
    for _, path in _regular_files():
        if not path.startswith(_READ_ONLY):
            return f"it has {path} open, which no copy could open again"
    left = os.listdir("/tmp")
    if left:
        return f"its init has left {len(left)} files in /tmp, which no copy would have"
    return ""


def open_anew() -> None:
    """No two copies share the position in an open file."""
    for fd, path in _regular_files():
        position = os.lseek(fd, 0, os.SEEK_CUR)
        fresh = os.open(path, os.O_RDONLY)
        os.lseek(fresh, position, os.SEEK_SET)
        os.dup2(fresh, fd, inheritable=os.get_inheritable(fd))
        os.close(fresh)


def draw_afresh() -> None:
    """No two copies draw the same. What draws from the kernel does so anyway."""
    modules = sys.modules
    seed = os.urandom(64)
    if "random" in modules:
        modules["random"].seed(seed)
    if "_ssl" in modules:
        modules["_ssl"].RAND_add(seed, float(len(seed)))
    if "numpy.random" in modules:
        modules["numpy.random"].seed(list(seed))
    if "uuid" in modules:
        # The system's library goes on with the sequence that it drew in the template: two copies
        # in the same microsecond would get the same. Python's own draws one for every UUID.
        modules["uuid"]._generate_time_safe = None  # type: ignore[attr-defined]
        multicast = 1 << 40
        modules["uuid"]._node = int.from_bytes(seed[:6], "big") | multicast  # type: ignore[attr-defined]


def _trial_fork() -> bool:
    """Whether threads are left after a fork: some libraries end theirs for it."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return len(os.listdir("/proc/self/task")) > 1


def _other_threads() -> list[str]:
    threading = sys.modules.get("threading")
    if threading is not None:
        names = [each.name for each in threading.enumerate() if each.name != "MainThread"]
        if names:
            return names
    found = []
    for thread in os.listdir("/proc/self/task"):
        if int(thread) != os.getpid():
            with open(f"/proc/self/task/{thread}/comm", encoding="utf-8") as file:
                found.append(file.read().strip())
    return found


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _open_files() -> Iterable[tuple[int, int]]:
    """Descriptors and what kind of file each is, but for the platform's own."""
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        try:
            kind = os.fstat(fd).st_mode
        except OSError:
            continue  # it was the listing's own
        if fd > 2 and fd != copying.FORK_SERVER_FD:
            yield fd, kind


def _regular_files() -> Iterable[tuple[int, str]]:
    for fd, kind in _open_files():
        if stat.S_ISREG(kind):
            yield fd, os.readlink(f"/proc/self/fd/{fd}")


def _hooks(registry: str) -> list[Hook]:
    module = sys.modules.get("snapshot_restore_py")
    return list(getattr(module, registry, ()))


def _run(hooks: Iterable[Hook]) -> None:
    for function, arguments, named in hooks:
        function(*arguments, **named)


def _report(
    post: Callable[[bytes, str], None], marshaller: Marshaller, error: Exception, error_type: str
) -> None:
    from . import faults

    failure = faults.failure_of(error, "")
    faults.log(failure, marshaller.error)
    sys.stdout.flush()
    post(marshaller.error(failure.payload).encode("utf-8", "backslashreplace"), error_type)
