"""Which shared libraries a program needs, read from its ELF headers (elf.h) without running it."""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.process.programs import run_program

_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NEEDED, _DT_STRTAB, _DT_RPATH, _DT_RUNPATH = 1, 5, 15, 29
_ELF64_LITTLE = b"\x7fELF\x02\x01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What one file asks the dynamic loader for."""

    loader: str
    """Path of the loader; empty for a library."""
    libraries: tuple[str, ...]
    run_paths: tuple[str, ...]


def read_needs(path: Path) -> Needs | None:
    """Read a file's needs; None for what is no 64-bit ELF file."""
    with path.open("rb") as file:
        if file.read(6) != _ELF64_LITTLE or os.fstat(file.fileno()).st_size < 64:
            return None
        with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as data:
            return _Reader(data).needs(path)


class _Reader:
    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        table, size, count = (
            struct.unpack_from("<Q", data, 32)[0],
            *struct.unpack_from("<HH", data, 54),
        )
        self._segments = [
            struct.unpack_from("<IIQQQQ", data, table + index * size) for index in range(count)
        ]

    def needs(self, path: Path) -> Needs:
        dynamic = self._dynamic()
        strings = self._offset_of(next((v for t, v in dynamic if t == _DT_STRTAB), 0))
        names = {
            tag: [self._text(strings + value) for t, value in dynamic if t == tag]
            for tag in (_DT_NEEDED, _DT_RPATH, _DT_RUNPATH)
        }
        folders = ":".join(names[_DT_RPATH] + names[_DT_RUNPATH]).split(":")
        origin = str(path.resolve().parent)
        return Needs(
            loader=next((self._text(s[2]) for s in self._segments if s[0] == _PT_INTERP), ""),
            libraries=tuple(names[_DT_NEEDED]),
            run_paths=tuple(
                each.replace("$ORIGIN", origin).replace("${ORIGIN}", origin)
                for each in folders
                if each
            ),
        )

    def _dynamic(self) -> list[tuple[int, int]]:
        for kind, _, offset, _, _, size in self._segments:
            if kind == _PT_DYNAMIC:
                return list(struct.iter_unpack("<QQ", self._data[offset : offset + size]))
        return []

    def _offset_of(self, address: int) -> int:
        for kind, _, offset, start, _, size in self._segments:
            if kind == _PT_LOAD and start <= address < start + size:
                return int(offset + address - start)
        return 0

    def _text(self, offset: int) -> str:
        return self._data[offset : self._data.find(b"\0", offset)].decode()


def loader_cache() -> Mapping[str, Path]:
    """The 64-bit libraries that the loader knows by name, as ldconfig lists them."""
    listed = run_program(["/sbin/ldconfig", "-p"])
    known: dict[str, Path] = {}
    for line in listed.splitlines():
        name, arrow, where = line.strip().partition(" => ")
        if arrow and "64" in name.partition("(")[2]:
            known.setdefault(name.split(" ")[0], Path(where))
    return known


def closure(programs: Iterable[Path], known: Mapping[str, Path]) -> dict[Path, tuple[str, ...]]:
    """Every library that the programs need, transitively, with the names it is asked for by."""
    wanted: dict[Path, set[str]] = {}
    todo, seen = list(programs), set()
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        needs = read_needs(path)
        if needs is None:
            continue
        if needs.loader:
            wanted.setdefault(Path(needs.loader), set()).add(needs.loader)
            todo.append(Path(needs.loader))
        for name in needs.libraries:
            found = _find(name, needs.run_paths, known)
            if found is not None:
                wanted.setdefault(found, set()).add(name)
                todo.append(found)
    return {path: tuple(sorted(names)) for path, names in wanted.items()}


def _find(name: str, run_paths: tuple[str, ...], known: Mapping[str, Path]) -> Path | None:
    for folder in run_paths:
        candidate = Path(folder) / name
        if candidate.exists():
            return candidate
    return known.get(name)
