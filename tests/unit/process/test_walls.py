"""What a host lacks: said with the remedy, and refused unless the operator allows it by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.process.cgroup_layout import Layout
from sandbox.process.walls import (
    Need,
    Wall,
    WallMissingError,
    demand,
    ephemeral_wall,
    landlock_walls,
    notes_of,
    seccomp_wall,
    survey,
)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / "cgroup.controllers").write_text("memory pids cpu")
    return Layout(unified=tmp_path, v1={})


def walls(*, landlock: bool = True, user: bool = True, scopes: bool = True) -> list[Wall]:
    return [
        Wall(name="landlock", need=Need.REQUIRED, ok=landlock, detail="x", remedy="boot it"),
        Wall(name="user-namespace", need=Need.ALWAYS, ok=user, detail="", remedy="change it"),
        Wall(name="landlock-scopes", need=Need.EXTRA, ok=scopes, detail="", remedy="boot newer"),
    ]


def test_a_whole_host_lacks_nothing_and_an_extra_wall_is_only_noted() -> None:
    assert demand(walls(scopes=False), ()) == ()
    assert notes_of(walls(scopes=False)) == ("landlock-scopes: ; boot newer",)


def test_a_missing_wall_is_refused_with_the_remedy_and_the_way_around_it() -> None:
    with pytest.raises(WallMissingError, match=r"boot it.*--allow-missing landlock"):
        demand(walls(landlock=False), ())


def test_a_missing_wall_may_be_allowed_by_name() -> None:
    assert demand(walls(landlock=False), ("landlock",)) == ("landlock",)


def test_a_wall_that_is_allowed_to_be_missing_but_is_here_is_not_missing() -> None:
    assert demand(walls(), ("landlock",)) == ()


@pytest.mark.parametrize("name", ["user-namespace", "landlock-scopes", "x"])
def test_nothing_else_can_be_allowed(name: str) -> None:
    with pytest.raises(WallMissingError, match="only landlock"):
        demand(walls(user=False), (name,))


def test_what_nothing_works_without_names_no_way_around() -> None:
    with pytest.raises(WallMissingError) as refused:
        demand(walls(user=False), ())
    assert "--allow-missing" not in str(refused.value)


def test_controllers_are_looked_for_in_the_layout(layout: Layout) -> None:
    found = {each.name: each for each in survey(layout)}
    assert all(found[f"cgroup-{name}"].ok for name in ("memory", "pids", "cpu"))
    bare = {each.name: each for each in survey(Layout(unified=None, v1={}))}
    assert not bare["cgroup-memory"].ok


def test_a_wall_that_is_left_out_counts_as_missing(layout: Layout) -> None:
    found = {each.name: each for each in survey(layout, without={"seccomp"})}
    assert not found["seccomp"].ok


def test_each_wall_says_what_it_found() -> None:
    assert [each.ok for each in landlock_walls(7)] == [True, True]
    assert [each.ok for each in landlock_walls(2)] == [True, False]
    assert [each.ok for each in landlock_walls(0)] == [False, False]
    assert seccomp_wall("x86_64").ok
    assert not seccomp_wall("sparc").ok
    weak = ephemeral_wall("/tmp is a tmpfs (modprobe loop)")
    assert notes_of([weak]) == ("tmp-image: /tmp is a tmpfs; modprobe loop",)
