"""What is asked of the pool, what it asks of whoever makes sandboxes, and what both get back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from sandbox.guard import GuardedSandbox
from sandbox.work import Credentials, Phase, Revision


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A sandbox that is to be started."""

    revision: Revision
    sandbox_id: str
    credentials: Credentials | None
    broken: GuardedSandbox | None
    """One whose environment is to get a new init instead of being made anew."""
    provisioned: bool
    """It is to stand ready; no event waits for it."""
    template: GuardedSandbox | None = None
    """One of the same revision to copy it from instead of running an init."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A sandbox that was made, with the story of its start."""

    guard: GuardedSandbox
    phases: tuple[Phase, ...]

    @property
    def taken_s(self) -> float:
        """How long the start took, its package being here: what another one would take."""
        own = [each for each in self.phases if each.name != "artifact"]
        begun_ns = min((each.start_ns for each in own), default=0)
        return (max((each.end_ns for each in own), default=0) - begun_ns) / 1e9


Starter: TypeAlias = Callable[[Start], Awaitable[Started]]
"""Starts a sandbox, or restarts a broken one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A sandbox handed to one attempt."""

    guard: GuardedSandbox
    warm: bool
    phases: tuple[Phase, ...] = ()


@dataclass(eq=False, slots=True)
class Waiter:
    """An attempt that waits for a sandbox."""

    revision: Revision
    credentials: Credentials | None
    future: asyncio.Future[Lease]
    since_ns: int
    """When it began to wait, its package perhaps still being made ready."""


@dataclass(eq=False, slots=True)
class Spare:
    """A start that no attempt waits for."""

    revision: Revision
    credentials: Credentials | None
    provisioned: bool
    future: asyncio.Future[GuardedSandbox]
