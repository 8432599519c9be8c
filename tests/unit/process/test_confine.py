"""What must be covered and bound back, so that an ordinary user reaches what a daemon needs."""

from __future__ import annotations

from pathlib import Path

from sandbox.process.confine import plan, python_paths, unreachable_ancestor

NOBODY = 65_534


def test_the_topmost_closed_folder_is_what_stands_in_the_way(tmp_path: Path) -> None:
    needed = tmp_path / "home" / "versions" / "3.11"
    needed.mkdir(parents=True)
    (tmp_path / "home" / "versions").chmod(0o700)
    (tmp_path / "home").chmod(0o700)
    chain = [*reversed(needed.parents), needed]
    closed = [folder for folder in chain if not folder.stat().st_mode & 0o001]
    assert unreachable_ancestor(needed, NOBODY, NOBODY) == closed[0]


def test_an_owner_passes_its_own_closed_folder() -> None:
    assert unreachable_ancestor(Path("/usr/bin"), NOBODY, NOBODY) is None
    assert unreachable_ancestor(Path("/"), 0, 0) is None


def test_paths_below_one_closed_folder_share_its_cover(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    inner = closed / "a" / "inner"
    inner.mkdir(parents=True)
    (closed / "b").mkdir()
    closed.chmod(0o700)
    uid = closed.stat().st_uid + 1
    covers = plan([closed / "b", closed / "a", inner], uid, uid)
    assert len(covers) == 1
    kept = next(iter(covers.values()))
    assert kept == [closed / "a", closed / "b"]


def test_what_everybody_reaches_needs_no_cover() -> None:
    assert plan([Path("/usr/bin"), Path("/etc/passwd")], NOBODY, NOBODY) == {}


def test_python_needs_its_prefixes_and_our_code() -> None:
    import sys

    import sandbox

    paths = python_paths()
    assert Path(sys.prefix) in paths
    assert Path(sys.base_prefix) in paths
    home = Path(sandbox.__path__[0]).parent
    assert any(home == path or path in home.parents for path in paths)
