"""Which system calls a sandbox may make, by name. Data; what it defends is in docs/security.md.

ALLOWED is all that there is: the calls that Python, its native wheels, a shell and coreutils need,
found by tracing real workloads and completed by kind. A runtime may add to it (`system_calls` in
runtimes.catalog). What is not listed does not exist (ENOSYS), so that libraries fall back, except
for DENIED, the floor: what kernel holes are reached through is refused (EPERM) whatever a runtime
adds. A name that a machine lacks has no number there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.process.syscall_numbers import LAST_AUDITED, NUMBERS

__all__ = ["ALLOWED", "COPYING", "DENIED", "LAST_AUDITED", "MACHINES", "SPLICING", "Machine"]

_FILES = """
read write pread64 pwrite64 readv writev preadv pwritev preadv2 pwritev2 lseek sendfile
copy_file_range open openat openat2 creat close close_range dup dup2 dup3 fcntl flock
stat fstat lstat newfstatat statx statfs fstatfs access faccessat faccessat2
getdents getdents64 getcwd chdir fchdir mkdir mkdirat rmdir rename renameat renameat2
link linkat unlink unlinkat symlink symlinkat readlink readlinkat
chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat umask utime utimes futimesat utimensat
truncate ftruncate fallocate fsync fdatasync syncfs sync_file_range fadvise64 readahead
setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr
removexattr lremovexattr fremovexattr inotify_init inotify_init1 inotify_add_watch inotify_rm_watch
"""

_MEMORY = """
mmap munmap mremap mprotect brk madvise msync mincore mlock mlock2 munlock mlockall munlockall
memfd_create membarrier pkey_mprotect pkey_alloc pkey_free map_shadow_stack mseal
shmget shmat shmctl shmdt
"""

_PROCESSES = """
fork vfork execve execveat exit exit_group wait4 waitid kill tkill tgkill pidfd_open
pidfd_send_signal getpid getppid gettid getpgid getpgrp getsid setsid setpgid
getuid geteuid getgid getegid getresuid getresgid getgroups capget capset
setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid
getrlimit setrlimit prlimit64 getrusage times getpriority setpriority ioprio_get
sched_yield sched_getaffinity sched_setaffinity sched_getparam sched_setparam sched_getscheduler
sched_setscheduler sched_getattr sched_setattr sched_get_priority_max sched_get_priority_min
sched_rr_get_interval getcpu arch_prctl set_tid_address set_robust_list get_robust_list rseq
futex semget semop semctl semtimedop uname sysinfo getrandom
landlock_create_ruleset landlock_add_rule landlock_restrict_self
"""

_SIGNALS_AND_TIME = """
rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigqueueinfo
rt_tgsigqueueinfo rt_sigsuspend sigaltstack signalfd signalfd4 pause alarm restart_syscall
time gettimeofday clock_gettime clock_getres clock_nanosleep nanosleep getitimer setitimer
timer_create timer_settime timer_gettime timer_getoverrun timer_delete
timerfd_create timerfd_settime timerfd_gettime
"""

_SOCKETS_AND_WAITING = """
bind listen accept accept4 connect getsockname getpeername getsockopt shutdown
sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg pipe pipe2 eventfd eventfd2
poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2
"""

ALLOWED = frozenset(
    (_FILES + _MEMORY + _PROCESSES + _SIGNALS_AND_TIME + _SOCKETS_AND_WAITING).split()
)
"""Needed by every runtime. Calls whose arguments decide are not here, but in seccomp.py."""

SPLICING = frozenset({"splice", "tee"})
"""Answered as if the file could not be spliced (EINVAL): grep and Go's io.Copy fall back on that
and on nothing else. Page-cache holes of 2026 needed spliced pages. A runtime may add them."""

_OTHER_PROCESSES = """
ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp pidfd_getfd
"""

_FILE_TREES = """
mount umount2 pivot_root chroot open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr
statmount listmount setns unshare name_to_handle_at open_by_handle_at fanotify_init fanotify_mark
quotactl quotactl_fd swapon swapoff acct ustat sysfs uselib sync
"""

_KERNEL = """
bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register
init_module finit_module delete_module create_module get_kernel_syms query_module
kexec_load kexec_file_load reboot syslog _sysctl nfsservctl lookup_dcookie vserver vhangup
iopl ioperm modify_ldt personality add_key request_key keyctl seccomp
lsm_get_self_attr lsm_set_self_attr lsm_list_modules
settimeofday clock_settime adjtimex clock_adjtime sethostname setdomainname ioprio_set
"""

_PAGES = """
vmsplice remap_file_pages memfd_secret mbind set_mempolicy get_mempolicy set_mempolicy_home_node
migrate_pages move_pages
"""

DENIED = frozenset((_OTHER_PROCESSES + _FILE_TREES + _KERNEL + _PAGES).split())
"""The floor. sync is in it because it flushes the whole host's disks."""


COPYING = frozenset({"setns", "seccomp"})
"""Which of DENIED a function template may make, besides: a copy enters its own namespaces, and puts
the ordinary filter on top of its template's. setns needs a capability that no template has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the assembler must know of one instruction set."""

    audit_arch: int
    """AUDIT_ARCH_* (linux/audit.h)."""
    first_foreign: int
    """Numbers from here on belong to a second ABI (x32); none may be used."""
    numbers: Mapping[str, int]


MACHINES: Mapping[str, Machine] = {
    "x86_64": Machine(audit_arch=0xC000003E, first_foreign=0x40000000, numbers=NUMBERS["x86_64"]),
    "aarch64": Machine(audit_arch=0xC00000B7, first_foreign=0x40000000, numbers=NUMBERS["aarch64"]),
}
