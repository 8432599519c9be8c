"""Host tests run real sandboxes."""

from __future__ import annotations

from tests.host.fixtures import backend, host, own_host, shared_host

__all__ = ["backend", "host", "own_host", "shared_host"]
