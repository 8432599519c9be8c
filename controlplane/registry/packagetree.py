"""The tree of names in a package: what may be called what, and where links lead. Pure.

A package is unpacked to a read-only folder that a function sees as /var/task. Every name in it
must lie below that folder, and so must whatever a symbolic link leads to.
"""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass, field
from enum import Enum

NAME_BYTES_MAX = 255
PATH_BYTES_MAX = 4095
"""What Linux takes for one name and for a whole path."""

NAMES_MAX = 100_000
"""Files and folders together, so that deep names cannot make more of them than entries."""

DEPTH_MAX = 200
"""Folders in folders; hosts unpack no deeper ones."""

LINK_HOPS_MAX = 40
"""As many links as Linux follows in one path."""

_DRIVE = re.compile(r"[A-Za-z]:")

Path = tuple[str, ...]


class BadEntryError(Exception):
    """An entry that no package needs; the message ends a sentence that begins with its name."""


class Kind(Enum):
    """What an entry becomes."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"


@dataclass(slots=True)
class _Node:
    kind: Kind
    named: bool = False
    """Has an entry of its own; a folder may also just be in another entry's name."""
    target: str = ""
    """Where a link leads."""
    children: dict[str, _Node] = field(default_factory=dict)


class Tree:
    """The names of one package as they are added."""

    def __init__(self) -> None:
        self._root = _Node(Kind.FOLDER, named=True)
        self._links: list[Path] = []
        self._count = 0

    def add(self, path: Path, kind: Kind, target: str = "") -> None:
        """Take a name; a link has a target, which check_links() follows later.

        Raises:
            BadEntryError: it is taken, lies below something that is no folder, or is one too many.
        """
        node = self._root
        for part in path[:-1]:
            node = self._child(node, part, Kind.FOLDER)
            if node.kind is not Kind.FOLDER:
                raise BadEntryError(f"lies below {part!r}, which is no folder")
        node = self._child(node, path[-1], kind)
        # A folder may be listed twice, and after what it holds; nothing else may.
        if node.kind is not kind or (node.named and kind is not Kind.FOLDER):
            raise BadEntryError("is there twice")
        node.named = True
        if kind is Kind.LINK:
            if not target or target.startswith("/") or "\0" in target:
                raise BadEntryError(f"is a link to {target!r}, outside the package")
            node.target = target
            self._links.append(path)

    def check_links(self) -> None:
        """Follow every link as Linux would.

        Raises:
            BadEntryError: one leaves the package on its way, or never ends; begins with its name.
        """
        for path in self._links:
            try:
                self._follow(path)
            except BadEntryError as error:
                raise BadEntryError(f"{'/'.join(path)!r} {error}") from error

    def _child(self, parent: _Node, part: str, kind: Kind) -> _Node:
        node = parent.children.get(part)
        if node is None:
            self._count += 1
            if self._count > NAMES_MAX:
                raise BadEntryError(f"is one more than {NAMES_MAX} files and folders")
            node = parent.children[part] = _Node(kind)
        return node

    def _follow(self, link: Path) -> None:
        """Walk the link's path; above is the way back for '..', from the package's own folder."""
        above: list[_Node | None] = []
        here: _Node | None = self._root
        ahead = list(reversed(link))
        hops = 0
        while ahead:
            part = ahead.pop()
            if part == "..":
                if not above:
                    raise BadEntryError("is a link that leaves the package")
                here = above.pop()
                continue
            child = here.children.get(part) if here is not None else None
            if child is None or child.kind is not Kind.LINK:
                # What is not in the package may still be walked through: it leads nowhere.
                above.append(here)
                here = child
                continue
            hops += 1
            if hops > LINK_HOPS_MAX:
                raise BadEntryError("is a link that never ends")
            ahead += [each for each in reversed(child.target.split("/")) if each not in ("", ".")]


def parts_of(name: str) -> Path:
    """The parts of an entry's name.

    Raises:
        BadEntryError: it is not a relative path that stays inside.
    """
    if not name or "\0" in name or "\\" in name:
        raise BadEntryError("is empty or has a NUL or a backslash in its name")
    if name.startswith("/") or _DRIVE.match(name):
        raise BadEntryError("has an absolute name")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if ".." in parts:
        raise BadEntryError("leaves the package")
    if not parts:
        raise BadEntryError("is the package's own folder, which needs no entry")
    if any(len(part.encode()) > NAME_BYTES_MAX for part in parts):
        raise BadEntryError(f"has a name longer than {NAME_BYTES_MAX} bytes")
    if len(parts) > DEPTH_MAX:
        raise BadEntryError(f"lies deeper than {DEPTH_MAX} folders")
    if len(name.encode()) > PATH_BYTES_MAX:
        raise BadEntryError(f"has a path longer than {PATH_BYTES_MAX} bytes")
    return parts


def kind_of(name: str, mode: int) -> Kind:
    """What an entry becomes, from its name and its Unix mode (0 when it has none).

    Raises:
        BadEntryError: it would be something else than a file, a folder or a symbolic link.
    """
    file_type = stat.S_IFMT(mode)
    if file_type not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
        raise BadEntryError("is a device, a pipe or a socket")
    if (file_type == stat.S_IFDIR) != name.endswith("/") and file_type:
        raise BadEntryError("is a folder by its name and none by its mode, or the reverse")
    if name.endswith("/"):
        return Kind.FOLDER
    return Kind.LINK if file_type == stat.S_IFLNK else Kind.FILE
