"""Host tests run real sandboxes."""

from __future__ import annotations

from tests.host.fixtures import backend, copying, copying_host, host, own_host, shared_host

__all__ = ["backend", "copying", "copying_host", "host", "own_host", "shared_host"]
