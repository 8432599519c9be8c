"""What outlives a failed invocation: uid range, cgroups, network, /tmp and the log's pipe."""

from __future__ import annotations

import contextlib
import fcntl
import os
from dataclasses import dataclass

from sandbox.process.cgroups import Group
from sandbox.process.ephemeral import Volume
from sandbox.process.network import HostNetwork, SandboxNetwork

_LOG_PIPE_BYTES = 256 * 1024


@dataclass(slots=True, kw_only=True)
class Environment:
    """Everything a sandbox has besides its processes."""

    name: str
    """Its cgroups' name; says nothing about whose it is."""
    first_id: int
    group: Group
    network: SandboxNetwork
    log_read_fd: int
    log_write_fd: int
    volume: Volume
    owns_ids: bool = True
    """False for a copy, which shares its template's."""
    mounts_fd: int = -1
    """The newest tree's mount namespace."""

    @classmethod
    def create(
        cls, name: str, first_id: int, group: Group, network: HostNetwork, volume: Volume
    ) -> Environment:
        """Make the parts that are cheap; the expensive ones are given."""
        volume.give_to(first_id)
        return cls.around(name, first_id, group, network.create(), volume)

    @classmethod
    def around(
        cls, name: str, first_id: int, group: Group, inside: SandboxNetwork, volume: Volume
    ) -> Environment:
        """Around a network that is there."""
        read_fd, write_fd = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(read_fd, False)
        # The host may cap pipes; a smaller one only wakes the agent more often.
        with contextlib.suppress(OSError):
            fcntl.fcntl(write_fd, fcntl.F_SETPIPE_SZ, _LOG_PIPE_BYTES)
        return cls(
            name=name,
            first_id=first_id,
            group=group,
            network=inside,
            log_read_fd=read_fd,
            log_write_fd=write_fd,
            volume=volume,
        )

    def hold_mounts(self, pid: int) -> None:
        """Keep this process's mount namespace, in place of an earlier tree's.

        The last to leave one waits until all in it is unmounted, and whoever waits for a sandbox's
        end would wait for that too.
        """
        before = self.mounts_fd
        with contextlib.suppress(FileNotFoundError):  # It has ended already.
            self.mounts_fd = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
            if before >= 0:
                os.close(before)

    def replace_volume(self, volume: Volume) -> Volume:
        """Another size of /tmp, before anything runs; returns the one it had."""
        volume.give_to(self.first_id)
        before, self.volume = self.volume, volume
        return before

    def close(self) -> None:
        """Give back all but cgroups, volume and mounts, which need the kernel's leisure."""
        self.network.close()
        for fd in (self.log_read_fd, self.log_write_fd):
            os.close(fd)
