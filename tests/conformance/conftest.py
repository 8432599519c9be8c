"""The process backend is one of those that must conform."""

from __future__ import annotations

from tests.host.fixtures import shared_host

__all__ = ["shared_host"]
