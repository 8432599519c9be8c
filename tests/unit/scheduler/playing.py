"""Plays events to a scheduler and checks its books after every one."""

from __future__ import annotations

from collections.abc import Mapping

from controlplane.model.revision import ProvisionedSlots
from controlplane.scheduler import (
    AttemptEnded,
    AttemptRefused,
    Command,
    Event,
    Fail,
    HostAttached,
    HostLost,
    HostReported,
    InvocationArrived,
    InvocationCancelled,
    Place,
    RefusalReason,
    Scheduler,
    Throttle,
)

MIB = 1024 * 1024
PYTHON = "python3.12"


class Play:
    """A scheduler on a stage: says events in few words and remembers where things run."""

    def __init__(self, scheduler: Scheduler | None = None) -> None:
        self.scheduler = scheduler or Scheduler()
        self.now_s = 0.0
        self.hosts_of: dict[str, str] = {}
        """The host of every invocation that was placed and has not ended."""
        self.endings: dict[str, str] = {}
        """How each invocation ended: the reason of a Throttle or Fail, or 'ended'."""
        self._number = 0

    def tell(self, event: Event) -> list[Command]:
        commands = self.scheduler.handle(event)
        self.scheduler.check_invariants()
        for command in commands:
            self._note(command)
        return commands

    def _note(self, command: Command) -> None:
        match command:
            case Place():
                assert command.invocation_id not in self.endings, command
                assert command.invocation_id not in self.hosts_of, command
                self.hosts_of[command.invocation_id] = command.host_id
            case Throttle() | Fail():
                assert command.invocation_id not in self.endings, command
                self.endings[command.invocation_id] = command.reason.value
                self.hosts_of.pop(command.invocation_id, None)

    def attach(
        self,
        host_id: str,
        *,
        epoch: int = 1,
        memory_mib: int = 1024,
        sandboxes: int = 100,
        cores: int = 100,
        runtimes: tuple[str, ...] = (PYTHON,),
        architecture: str = "x86_64",
        idle: Mapping[str, int] | None = None,
        artifacts: tuple[str, ...] = (),
        networks: tuple[str, ...] = (),
    ) -> list[Command]:
        return self.tell(
            HostAttached(
                now_s=self.now_s,
                host_id=host_id,
                epoch=epoch,
                memory_bytes=memory_mib * MIB,
                sandboxes_max=sandboxes,
                cpu_millis=cores * 1000,
                runtimes=frozenset(runtimes),
                architecture=architecture,
                idle=idle or {},
                artifacts=frozenset(artifacts),
                networks=frozenset(networks),
            )
        )

    def arrive(
        self,
        function: str = "f",
        *,
        revision: str | None = None,
        runtime: str = PYTHON,
        architecture: str = "x86_64",
        reserved: int | None = None,
        provisioned: ProvisionedSlots | None = None,
        artifact: str | None = None,
        network: str = "egress",
    ) -> Command:
        """One invocation; returns the one command that answers it."""
        self._number += 1
        (command,) = self.tell(
            InvocationArrived(
                now_s=self.now_s,
                invocation_id=f"i{self._number}",
                function_name=function,
                revision_id=revision or f"rev-{function}",
                runtime_id=runtime,
                architecture=architecture,
                artifact_id=artifact or f"code-{function}",
                reserved_concurrency=reserved,
                provisioned=provisioned,
                network=network,
            )
        )
        return command

    def place(self, function: str = "f", **how: object) -> Place:
        """One invocation that must be placed."""
        command = self.arrive(function, **how)  # type: ignore[arg-type]  # only passed on
        assert isinstance(command, Place), command
        return command

    def end(self, place: Place, *, kept: bool = True, peak_mib: int = 0) -> None:
        """The placed attempt ran to its end on its host."""
        self.hosts_of.pop(place.invocation_id, None)
        self.endings[place.invocation_id] = "ended"
        commands = self.tell(
            AttemptEnded(
                now_s=self.now_s,
                invocation_id=place.invocation_id,
                host_id=place.host_id,
                sandbox_kept=kept,
                memory_peak_bytes=peak_mib * MIB,
            )
        )
        assert commands == []

    def refuse(self, place: Place, reason: RefusalReason, message: str = "no") -> list[Command]:
        """The placed attempt was handed back by its host."""
        self.hosts_of.pop(place.invocation_id, None)
        return self.tell(
            AttemptRefused(
                now_s=self.now_s,
                invocation_id=place.invocation_id,
                host_id=place.host_id,
                reason=reason,
                message=message,
            )
        )

    def cancel(self, place: Place) -> list[Command]:
        return self.tell(InvocationCancelled(now_s=self.now_s, invocation_id=place.invocation_id))

    def lose(self, host_id: str, *, epoch: int = 1) -> list[Command]:
        return self.tell(HostLost(now_s=self.now_s, host_id=host_id, epoch=epoch))

    def report(self, host_id: str, charged_mib: int, *, sandboxes: int = 0) -> None:
        commands = self.tell(
            HostReported(
                now_s=self.now_s,
                host_id=host_id,
                memory_charged_bytes=charged_mib * MIB,
                sandboxes=sandboxes,
            )
        )
        assert commands == []
