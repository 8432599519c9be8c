"""The part of the control plane that loads after it listens: the HTTP port's application.

Half of all that a control plane has to read is here: aiohttp, AWS's models, the operations of its
services. No invocation over gRPC needs any of it, so it is read in a thread while invocations are
accepted already. Nobody is refused meanwhile: connections to the port wait in the kernel, and what
comes over gRPC for an operation, or from a function through its host, waits as `late` says.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

from controlplane.api.aws.application import AwsApplication, Neighbour
from controlplane.api.aws.authorisation import Authoriser
from controlplane.api.aws.bodies import Bodies
from controlplane.api.aws.doors import Doors
from controlplane.api.aws.downloads import Downloads
from controlplane.api.aws.neighbours import neighbours
from controlplane.api.aws.services import Services
from controlplane.api.behind import Behind
from controlplane.api.grpc.carrier import OperationCarrier
from controlplane.api.inside import InsideDoor
from controlplane.api.scrape import Scrape
from controlplane.api.urls.front import FunctionUrls
from controlplane.identity.callers import root
from controlplane.identity.no_auth import LoopbackAuthenticator

STOP_S = 2.0
"""How long open requests may go on once the control plane is told to stop."""


class Fronts:
    """What HTTP, functions inside their sandboxes, and OperationService over gRPC lead to."""

    def __init__(
        self, behind: Behind, services: Sequence[Neighbour], *, auth: bool, http_address: str
    ) -> None:
        """http_address is what operations name as their endpoint; auth, whether HTTP wants it."""
        self.inside = InsideDoor()
        arns, registry, identity = behind.arns, behind.registry, behind.identity
        authoriser = Authoriser(arns, registry.settings, registry.layers.policy_of, identity.roles)
        parts = _services(behind)
        self.operations = OperationCarrier(
            parts,
            principal=root(arns.account_id),
            authorise=authoriser,
            endpoint=f"http://{http_address}",
        )
        bodies = Bodies(function_of=self.inside.function_of)
        application = _application(behind, parts, services, authoriser, bodies, auth=auth)
        self._server = application.server()
        self.inside.lead_to(self._server)

    @asynccontextmanager
    async def serving(self, sockets: Sequence[socket.socket]) -> AsyncIterator[None]:
        """Serve those who connect to these sockets, or have connected before; closes them."""
        runner = web.ServerRunner(self._server, shutdown_timeout=STOP_S)
        await runner.setup()
        for each in sockets:
            await web.SockSite(runner, each).start()
        try:
            yield
        finally:
            await runner.cleanup()


def read_services() -> Sequence[Neighbour]:
    """The services on the port; their models are large, so this takes a while. Needs no loop."""
    return neighbours()


def _services(behind: Behind) -> Services:
    return Services(
        registry=behind.registry,
        settings=behind.registry.settings,
        dispatcher=behind.dispatcher,
        downloads=Downloads(behind.registry.artifacts, secrets.token_bytes(32)),
        identity=behind.identity,
        logs=behind.logs,
        arns=behind.arns,
    )


def _application(
    behind: Behind,
    parts: Services,
    services: Sequence[Neighbour],
    authoriser: Authoriser,
    bodies: Bodies,
    *,
    auth: bool,
) -> AwsApplication:
    dispatcher, authenticator = parts.dispatcher, parts.identity.authenticator
    # A function URL with AWS_IAM asks for a signature all the same: its owner said so.
    open_here = LoopbackAuthenticator(root(parts.arns.account_id), authenticator)
    urls = FunctionUrls(
        dispatcher,
        parts.settings.url_target,
        authenticator,
        authoriser,
        bodies.read,
        region=parts.arns.region,
        measure=behind.tallies.urls.measure,
    )
    scrape = Scrape(behind.tallies, behind.read_state, behind.metrics_token)
    return AwsApplication(
        parts,
        Doors(authenticator=authenticator if auth else open_here, authorise=authoriser),
        services,
        hosts_attached=lambda: len(dispatcher.hosts),
        fronts=[parts.downloads, urls, scrape],
        bodies=bodies,
        audit=behind.audit,
    )
