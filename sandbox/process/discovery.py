"""Finds the runtimes of this host by asking interpreters about themselves.

Only interpreters that nobody but root can change are asked: they are run as root, and their files
become part of every sandbox. Answers are cached by path, size and time of change.
"""

from __future__ import annotations

import glob
import json
import logging
import stat
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from runtimes.catalog import RUNTIMES, Runtime, candidate_patterns
from sandbox.process.bundle import is_complete
from sandbox.process.programs import become_a_program

logger = logging.getLogger(__name__)

_PROBE = (
    "import json,os,sys;print(json.dumps(['%d.%d.%d'%sys.version_info[:3],sys.base_prefix,"
    "os.path.dirname(os.__file__),[p for p in sys.path if p.endswith('lib-dynload')]]))"
)
_PROBE_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """One interpreter of this host that runs a runtime."""

    runtime_id: str
    version: str
    executable: str
    """Its real path: never a link, a shim or a virtual environment."""
    prefix: str
    standard_library: str
    extension_modules: str
    """The folder of its compiled modules; empty when they are built in."""
    stamp: str
    """Size and time of change of the executable."""


def discover(state: Path, search_path: str, homes: tuple[Path, ...]) -> dict[str, Interpreter]:
    """The best interpreter of each runtime: the newest patch release, the first found of equals."""
    cache_file = state / "interpreters.json"
    cache = _read_cache(cache_file)
    found: dict[str, Interpreter] = {}
    wanted = [
        (runtime, path)
        for runtime in RUNTIMES.values()
        if is_complete(runtime)
        for path in _candidates(runtime, search_path, homes)
    ]
    for each in _ask(wanted, cache):
        best = found.get(each.runtime_id)
        if best is None or _release(each) > _release(best):
            found[each.runtime_id] = each
    cache_file.write_text(json.dumps({key: asdict(value) for key, value in cache.items()}))
    return found


def _release(interpreter: Interpreter) -> tuple[int, ...]:
    return tuple(int(part) for part in interpreter.version.split("."))


def _candidates(runtime: Runtime, search_path: str, homes: tuple[Path, ...]) -> list[Path]:
    """Real paths, each once, of what may be asked."""
    real: dict[Path, None] = {}
    for folder, pattern in candidate_patterns(runtime, search_path, homes):
        for match in sorted(glob.glob(str(folder / pattern))):
            path = Path(match)
            if _in_virtual_environment(path):
                continue
            target = path.resolve()
            if _is_program(target) and only_root_can_change(target):
                real.setdefault(target)
    return list(real)


def _in_virtual_environment(path: Path) -> bool:
    return any((folder / "pyvenv.cfg").exists() for folder in (path.parent, path.parent.parent))


def _is_program(path: Path) -> bool:
    """Not a shim, which is a script."""
    try:
        with path.open("rb") as file:
            return file.read(4) == b"\x7fELF"
    except OSError:
        return False


def only_root_can_change(path: Path) -> bool:
    """Whether the file and every folder above it are root's alone."""
    for each in (path, *path.parents):
        found = each.stat()
        others_write = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if found.st_uid != 0 or (others_write and not found.st_mode & stat.S_ISVTX):
            return False
    return True


def _ask(
    wanted: Iterable[tuple[Runtime, Path]], cache: dict[str, Interpreter]
) -> list[Interpreter]:
    """Ask all at once what the cache does not know; afterwards it knows what was wanted."""
    answers: dict[str, Interpreter] = {}
    asked = []
    for runtime, path in wanted:
        stamp = _stamp(path)
        known = cache.get(_key(runtime, path))
        if known is not None and (known.stamp, known.runtime_id) == (stamp, runtime.runtime_id):
            answers[_key(runtime, path)] = known
        else:
            process = subprocess.Popen(
                [str(path), "-I", "-S", "-c", _PROBE],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                preexec_fn=become_a_program,  # safe: no caller has threads
            )
            asked.append((runtime, path, stamp, process))
    for runtime, path, stamp, process in asked:
        told = _answer_of(process)
        if told is not None:
            answers[_key(runtime, path)] = _interpreter(runtime, path, stamp, told)
    cache.clear()
    cache.update(answers)
    return list(answers.values())


def _key(runtime: Runtime, path: Path) -> str:
    """One interpreter may run several runtimes."""
    return f"{runtime.runtime_id} {path}"


def _answer_of(process: subprocess.Popen[bytes]) -> list[object] | None:
    try:
        output, _ = process.communicate(timeout=_PROBE_TIMEOUT_S)
        answer = json.loads(output)
    except (subprocess.TimeoutExpired, ValueError):
        process.kill()
        process.wait()
        logger.warning("an interpreter gave no answer", extra={"command": process.args})
        return None
    return answer if isinstance(answer, list) else None


def _interpreter(runtime: Runtime, path: Path, stamp: str, told: list[object]) -> Interpreter:
    version, prefix, standard_library, extensions = told
    folders = extensions if isinstance(extensions, list) else []
    return Interpreter(
        runtime_id=runtime.runtime_id,
        version=str(version),
        executable=str(path),
        prefix=str(prefix),
        standard_library=str(standard_library),
        extension_modules=str(folders[0]) if folders else "",
        stamp=stamp,
    )


def _stamp(path: Path) -> str:
    found = path.stat()
    return f"{found.st_size}-{found.st_mtime_ns}"


def _read_cache(path: Path) -> dict[str, Interpreter]:
    try:
        stored: Mapping[str, dict[str, str]] = json.loads(path.read_text())
        return {key: Interpreter(**value) for key, value in stored.items()}
    except (OSError, ValueError, TypeError):
        # No cache, or one of another version: the interpreters are asked again.
        return {}
