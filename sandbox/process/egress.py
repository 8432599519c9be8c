"""How sandboxes reach the world: router and resolver of the host, and the networks it offers."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.process.instance import Instance
from sandbox.process.loop import Loop
from sandbox.process.named_networks import NamedNetwork
from sandbox.process.resolver_process import ResolverProcess
from sandbox.process.router import Router
from sandbox.spec import EGRESS, NO_NETWORK


class Egress:
    """Of one host, which may lack it: then functions reach nothing."""

    def __init__(
        self, instance: Instance, networks: Sequence[NamedNetwork], *, missing: bool
    ) -> None:
        self._instance = instance
        self._networks = networks
        self._missing = missing
        self._resolver: ResolverProcess | None = None
        self.router: Router | None = None

    @property
    def named(self) -> tuple[str, ...]:
        """The operator's networks that are there."""
        return () if self._missing else tuple(each.name for each in self._networks)

    @property
    def offered(self) -> tuple[str, ...]:
        """The networks that functions may have here."""
        return (EGRESS, NO_NETWORK, *self.named)

    def open(self, loop: Loop) -> str:
        """Begin, before the first sandbox; why this host turns out to lack it, if it does."""
        if self._missing:
            return ""
        router = Router(self._instance.name, self._networks)
        try:
            router.open()
        except OSError as error:
            self._missing = True
            return str(error)
        self.router = router
        sockets = router.dns_sockets()
        self._resolver = ResolverProcess(loop, sockets, self._instance.resolver_id)
        return ""

    def close(self) -> None:
        """Leave nothing of it."""
        if self._resolver is not None:
            self._resolver.close()
        if self.router is not None:
            self.router.close()
