"""Builds what is placed at /var/runtime: our bootstrap and the SDK that Lambda ships with it.

One folder per language, shared by all versions of it: bytecode of each lies side by side.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import shutil
from collections.abc import Iterator
from pathlib import Path

import runtimes
from runtimes.catalog import RUNTIMES, Runtime

BUNDLE_FORMAT = 1


def sources_of(language: str) -> Path:
    """Our own programs for a language, as installed."""
    return Path(runtimes.__path__[0]) / language


def bundle_name(language: str, sources: Path) -> str:
    """A name that changes whenever the bundle would."""
    digest = hashlib.sha256(str(BUNDLE_FORMAT).encode())
    for _, path in _programs(language, sources):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    for name in _distributions(language):
        digest.update(f"{name}=={_version(name)}".encode())
    return f"runtime-{language}-{digest.hexdigest()[:16]}"


def build(language: str, sources: Path, target: Path) -> None:
    """Copy the programs and the distributions' files; versions other than ours bring their own."""
    target.mkdir(parents=True)
    for relative, path in _programs(language, sources):
        copy = target / relative
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    for name in _distributions(language):
        for relative, path in _files_of(name):
            copy = target / relative
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
            shutil.copystat(path, copy)


def is_complete(runtime: Runtime) -> bool:
    """Whether what the runtime cannot do without is installed beside us."""
    return not runtime.needs_bundle or "absent" not in map(_version, runtime.bundle)


def engine_version(runtime: Runtime) -> str:
    """The version of what runs the functions; empty where that is the interpreter itself."""
    return _version(runtime.bundle[0]) if runtime.needs_bundle else ""


def _programs(language: str, sources: Path) -> list[tuple[Path, Path]]:
    """Our own files, by their places in the bundle: a language's own win over what it shares."""
    found: dict[Path, Path] = {}
    for folder in (sources, *map(sources_of, _runtime(language).shares)):
        for path in sorted(folder.rglob("*.py")):
            if "__pycache__" not in path.parts:
                found.setdefault(path.relative_to(folder), path)
    return list(found.items())


def _runtime(language: str) -> Runtime:
    return next(each for each in RUNTIMES.values() if each.language == language)


def _distributions(language: str) -> tuple[str, ...]:
    return _runtime(language).bundle


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def _files_of(name: str) -> Iterator[tuple[Path, Path]]:
    try:
        files = importlib.metadata.files(name) or []
    except importlib.metadata.PackageNotFoundError:
        return
    for each in files:
        relative = Path(str(each))
        if ".." in relative.parts or relative.suffix == ".pyc":
            continue
        path = Path(str(each.locate()))
        if path.is_file():
            yield relative, path
