"""`emberd serve --no-auth`: whoever reaches the port from this machine is the account itself.

For a developer's own machine only. Three doors stay closed: functions, whose connections come
through their hosts' tunnels, must sign as ever; a web page in a browser on this machine must not
deploy code by a form that posts to a known port, nor by a name that it lets point here.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Protocol

from controlplane.identity.request import SignedRequest
from controlplane.model.principal import Principal
from emberd.wire.errors import DeniedError

# Browsers add one of these to whatever a page of another origin sends.
_BROWSER_HEADERS = frozenset({"origin", "sec-fetch-site", "sec-fetch-mode"})
_HOST = re.compile(r"(?P<name>[^:\[\]]+|\[[^\[\]]+\])(?::[0-9]+)?")


class Authenticator(Protocol):
    """Proves who sends a request; `SignatureAuthenticator` is one."""

    def authenticate(self, request: SignedRequest, service: str) -> Principal:
        """Who it is."""


class LoopbackAuthenticator:
    """Takes signatures from inside, and everybody on this machine who is no browser."""

    def __init__(self, root: Principal, inside: Authenticator) -> None:
        self._root = root
        self._inside = inside

    def authenticate(self, request: SignedRequest, service: str) -> Principal:
        """The account itself, or who signed.

        Raises:
            DeniedError: it comes from elsewhere without a signature, or out of a browser.
        """
        if not _is_loopback(request.peer):
            return self._inside.authenticate(request, service)
        headers = {name.lower(): value for name, value in request.headers}
        if not _BROWSER_HEADERS.isdisjoint(headers) or not _names_this_machine(
            headers.get("host", "")
        ):
            raise DeniedError(
                "--no-auth lets no browser in: a page could deploy code on this machine",
                reason="ACCESS_DENIED",
            )
        return self._root


def _names_this_machine(host: str) -> bool:
    match = _HOST.fullmatch(host)
    if match is None:
        return False
    name = match["name"].strip("[]").lower()
    return name == "localhost" or name.endswith(".localhost") or _is_loopback(name)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
