"""The launcher: the one part of a host that keeps root. Small, single-threaded, without secrets.

    emberd-host run -> Launcher.run
        lock, sweep, cgroups, discovery   once
        agent                             started confined, restarted when it dies
        verbs                             create, reset, destroy, one packet each

It is started by exec and forks everything else. When it dies, by whatever death, the agent and
every sandbox die with it; when the agent dies, every sandbox is destroyed and a new agent started.
"""

from __future__ import annotations

import gc
import logging
import os
import pwd
import signal
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path

from emberd.wire.logtext import say_in_every_line
from emberd.wire.precedence import coming_first
from emberd.wire.survival import be_spared
from runtimes.catalog import RUNTIMES
from sandbox.process import (
    capabilities,
    cgroups,
    confine,
    copies,
    discovery,
    forks,
    mounts,
    protocol,
)
from sandbox.process import instance as instances
from sandbox.process.agent_keeper import AgentKeeper
from sandbox.process.agent_process import AgentProcess, AgentProgram, TokenSource
from sandbox.process.cgroup_layout import find_layout, mount_unified
from sandbox.process.child import Policy
from sandbox.process.clock import SandboxClock
from sandbox.process.code_folder import CodeFolder
from sandbox.process.disposer import Disposer
from sandbox.process.egress import Egress
from sandbox.process.ephemeral import Volumes
from sandbox.process.images import Images, Jobs
from sandbox.process.instance import Instance, UidRanges
from sandbox.process.loop import Loop
from sandbox.process.named_networks import NamedNetwork
from sandbox.process.network import HostNetwork
from sandbox.process.nursery import Nursery, Workshop
from sandbox.process.protocol import Create, Destroy, Hello, Reply, Reset, Stocked
from sandbox.process.sandboxes import Sandboxes
from sandbox.process.seccomp import build as build_filter
from sandbox.process.syscalls import landlock_abi
from sandbox.process.templates import RENEWED_AFTER_S, Ground, Templates
from sandbox.process.volume_maker import VolumeMaker
from sandbox.process.walls import demand, egress_wall, notes_of, survey
from sandbox.spec import MIB

logger = logging.getLogger(__name__)

EPHEMERAL_DEFAULT_BYTES = 512 * MIB
_END_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LauncherConfig:
    """What one host is told at its start."""

    state: Path
    agent_arguments: tuple[str, ...]
    """The interpreter's arguments that start the agent."""
    memory_bytes: int
    """Budget of all sandboxes together."""
    token_path: Path | None = None
    token_fd: int | None = None
    agent_needs: tuple[Path, ...] = ()
    """Paths the agent must reach, for example the control plane's socket."""
    embryos: int = 2
    """How many wait for a function without any demand."""
    parked_max: int = 0
    """How many of a runtime wait after a burst."""
    templates: bool = True
    """Whether sandboxes are forked from started runtimes; False: each executes its own."""
    template_age_s: float = RENEWED_AFTER_S
    """After so long a template gives way to another."""
    runtime_ids: tuple[str, ...] = ()
    """Only these runtimes, when any are named."""
    runtime_sources: dict[str, Path] = field(default_factory=dict)
    """Another folder than runtimes/<language> for /var/runtime (tests)."""
    networks: tuple[NamedNetwork, ...] = ()
    """What it offers beside egress and none."""
    allow_missing: tuple[str, ...] = ()
    """Walls that the operator lets this host do without."""
    left_out: frozenset[str] = frozenset()
    """Walls to do without though they are here: tests look at what the others hold."""


class Launcher:
    """One host's launcher, from its lock to its last cgroup."""

    def __init__(self, config: LauncherConfig) -> None:
        self._config = config
        self._instance = Instance(state=config.state)
        self._token = TokenSource(config.token_path, config.token_fd)
        self._stopping = False
        self._sandboxes: Sandboxes | None = None
        self._told = Stocked(parked=0, runtime_templates=0)

    def run(self) -> None:
        """Serve until SIGTERM; then leave nothing.

        Raises:
            StateInUseError: another host holds the state folder.
            CgroupError: this machine cannot limit sandboxes.
            WallMissingError: it lacks a wall that nobody allowed it to lack.
        """
        capabilities.die_with_parent(signal.SIGTERM)
        if not os.getpgrp():
            # Our group is of a pid namespace outside ours, or the kernel's own: births that have
            # left their midwife's group could not come into it, but would lead one, as no sandbox
            # may before its setsid.
            os.setpgid(0, 0)
        confine.raise_descriptor_limit()
        be_spared()
        os.umask(0o022)
        with coming_first() as self._comes_first:
            self._hold()

    def _hold(self) -> None:
        self._config.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock_fd = instances.take_lock(self._config.state)
        self._demand_walls()
        mounts.leave_host_table()
        Path(mounts.STAGE).mkdir(mode=0o755, parents=True, exist_ok=True)
        self._prepare_cgroups()
        self._loop = Loop(self._spare_work)
        self._listen_for_signals()
        missing = "egress" in self._missing
        self._egress = Egress(self._instance, self._config.networks, missing=missing)
        self._keeper = AgentKeeper(self._loop, self._token, self._agent_program, self._agent_ended)
        # The agent takes longest to come up; everything else is done meanwhile.
        self._keeper.start()
        try:
            self._prepare()
            self._keeper.serve(self._meet_agent)
            self._loop.run()
        finally:
            self._leave()
            os.close(lock_fd)

    def _demand_walls(self) -> None:
        """Refuse a host that is too weak, or let every line of its log say how."""
        layout = find_layout(Path("/proc/self/mountinfo").read_text())
        walls = survey(layout, without=self._config.left_out)
        self._notes = notes_of(walls)
        self._missing = demand(walls, self._config.allow_missing)
        if self._missing:
            say_in_every_line("missing_walls", self._missing)
        self._layout = layout

    def _prepare_cgroups(self) -> None:
        layout = mount_unified(self._layout, self._config.state / "cgroup2")
        self._layout = layout
        self._cgroups = cgroups.Tree(layout, self._instance.name, self._config.memory_bytes)
        swept = self._cgroups.sweep()
        if swept:
            logger.info("an earlier life left sandboxes", extra={"cgroups": swept})
            self._remove_cgroups()
        self._cgroups.open(behind_daemons=self._comes_first)

    def _prepare(self) -> None:
        state = self._config.state
        devices = state / "devices"
        mounts.make_devices(devices)
        self._uids = UidRanges()
        self._jobs = Jobs(self._loop)
        volumes = Volumes(state / "volumes")
        homes = (Path(pwd.getpwuid(0).pw_dir),)
        found = discovery.discover(state, os.environ.get("PATH", ""), homes)
        if self._config.runtime_ids:
            found = {name: found[name] for name in self._config.runtime_ids if name in found}
        self._images = Images(
            state / "images", found, volumes, self._jobs, self._config.runtime_sources
        )
        self._images.open()
        self._images.build_all(EPHEMERAL_DEFAULT_BYTES)
        self._maker = VolumeMaker(
            self._loop,
            volumes,
            size_bytes=EPHEMERAL_DEFAULT_BYTES,
            wanted=self._config.embryos,
        )
        self._disposer = Disposer()
        policy = Policy(
            seccomp_programs={name: self._filter_for(name) for name in found},
            template_programs={name: self._filter_for(name, copied=True) for name in found},
            landlock_abi=0 if "landlock" in self._missing else landlock_abi(),
        )
        self._open_egress()
        clock = None if "time-namespace" in self._missing else SandboxClock()
        self._templates = self._open_templates(policy, clock, str(devices))
        self._copying = copies.Ground(policy=policy, clock=clock)
        workshop = Workshop(
            cgroups=self._cgroups,
            uids=self._uids,
            network=HostNetwork(self._egress.router),
            clock=clock,
            volumes=self._maker,
            disposer=self._disposer,
            devices=str(devices),
            policy=policy,
        )
        self._nursery = Nursery(
            self._loop,
            workshop,
            self._templates,
            wanted=self._config.embryos,
            parked_max=self._config.parked_max,
            ephemeral_bytes=EPHEMERAL_DEFAULT_BYTES,
        )
        self._code = CodeFolder(state / "agent", self._instance.agent_id)
        # Children share the launcher's pages as long as nobody writes them.
        gc.collect()
        gc.freeze()

    def _open_egress(self) -> None:
        """Begin before the first sandbox; a host that may lack it goes on without."""
        why = self._egress.open(self._loop)
        if why:
            wall = egress_wall(f"{why} (see what nft and the kernel's log say)")
            self._notes = (*self._notes, wall.note)
            self._missing = (*self._missing, *demand([wall], self._config.allow_missing))
            say_in_every_line("missing_walls", self._missing)

    def _open_templates(
        self, policy: Policy, clock: SandboxClock | None, devices: str
    ) -> Templates:
        """Templates of the runtimes that are used; the last life tells which one that will be."""
        ground = Ground(images=self._images, policy=policy, clock=clock, devices=devices)
        templates = Templates(
            self._loop,
            ground,
            EPHEMERAL_DEFAULT_BYTES,
            enabled=self._config.templates,
            renewed_after_s=self._config.template_age_s,
        )
        for runtime_id in self._images.last_used[:1]:
            templates.want(runtime_id)
        return templates

    def _filter_for(self, runtime_id: str, *, copied: bool = False) -> bytes:
        if "seccomp" in self._missing:
            return b""
        return build_filter(more=RUNTIMES[runtime_id].system_calls, copied=copied)

    def _spare_work(self) -> bool:
        if self._stopping or (self._sandboxes is not None and self._sandboxes.is_starting):
            return False
        more = (self._keeper.is_up and self._templates.refill()) or self._nursery.refill()
        if not more and self._sandboxes is not None:
            more = self._sandboxes.refill()
        self._tell_stock()
        return more

    def _tell_stock(self) -> None:
        """Let the agent's heartbeats say what is kept ready; the agent that listens now."""
        stock = Stocked(parked=self._nursery.parked, runtime_templates=self._templates.ready)
        agent = self._keeper.agent
        if agent is not None and stock != self._told:
            self._told = stock
            agent.send(stock, ())

    def _listen_for_signals(self) -> None:
        read, write = socket.socketpair()
        for end in (read, write):
            end.settimeout(0)
        signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)
        for number in forks.ENDING:
            signal.signal(number, lambda _number, _frame: None)
        self._wakeup = (read, write)

        def woken() -> None:
            read.recv(64)
            self._stop()

        self._loop.watch(read.fileno(), woken)

    def _agent_program(self) -> AgentProgram:
        state, owner = self._config.state / "agent", self._instance.agent_id
        if not state.exists():
            state.mkdir(mode=0o700)
            os.chown(state, owner, owner)
        missing = [part for name in self._missing for part in ("--missing-wall", name)]
        networks = [part for name in self._egress.named for part in ("--network", name)]
        return AgentProgram(
            arguments=(*self._config.agent_arguments, *missing, *networks),
            confinement=confine.Confinement(
                uid=owner, gid=owner, owned=(state,), needed=self._config.agent_needs
            ),
        )

    def _meet_agent(self, agent: AgentProcess) -> None:
        """A fresh set of sandboxes for every agent."""
        sandboxes = Sandboxes(
            self._loop,
            self._nursery,
            self._templates,
            self._images,
            self._code,
            agent.send,
            self._copying,
            networks=self._egress.offered,
        )
        self._sandboxes = sandboxes
        self._told = Stocked(parked=0, runtime_templates=0)
        agent.listen(self._loop, lambda packet, fds: self._handle(agent, sandboxes, packet, fds))

    def _handle(
        self, agent: AgentProcess, sandboxes: Sandboxes, packet: bytes, fds: list[int]
    ) -> None:
        request = protocol.decode_request(packet)
        match request:
            case Hello():
                reply = Reply(
                    number=request.number, runtimes=self._images.versions, notes=self._notes
                )
                agent.send(reply, ())
            case Create() if len(fds) == len(request.targets):
                sandboxes.create(request, fds)
            case Create():
                raise protocol.refusal(
                    f"this create carries {len(request.targets)} descriptors, not {len(fds)}"
                )
            case Reset():
                sandboxes.reset(request.number, request.sandbox_id)
            case Destroy():
                sandboxes.destroy(request.number, request.sandbox_id)

    def _agent_ended(self) -> None:
        if self._sandboxes is not None:
            self._sandboxes.close()
        if self._stopping:
            self._finish()

    def _stop(self) -> None:
        if self._stopping:
            return
        self._stopping = True
        logger.info("stopping")
        if not self._keeper.stop():
            self._finish()

    def _finish(self) -> None:
        """Leave the loop once the last sandbox is gone, or when that takes too long."""
        if self._sandboxes is None or self._sandboxes.is_empty:
            self._loop.stop()
        else:
            self._loop.after(0.005, self._finish)
            self._loop.after(_END_S, self._loop.stop)

    def _leave(self) -> None:
        self._keeper.kill()
        for part in ("_jobs", "_nursery", "_templates", "_maker", "_disposer", "_uids"):
            if hasattr(self, part):
                getattr(self, part).close()
        self._egress.close()
        self._cgroups.sweep()
        self._remove_cgroups()

    def _remove_cgroups(self) -> None:
        deadline = time.monotonic() + _END_S
        while left := self._cgroups.remove():
            if time.monotonic() > deadline:
                logger.error("cgroups are still in use", extra={"paths": [*map(str, left)]})
                return
            time.sleep(0.002)
