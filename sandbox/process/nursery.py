"""Embryos: environments made in advance, each with a child that waits for its function.

Making one costs some ten milliseconds (a loop device, a network namespace, the first attach to a
v1 cgroup after a quiet time); taking one costs nothing. They hold no tenant byte. The children of
some have no program yet and will execute one of any runtime; those of others are forks of a
runtime's template, parked in the started program.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections import defaultdict, deque
from dataclasses import dataclass

from sandbox.process.cgroups import Group
from sandbox.process.cgroups import Tree as CgroupTree
from sandbox.process.child import Policy
from sandbox.process.clock import SandboxClock
from sandbox.process.demand import Demand
from sandbox.process.disposer import Disposer
from sandbox.process.environments import Environment
from sandbox.process.instance import UidRanges
from sandbox.process.loop import Loop
from sandbox.process.midwife import Midwife
from sandbox.process.network import HostNetwork
from sandbox.process.templates import Template, Templates
from sandbox.process.trees import Tree
from sandbox.process.volume_maker import VolumeMaker

logger = logging.getLogger(__name__)

_PAUSE_AFTER_FAILURE_S = 2.0
_LOOK_AGAIN_S = 15.0
"""How often it is asked whether a burst is so long ago that fewer need wait."""
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


@dataclass(eq=False, slots=True, kw_only=True)
class Embryo:
    """An environment with a waiting child."""

    environment: Environment
    tree: Tree
    template: Template | None = None
    """What its child was forked from."""
    failure: str = ""


class Nursery:
    """Keeps embryos ready, and takes apart what is not needed any more."""

    def __init__(
        self,
        loop: Loop,
        workshop: Workshop,
        templates: Templates,
        *,
        wanted: int,
        parked_max: int,
        ephemeral_bytes: int,
    ) -> None:
        """wanted is how many are to wait of each kind: for any runtime, and per template.

        Of a template's, up to parked_max wait after a burst.
        """
        self._loop = loop
        self._workshop = workshop
        self._templates = templates
        self._demand = Demand(least=wanted, most=parked_max)
        self._will_look = False
        self._ephemeral_bytes = ephemeral_bytes
        self._waiting: defaultdict[str, deque[Embryo]] = defaultdict(deque)
        """By the runtime they are parked in; those for any runtime by an empty name."""
        self._numbers = itertools.count(1)
        self._pause_until_s = 0.0
        self._removing: list[tuple[Group, int | None]] = []

    @property
    def parked(self) -> int:
        """How many wait in a started runtime."""
        return sum(len(waiting) for name, waiting in self._waiting.items() if name)

    def refill(self) -> bool:
        """Make one embryo if one is missing; whether another should follow."""
        if time.monotonic() < self._pause_until_s:
            return False
        if self._end_surplus():
            return True
        self._renew()
        missing = self._missing()
        if missing is None or not self._workshop.volumes.is_ready(self._ephemeral_bytes):
            return False
        self._workshop.volumes.refill()
        if self._workshop.volumes.is_busy:
            # Its arrival is an event, and the next quiet moment comes after it.
            return False
        try:
            embryo = self._make(self._ephemeral_bytes, self._templates.find(missing))
        except OSError as error:
            self._pause_until_s = time.monotonic() + _PAUSE_AFTER_FAILURE_S
            logger.warning("a sandbox could not be prepared", extra={"error": str(error)})
            return False
        self._waiting[missing].append(embryo)
        return self._missing() is not None

    def take(self, runtime_id: str, ephemeral_bytes: int, *, parked: bool) -> Embryo:
        """A healthy embryo for this runtime with this size of /tmp, made now if none waits.

        Args:
            runtime_id: What is to run in it.
            ephemeral_bytes: Size of its /tmp.
            parked: A fork of the runtime's template will do.

        Raises:
            OSError: a kernel facility refused.
            NoUidRangeError: no uid range is left.
        """
        usual = ephemeral_bytes == self._ephemeral_bytes
        if parked and usual:
            self._demand.took(runtime_id, time.monotonic())
        embryo = self._next(runtime_id) if parked and usual else None
        if embryo is not None:
            return embryo
        embryo = self._next("")
        if embryo is not None and not usual:
            volume = self._workshop.volumes.take(ephemeral_bytes)
            self._workshop.disposer.take(embryo.environment.replace_volume(volume))
        template = self._templates.find(runtime_id) if parked else None
        if template is None:
            return embryo or self._make(ephemeral_bytes, None)
        # A fork made now is still far quicker than a program that must be executed.
        if embryo is None:
            return self._make(ephemeral_bytes, template)
        return self._replace_child(embryo, template)

    def bear(self, environment: Environment, runtime_id: str, *, parked: bool) -> Tree:
        """A new waiting child in an environment that is kept."""
        environment.volume.remount()
        return self._birth(environment, self._templates.find(runtime_id) if parked else None)

    def nest(self, midwife: Midwife, first_id: int, ephemeral_bytes: int) -> Embryo:
        """An environment for a copy of a function template, which shares the template's ids.

        Raises:
            OSError: a kernel facility refused, or the midwife is gone.
        """
        shop = self._workshop
        name = f"s{next(self._numbers)}"
        volume = shop.volumes.take(ephemeral_bytes)
        group = None
        try:
            volume.give_to(first_id)
            group = shop.cgroups.group(name)
            tree, namespace_fd = Tree.be_nested(group, midwife, shop.devices)
        except OSError:
            volume.close()
            if group is not None:
                self._discard(group)
            raise
        try:
            inside = shop.network.furnish(namespace_fd)
        except OSError:
            tree.kill_and_reap()
            volume.close()
            self._discard(group)
            raise
        environment = Environment.around(name, first_id, group, inside, volume)
        environment.owns_ids = False
        environment.hold_mounts(tree.pid)
        return self._watched(_embryo(environment, tree, None))

    def _discard(self, group: Group) -> None:
        self._removing.append((group, None))
        self._remove(_REMOVE_ATTEMPTS)

    def _replace_child(self, embryo: Embryo, template: Template) -> Embryo:
        """Its environment is good, its child has no program: let the template's take its place."""
        embryo.tree.kill_and_reap()
        try:
            tree = self._birth(embryo.environment, template)
        except OSError:
            self.dismantle(embryo.environment)
            raise
        return self._watched(_embryo(embryo.environment, tree, template))

    def _missing(self) -> str | None:
        """Of which kind there are too few."""
        for kind in (*self._templates.runtime_ids, ""):
            if len(self._waiting[kind]) < self._wanted_of(kind):
                return kind
        return None

    def _wanted_of(self, kind: str) -> int:
        return self._demand.wanted(kind, time.monotonic())

    def _end_surplus(self) -> bool:
        """End one that nobody has asked for lately; whether there was one."""
        for kind, waiting in self._waiting.items():
            if len(waiting) > self._wanted_of(kind):
                self._end(waiting.popleft())
                return True
        if self._demand.is_remembered and not self._will_look:
            self._will_look = True
            self._loop.after(_LOOK_AGAIN_S, self._look_again)
        return False

    def _look_again(self) -> None:
        """Time has passed: the spare moment after this one finds what is too much."""
        self._will_look = False

    def _next(self, kind: str) -> Embryo | None:
        waiting = self._waiting[kind]
        while waiting:
            embryo = waiting.popleft()
            if not embryo.tree.is_dead:
                return embryo
            self.dismantle(embryo.environment)
        return None

    def _renew(self) -> None:
        """End those whose template has given way to another: one at a time, so some are left."""
        for runtime_id in self._templates.runtime_ids:
            waiting = self._waiting[runtime_id]
            if waiting and waiting[0].template is not self._templates.find(runtime_id):
                self._end(waiting.popleft())

    def dismantle(self, environment: Environment) -> None:
        """Nothing runs in it any more: give everything back."""
        environment.close()
        if environment.mounts_fd >= 0:
            self._workshop.disposer.take_mounts(environment.mounts_fd)
        self._workshop.disposer.take(environment.volume)
        first_id = environment.first_id if environment.owns_ids else None
        self._removing.append((environment.group, first_id))
        self._remove(_REMOVE_ATTEMPTS)

    def close(self) -> None:
        """End all embryos and wait for the kernel to let go."""
        for waiting in self._waiting.values():
            while waiting:
                self._end(waiting.popleft())
        deadline = time.monotonic() + _REMOVE_ATTEMPTS * _REMOVE_AGAIN_S
        while self._removing and time.monotonic() < deadline:
            self._remove(0)
            time.sleep(0.001)

    def _end(self, embryo: Embryo) -> None:
        embryo.tree.kill_and_reap()
        self.dismantle(embryo.environment)

    def _make(self, ephemeral_bytes: int, template: Template | None) -> Embryo:
        shop = self._workshop
        first_id = shop.uids.take()
        name = f"s{next(self._numbers)}"
        try:
            environment = self._furnish(name, first_id, ephemeral_bytes)
        except OSError:
            shop.uids.give_back(first_id)
            raise
        try:
            tree = self._birth(environment, template)
        except OSError:
            self.dismantle(environment)
            raise
        return self._watched(_embryo(environment, tree, template))

    def _watched(self, embryo: Embryo) -> Embryo:
        def said(what: str, value: str) -> None:
            embryo.failure = f"{what}: {value}"

        embryo.tree.watch(self._loop, said, lambda: self._embryo_died(embryo))
        return embryo

    def _birth(self, environment: Environment, template: Template | None) -> Tree:
        """A fork of the template; where that has just died, of the launcher."""
        shop = self._workshop
        if template is not None:
            try:
                return Tree.be_forked(environment, template)
            except OSError as error:
                if not template.is_dead:
                    raise
                logger.warning("a template died", extra={"error": str(error)})
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
        waiting = next((each for each in self._waiting.values() if embryo in each), None)
        if waiting is None:
            return
        waiting.remove(embryo)
        self._pause_until_s = time.monotonic() + _PAUSE_AFTER_FAILURE_S
        logger.warning("a waiting sandbox ended", extra={"error": embryo.failure})
        self.dismantle(embryo.environment)

    def _remove(self, attempts: int) -> None:
        """Cgroups go when the kernel has forgotten their processes; then the ids are free."""
        left = []
        for group, first_id in self._removing:
            if group.remove():
                if first_id is not None:
                    self._workshop.uids.give_back(first_id)
            else:
                left.append((group, first_id))
        self._removing = left
        if left and attempts > 1:
            self._loop.after(_REMOVE_AGAIN_S, lambda: self._remove(attempts - 1))


def _embryo(environment: Environment, tree: Tree, template: Template | None) -> Embryo:
    return Embryo(environment=environment, tree=tree, template=template if tree.is_parked else None)
