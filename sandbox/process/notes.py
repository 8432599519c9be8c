"""What this host cannot isolate, in words, with the remedy: for doctor and the agent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.process.cgroup_layout import CONTROLLERS, Layout

_LANDLOCK_SIGNALS_ABI = 6
_LANDLOCK_REQUIRED_ABI = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing a host can or cannot do."""

    name: str
    ok: bool
    required: bool
    """Without it no sandbox is made; otherwise sandboxes are weaker, which is said."""
    detail: str
    remedy: str = ""


def check_cgroups(layout: Layout) -> list[Check]:
    """Limits and life of sandboxes."""
    where: Mapping[str, str] = {
        name: f"v1 at {layout.v1[name]}" if name in layout.v1 else "v2" for name in CONTROLLERS
    }
    return [
        Check(
            name=f"cgroup {name}",
            ok=name not in layout.missing,
            required=True,
            detail="missing" if name in layout.missing else where[name],
            remedy=f"boot with cgroup_enable={name}" if name in layout.missing else "",
        )
        for name in CONTROLLERS
    ]


def check_landlock(abi: int) -> list[Check]:
    """The file rules that hold when everything else fails."""
    remedy = "boot a 5.19 or newer kernel with lsm=landlock,..."
    scopes = "boot a 6.12 or newer kernel to scope signals and abstract sockets too"
    return [
        Check(
            name="landlock",
            ok=abi >= _LANDLOCK_REQUIRED_ABI,
            required=False,
            detail=f"ABI {abi}" if abi else "not in this kernel",
            remedy=remedy if abi < _LANDLOCK_REQUIRED_ABI else "",
        ),
        Check(
            name="landlock scopes",
            ok=abi >= _LANDLOCK_SIGNALS_ABI,
            required=False,
            detail=f"ABI {abi}",
            remedy=scopes if abi < _LANDLOCK_SIGNALS_ABI else "",
        ),
    ]


def check_ephemeral(weakness: str) -> Check:
    """Whether /tmp is capped apart from memory."""
    what, _, remedy = weakness.partition(" (")
    return Check(
        name="/tmp on a capped image",
        ok=not weakness,
        required=False,
        detail=what or "ext4 on loop devices",
        remedy=remedy.rstrip(")"),
    )


def isolation_notes(layout: Layout, abi: int, ephemeral_weakness: str) -> tuple[str, ...]:
    """What the agent tells the control plane: the weak points, each with its remedy."""
    checks = [*check_cgroups(layout), *check_landlock(abi), check_ephemeral(ephemeral_weakness)]
    return tuple(
        f"{each.name}: {each.detail}" + (f"; {each.remedy}" if each.remedy else "")
        for each in checks
        if not each.ok
    )
