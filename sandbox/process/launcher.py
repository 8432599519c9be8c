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
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emberd.wire.backoff import Backoff
from emberd.wire.errors import EmberdError
from emberd.wire.logtext import say_in_every_line
from emberd.wire.survival import be_spared
from runtimes.catalog import RUNTIMES
from sandbox.process import capabilities, cgroups, confine, copies, discovery, mounts, protocol
from sandbox.process import instance as instances
from sandbox.process.agent_process import AgentProcess, AgentProgram, TokenSource
from sandbox.process.cgroup_layout import find_layout, mount_unified
from sandbox.process.child import Policy
from sandbox.process.clock import SandboxClock
from sandbox.process.code_folder import CodeFolder
from sandbox.process.disposer import Disposer
from sandbox.process.ephemeral import Volumes
from sandbox.process.images import Images, Jobs
from sandbox.process.instance import Instance, UidRanges
from sandbox.process.loop import Loop
from sandbox.process.named_networks import NamedNetwork
from sandbox.process.network import HostNetwork
from sandbox.process.nursery import Nursery, Workshop
from sandbox.process.protocol import Create, Destroy, Hello, Message, Reply, Reset, Stocked
from sandbox.process.resolver_process import ResolverProcess
from sandbox.process.router import Router
from sandbox.process.sandboxes import Sandboxes
from sandbox.process.seccomp import build as build_filter
from sandbox.process.syscalls import landlock_abi
from sandbox.process.templates import RENEWED_AFTER_S, Ground, Templates
from sandbox.process.volume_maker import VolumeMaker
from sandbox.process.walls import demand, egress_wall, notes_of, survey
from sandbox.spec import EGRESS, MIB, NO_NETWORK

logger = logging.getLogger(__name__)

EPHEMERAL_DEFAULT_BYTES = 512 * MIB
AGENT_DRAIN_S = 15.0
"""The agent drains for less than this; then it is killed."""
_COMING_UP_S = 1.5
"""How long after an agent's start nothing that can wait takes processor time from it."""
_END_S = 3.0
_SEND_TIMEOUT_S = 2.0


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
        self._backoff = Backoff()
        self._stopping = False
        self._router: Router | None = None
        self._resolver: ResolverProcess | None = None
        self._host_is_up = False
        self._agent: AgentProcess | None = None
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
        self._config.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock_fd = instances.take_lock(self._config.state)
        self._demand_walls()
        mounts.leave_host_table()
        Path(mounts.STAGE).mkdir(mode=0o755, parents=True, exist_ok=True)
        self._prepare_cgroups()
        self._loop = Loop(self._spare_work)
        self._listen_for_signals()
        # The agent takes longest to come up; everything else is done meanwhile.
        self._start_agent()
        try:
            self._prepare()
            self._serve_agent()
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
        self._cgroups.open()

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
        self._open_router()
        clock = None if "time-namespace" in self._missing else SandboxClock()
        self._templates = self._open_templates(policy, clock, str(devices))
        self._copying = copies.Ground(policy=policy, clock=clock)
        workshop = Workshop(
            cgroups=self._cgroups,
            uids=self._uids,
            network=HostNetwork(self._router),
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

    def _open_router(self) -> None:
        """Begin before the first sandbox; a host that may lack it goes on without."""
        if "egress" in self._missing:
            return
        router = Router(self._instance.name, self._config.networks)
        try:
            router.open()
        except OSError as error:
            wall = egress_wall(f"{error} (see what nft and the kernel's log say)")
            self._notes = (*self._notes, wall.note)
            self._missing = (*self._missing, *demand([wall], self._config.allow_missing))
            say_in_every_line("missing_walls", self._missing)
            return
        self._router = router
        sockets = router.dns_sockets()
        self._resolver = ResolverProcess(self._loop, sockets, self._instance.resolver_id)

    @property
    def _offered(self) -> tuple[str, ...]:
        """The networks that functions may have here."""
        named = () if "egress" in self._missing else self._config.networks
        return (EGRESS, NO_NETWORK, *(each.name for each in named))

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
        more = (self._host_is_up and self._templates.refill()) or self._nursery.refill()
        if not more and self._sandboxes is not None:
            more = self._sandboxes.refill()
        self._tell_stock()
        return more

    def _tell_stock(self) -> None:
        """Let the agent's heartbeats say what is kept ready; the agent that listens now."""
        stock = Stocked(parked=self._nursery.parked, runtime_templates=self._templates.ready)
        if self._agent is not None and stock != self._told:
            self._told = stock
            self._send(stock, ())

    def _listen_for_signals(self) -> None:
        read, write = socket.socketpair()
        for end in (read, write):
            end.settimeout(0)
        signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda _number, _frame: None)
        self._wakeup = (read, write)

        def woken() -> None:
            read.recv(64)
            self._stop()

        self._loop.watch(read.fileno(), woken)

    def _start_agent(self) -> None:
        state = self._config.state / "agent"
        owner = self._instance.agent_id
        program = AgentProgram(
            arguments=(
                *self._config.agent_arguments,
                *self._tell_of_missing(),
                *self._tell_of_networks(),
            ),
            confinement=confine.Confinement(
                uid=owner, gid=owner, owned=(state,), needed=self._config.agent_needs
            ),
        )
        if not state.exists():
            state.mkdir(mode=0o700)
            os.chown(state, owner, owner)
        self._agent = AgentProcess.start(program, self._token)
        self._agent.watch(self._loop, self._agent_ended)
        logger.info("the agent is started")
        self._loop.after(_COMING_UP_S, self._came_up)

    def _tell_of_networks(self) -> list[str]:
        named = (name for name in self._offered if name not in (EGRESS, NO_NETWORK))
        return [part for name in named for part in ("--network", name)]

    def _tell_of_missing(self) -> list[str]:
        return [part for name in self._missing for part in ("--missing-wall", name)]

    def _serve_agent(self) -> None:
        """Attach a fresh set of sandboxes to the agent's socket."""
        agent = self._agent
        assert agent is not None, "an agent is started before it is served"
        connection = agent.connection
        connection.settimeout(_SEND_TIMEOUT_S)

        def send(message: Message, fds: Sequence[int]) -> None:
            if agent.has_ended:
                return
            try:
                socket.send_fds(connection, [protocol.encode_message(message)], list(fds))
            except OSError as error:
                # Gone, or so stuck that it takes no message: either way a new one must come.
                logger.warning("the agent takes no message", extra={"error": str(error)})
                agent.signal(signal.SIGKILL)

        self._sandboxes = Sandboxes(
            self._loop,
            self._nursery,
            self._templates,
            self._images,
            self._code,
            send,
            self._copying,
            networks=self._offered,
        )
        self._send = send
        self._told = Stocked(parked=0, runtime_templates=0)
        self._loop.watch(connection.fileno(), lambda: self._receive(connection))

    def _receive(self, connection: socket.socket) -> None:
        try:
            packet, fds = protocol.receive(connection)
        except ConnectionError:
            packet, fds = b"", []
        if not packet:
            # The process ends next, or is made to.
            self._loop.unwatch(connection.fileno())
            if self._agent is not None and not self._stopping:
                self._agent.signal(signal.SIGTERM)
            return
        try:
            self._handle(packet, fds)
        except EmberdError as error:
            self._send(Reply(number=protocol.number_of(packet), error=error), ())
        finally:
            for fd in fds:
                os.close(fd)

    def _handle(self, packet: bytes, fds: list[int]) -> None:
        request = protocol.decode_request(packet)
        sandboxes = self._sandboxes
        assert sandboxes is not None, "requests are read only while an agent is served"
        match request:
            case Hello():
                reply = Reply(
                    number=request.number, runtimes=self._images.versions, notes=self._notes
                )
                self._send(reply, ())
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

    def _came_up(self) -> None:
        self._host_is_up = True

    def _agent_ended(self, status: int) -> None:
        age_s = self._agent.age_s if self._agent is not None else 0.0
        self._agent = None
        if self._sandboxes is not None:
            self._sandboxes.close()
        if self._stopping:
            self._finish()
            return
        pause_s = self._backoff.after(age_s)
        logger.warning("the agent ended", extra={"status": status, "restart_in_s": pause_s})
        self._loop.after(pause_s, self._restart_agent)

    def _restart_agent(self) -> None:
        if not self._stopping:
            self._start_agent()
            self._serve_agent()

    def _stop(self) -> None:
        if self._stopping:
            return
        self._stopping = True
        logger.info("stopping")
        if self._agent is None:
            self._finish()
            return
        self._agent.signal(signal.SIGTERM)
        self._loop.after(AGENT_DRAIN_S, self._kill_agent)

    def _kill_agent(self) -> None:
        if self._agent is not None:
            logger.warning("the agent did not end in time")
            self._agent.signal(signal.SIGKILL)

    def _finish(self) -> None:
        """Leave the loop once the last sandbox is gone, or when that takes too long."""
        if self._sandboxes is None or self._sandboxes.is_empty:
            self._loop.stop()
        else:
            self._loop.after(0.005, self._finish)
            self._loop.after(_END_S, self._loop.stop)

    def _leave(self) -> None:
        if self._agent is not None:
            self._agent.signal(signal.SIGKILL)
        for part in ("_jobs", "_nursery", "_templates", "_maker", "_disposer", "_uids"):
            if hasattr(self, part):
                getattr(self, part).close()
        if self._resolver is not None:
            self._resolver.close()
        if self._router is not None:
            self._router.close()
        self._cgroups.sweep()
        self._remove_cgroups()

    def _remove_cgroups(self) -> None:
        deadline = time.monotonic() + _END_S
        while left := self._cgroups.remove():
            if time.monotonic() > deadline:
                logger.error("cgroups are still in use", extra={"paths": [*map(str, left)]})
                return
            time.sleep(0.002)
