"""Embryos: environments made in advance, each with a child that waits for its function.

Making one costs some ten milliseconds (a loop device, a network namespace, the first attach to a
v1 cgroup after a quiet time); taking one costs nothing. They hold no tenant byte.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections import deque
from dataclasses import dataclass

from sandbox.process.cgroups import Group
from sandbox.process.cgroups import Tree as CgroupTree
from sandbox.process.child import Policy
from sandbox.process.clock import SandboxClock
from sandbox.process.disposer import Disposer
from sandbox.process.instance import UidRanges
from sandbox.process.loop import Loop
from sandbox.process.network import HostNetwork
from sandbox.process.trees import Environment, Tree
from sandbox.process.volume_maker import VolumeMaker

logger = logging.getLogger(__name__)

_PAUSE_AFTER_FAILURE_S = 2.0
_REMOVE_ATTEMPTS = 200
_REMOVE_AGAIN_S = 0.01


@dataclass(slots=True, kw_only=True)
class Workshop:
    """What environments are made of and in."""

    cgroups: CgroupTree
    uids: UidRanges
    network: HostNetwork
    clock: SandboxClock | None
    """None: sandboxes see how long the host is up."""
    volumes: VolumeMaker
    disposer: Disposer
    devices: str
    """Where the one /dev is."""
    policy: Policy


@dataclass(slots=True, kw_only=True)
class Embryo:
    """An environment with a waiting child."""

    environment: Environment
    tree: Tree
    failure: str = ""


class Nursery:
    """Keeps embryos ready, and takes apart what is not needed any more."""

    def __init__(
        self, loop: Loop, workshop: Workshop, *, wanted: int, ephemeral_bytes: int
    ) -> None:
        self._loop = loop
        self._workshop = workshop
        self._wanted = wanted
        self._ephemeral_bytes = ephemeral_bytes
        self._ready: deque[Embryo] = deque()
        self._numbers = itertools.count(1)
        self._pause_until_s = 0.0
        self._removing: list[tuple[Group, int]] = []

    def refill(self) -> bool:
        """Make one embryo if one is missing; whether another should follow."""
        if len(self._ready) >= self._wanted or time.monotonic() < self._pause_until_s:
            return False
        if not self._workshop.volumes.is_ready(self._ephemeral_bytes):
            return False
        self._workshop.volumes.refill()
        if self._workshop.volumes.is_busy:
            # Its arrival is an event, and the next quiet moment comes after it.
            return False
        try:
            self._ready.append(self._make(self._ephemeral_bytes))
        except OSError as error:
            self._pause_until_s = time.monotonic() + _PAUSE_AFTER_FAILURE_S
            logger.warning("a sandbox could not be prepared", extra={"error": str(error)})
            return False
        return len(self._ready) < self._wanted

    def take(self, ephemeral_bytes: int) -> Embryo:
        """A healthy embryo with this size of /tmp, made now if none waits.

        Raises:
            OSError: a kernel facility refused.
            NoUidRangeError: no uid range is left.
        """
        while self._ready:
            embryo = self._ready.popleft()
            if embryo.tree.is_dead:
                self.dismantle(embryo.environment)
                continue
            if ephemeral_bytes != self._ephemeral_bytes:
                volume = self._workshop.volumes.take(ephemeral_bytes)
                self._workshop.disposer.take(embryo.environment.replace_volume(volume))
            return embryo
        return self._make(ephemeral_bytes)

    def bear(self, environment: Environment) -> Tree:
        """A new waiting child in an environment that is kept."""
        environment.volume.remount()
        return self._birth(environment)

    def dismantle(self, environment: Environment) -> None:
        """Nothing runs in it any more: give everything back."""
        environment.close()
        self._workshop.disposer.take(environment.volume)
        self._removing.append((environment.group, environment.first_id))
        self._remove(_REMOVE_ATTEMPTS)

    def close(self) -> None:
        """End all embryos and wait for the kernel to let go."""
        self._wanted = 0
        while self._ready:
            embryo = self._ready.popleft()
            embryo.tree.kill_and_reap()
            self.dismantle(embryo.environment)
        deadline = time.monotonic() + _REMOVE_ATTEMPTS * _REMOVE_AGAIN_S
        while self._removing and time.monotonic() < deadline:
            self._remove(0)
            time.sleep(0.001)

    def _make(self, ephemeral_bytes: int) -> Embryo:
        shop = self._workshop
        first_id = shop.uids.take()
        name = f"s{next(self._numbers)}"
        try:
            environment = self._furnish(name, first_id, ephemeral_bytes)
        except OSError:
            shop.uids.give_back(first_id)
            raise
        try:
            tree = self._birth(environment)
        except OSError:
            self.dismantle(environment)
            raise
        embryo = Embryo(environment=environment, tree=tree)

        def said(what: str, value: str) -> None:
            embryo.failure = f"{what}: {value}"

        tree.watch(self._loop, said, lambda: self._embryo_died(embryo))
        return embryo

    def _birth(self, environment: Environment) -> Tree:
        shop = self._workshop
        return Tree.be_born(environment, shop.network, shop.clock, shop.devices, shop.policy)

    def _furnish(self, name: str, first_id: int, ephemeral_bytes: int) -> Environment:
        shop = self._workshop
        volume = shop.volumes.take(ephemeral_bytes)
        try:
            group = shop.cgroups.group(name)
            return Environment.create(name, first_id, group, shop.network, volume)
        except OSError:
            volume.close()
            raise

    def _embryo_died(self, embryo: Embryo) -> None:
        if embryo not in self._ready:
            return
        self._ready.remove(embryo)
        self._pause_until_s = time.monotonic() + _PAUSE_AFTER_FAILURE_S
        logger.warning("a waiting sandbox ended", extra={"error": embryo.failure})
        self.dismantle(embryo.environment)

    def _remove(self, attempts: int) -> None:
        """Cgroups go when the kernel has forgotten their processes; then the ids are free."""
        left = []
        for group, first_id in self._removing:
            if group.remove():
                self._workshop.uids.give_back(first_id)
            else:
                left.append((group, first_id))
        self._removing = left
        if left and attempts > 1:
            self._loop.after(_REMOVE_AGAIN_S, lambda: self._remove(attempts - 1))
