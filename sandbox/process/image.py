"""Builds what a sandbox has for a root: an interpreter, its libraries, a small userland.

A copy, never links: a sandbox shares no inode (and so no page of cache) with the host's own files.
Built by a background process, then renamed into place, so a folder that exists is complete.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from runtimes.catalog import LANGUAGE_ROOT
from sandbox.process import elf
from sandbox.process.discovery import Interpreter
from sandbox.process.egress_rules import GATEWAY
from sandbox.process.programs import run_program

IMAGE_FORMAT = 4
"""Part of every image's name: raise it when what is built changes."""

_PROGRAMS = (
    "arch b2sum base32 base64 basename bash cat chmod chown cksum comm cp csplit curl cut date "
    "dd df dir dirname du echo egrep env expand expr factor false fgrep find fmt fold grep "
    "groups gunzip gzip head hostid id install join link ln logname ls md5sum mkdir mkfifo "
    "mktemp mv nice nl nohup nproc numfmt od paste pathchk pr printenv printf ps ptx pwd "
    "readlink realpath rm rmdir sed seq sh sha1sum sha224sum sha256sum sha384sum sha512sum "
    "shred shuf sleep sort split stat stdbuf stty sum sync tac tail tar tee test timeout touch "
    "tr true truncate tsort tty uname unexpand uniq unlink wc which whoami xargs yes"
)
_PROGRAM_FOLDERS = ("/usr/bin", "/bin")
_LIBRARIES_FOR_WHEELS = (
    "libstdc++.so.6 libgcc_s.so.1 libz.so.1 libresolv.so.2 libnss_dns.so.2 libnss_files.so.2 "
    "libdl.so.2 librt.so.1 libpthread.so.0 libutil.so.1 libm.so.6 libanl.so.1 libgomp.so.1"
)
"""What manylinux wheels and the resolver expect to find, whatever the interpreter links."""
_SKIPPED_FOLDERS = frozenset(
    {
        "test",
        "tests",
        "idlelib",
        "idle_test",
        "tkinter",
        "turtledemo",
        "ensurepip",
        "lib2to3",
        "site-packages",
        "dist-packages",
    }
)
_EMPTY_FOLDERS = (
    "proc",
    "dev",
    "tmp",
    "var/task",
    "var/bytecode",
    "var/runtime",
    "opt",
    "root",
    "run",
    "home",
)
_USR_LINKS = ("bin", "sbin", "lib", "lib64")
_COPIED_IF_PRESENT = (
    "/etc/mime.types",
    "/etc/protocols",
    "/etc/services",
    "/etc/ssl/openssl.cnf",
    "/usr/lib/locale/C.utf8",
    "/usr/share/zoneinfo",
)
_SKIPPED_ZONES = frozenset({"posix", "right"})
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_FILES = {
    "etc/passwd": (
        "root:x:0:0:root:/root:/sbin/nologin\n"
        "sbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin\n"
        "nobody:x:65534:65534:nobody:/:/sbin/nologin\n"
    ),
    "etc/group": "root:x:0:\nsbx_user1051:x:990:\nnobody:x:65534:\n",
    "etc/hosts": "127.0.0.1 localhost\n169.254.100.1 sandbox.localdomain sandbox\n",
    "etc/resolv.conf": f"nameserver {GATEWAY}\noptions timeout:2 attempts:2\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "etc/host.conf": "multi on\n",
    "etc/os-release": 'NAME="emberd"\nID=emberd\nPRETTY_NAME="emberd runtime image"\n',
}
_LINKS = {
    "etc/ssl/cert.pem": "certs/ca-certificates.crt",
    "etc/pki/tls/certs/ca-bundle.crt": "/etc/ssl/certs/ca-certificates.crt",
    "usr/lib/ssl/certs": "/etc/ssl/certs",
    "usr/lib/ssl/cert.pem": "/etc/ssl/certs/ca-certificates.crt",
    "usr/lib/ssl/openssl.cnf": "/etc/ssl/openssl.cnf",
    "etc/localtime": "/usr/share/zoneinfo/UTC",
    "var/tmp": "/tmp",
    "var/run": "/run",
}


def image_name(interpreter: Interpreter) -> str:
    """A name that changes whenever the image would: interpreter, host libraries, our own format.

    Not the runtime: those that one interpreter runs have one image.
    """
    parts = [str(IMAGE_FORMAT), interpreter.executable, interpreter.version, interpreter.stamp]
    parts += [_time_of_change(Path("/etc/ld.so.cache")), _time_of_change(Path(_CERTIFICATES))]
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return f"python{_short(interpreter)}-{digest[:16]}"


def build(interpreter: Interpreter, target: Path) -> None:
    """Make a whole image at target; about a second of copying."""
    _make_skeleton(target)
    programs = list(_find_programs())
    for program in programs:
        _copy_file(program.resolve(), target / "usr/bin" / program.name)
    modules = _copy_language(interpreter, target)
    known = elf.loader_cache()
    wanted = [*programs, Path(interpreter.executable), *modules]
    extra = {known[name]: (name,) for name in _LIBRARIES_FOR_WHEELS.split() if name in known}
    libraries = {**extra, **elf.closure([*wanted, *extra], known)}
    folders = _copy_libraries(libraries, target)
    for path in (*_COPIED_IF_PRESENT, _CERTIFICATES):
        _copy_any(Path(path), target)
    _index_libraries(target, folders)
    _compile_missing(interpreter, target)


def _make_skeleton(target: Path) -> None:
    for folder in (*_EMPTY_FOLDERS, "etc", *(f"usr/{name}" for name in _USR_LINKS)):
        (target / folder).mkdir(parents=True)
    for name in _USR_LINKS:
        (target / name).symlink_to(f"usr/{name}")
    for name, text in _FILES.items():
        (target / name).write_text(text)
    for name, destination in _LINKS.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(destination)


def _find_programs() -> Iterator[Path]:
    for name in _PROGRAMS.split():
        for folder in _PROGRAM_FOLDERS:
            path = Path(folder) / name
            if path.exists():
                yield path
                break


def _copy_language(interpreter: Interpreter, target: Path) -> list[Path]:
    """The interpreter and its standard library below /var/lang; returns its compiled modules."""
    home = target / LANGUAGE_ROOT.lstrip("/")
    short = _short(interpreter)
    executable = home / "bin" / f"python{short}"
    _copy_file(Path(interpreter.executable), executable)
    for alias in ("python3", "python"):
        (executable.parent / alias).symlink_to(executable.name)
    library = home / "lib" / f"python{short}"
    _copy_tree(Path(interpreter.standard_library), library, _SKIPPED_FOLDERS)
    # Some hosts keep bytecode and pure modules apart from the compiled ones.
    extensions = Path(interpreter.extension_modules or interpreter.standard_library)
    if not (library / "lib-dynload").exists() and interpreter.extension_modules:
        _copy_tree(extensions, library / "lib-dynload", frozenset())
    return sorted(extensions.glob("*.so"))


def _copy_libraries(libraries: Mapping[Path, tuple[str, ...]], target: Path) -> list[str]:
    """Each library once, at its place on the host or in /var/lang/lib; returns their folders."""
    folders = {f"{LANGUAGE_ROOT}/lib": None}
    for path, names in libraries.items():
        for name in names:
            place = _place_of(path, name)
            folders.setdefault(str(place.parent))
            copy = target / str(place).lstrip("/")
            if not copy.exists():
                _copy_file(path.resolve(), copy)
            _link_to_lib64(place, target)
    return list(folders)


def _link_to_lib64(place: Path, target: Path) -> None:
    """Let /lib64 have every library, as on Lambda's hosts.

    LD_LIBRARY_PATH names /lib64 before the folders of packages and layers, and no folder of
    Debian's: otherwise a library of theirs would take the platform's place in every program.
    """
    link = target / "usr/lib64" / place.name
    if place.is_relative_to("/usr/lib") and not link.exists():
        link.symlink_to(place)


def _place_of(path: Path, name: str) -> Path:
    if name.startswith("/"):
        # The loader, which programs name by its whole path: /lib64 is a link to /usr/lib64.
        return Path("/usr") / name.lstrip("/") if not name.startswith("/usr/") else Path(name)
    folder = str(path.parent.resolve())
    if folder.startswith("/usr/lib"):
        return Path(folder) / name
    if folder.startswith("/lib"):
        return Path("/usr" + folder) / name
    return Path(LANGUAGE_ROOT) / "lib" / name


def _index_libraries(target: Path, folders: Iterable[str]) -> None:
    """The loader's cache, so that programs run whatever LD_LIBRARY_PATH a function sets."""
    (target / "etc/ld.so.conf").write_text("".join(f"{folder}\n" for folder in folders))
    run_program(["/sbin/ldconfig", "-X", "-r", str(target)])


def _compile_missing(interpreter: Interpreter, target: Path) -> None:
    """Bytecode for what the host had none for; a read-only root could never keep it."""
    short = _short(interpreter)
    library = target / LANGUAGE_ROOT.lstrip("/") / "lib" / f"python{short}"
    tag = f".cpython-{short.replace('.', '')}.pyc"
    if (library / "__pycache__" / f"os{tag}").exists():
        return
    compile_folder(interpreter, library, f"{LANGUAGE_ROOT}/lib/python{short}")


def compile_folder(interpreter: Interpreter, folder: Path, shown_as: str) -> None:
    """Compile every module below folder; files that do not compile are left alone."""
    command = [interpreter.executable, "-I", "-S", "-m", "compileall", "-q"]
    command += ["-s", str(folder), "-p", shown_as, str(folder)]
    with contextlib.suppress(OSError):
        run_program(command, timeout_s=300)


def _short(interpreter: Interpreter) -> str:
    return ".".join(interpreter.version.split(".")[:2])


def _copy_any(path: Path, target: Path) -> None:
    copy = target / str(path).lstrip("/")
    if path.is_dir():
        _copy_tree(path, copy, _SKIPPED_ZONES)
    elif path.exists():
        _copy_file(path.resolve(), copy)


def _copy_tree(source: Path, copy: Path, skipped: frozenset[str]) -> None:
    copy.mkdir(parents=True, exist_ok=True)
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.name in skipped or entry.name.startswith("config-3"):
                continue
            there = copy / entry.name
            if entry.is_symlink():
                _copy_link(Path(entry.path), there)
            elif entry.is_dir():
                _copy_tree(Path(entry.path), there, skipped)
            elif not entry.name.endswith((".opt-1.pyc", ".opt-2.pyc", ".a")):
                _copy_file(Path(entry.path), there)


def _copy_link(link: Path, copy: Path) -> None:
    """Links within the tree stay links; what points out of it is copied."""
    destination = os.readlink(link)
    if "/" not in destination:
        copy.symlink_to(destination)
    elif link.is_file():
        _copy_file(link.resolve(), copy)


def _copy_file(source: Path, copy: Path) -> None:
    """Contents, mode without setuid, and time of change, which bytecode is checked against."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    if copy.is_symlink() or copy.exists():
        return
    shutil.copyfile(source, copy)
    found = source.stat()
    readable = stat.S_IMODE(found.st_mode) & 0o755 | 0o444
    copy.chmod(readable | (0o111 if found.st_mode & 0o100 else 0))
    os.utime(copy, ns=(found.st_atime_ns, found.st_mtime_ns))


def _time_of_change(path: Path) -> str:
    return str(path.stat().st_mtime_ns) if path.exists() else ""
