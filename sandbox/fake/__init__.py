"""An in-memory backend for tests: the same promises as the process backend, without a kernel.

Instead of processes it runs programs: coroutines, found by the spec's code directory.
"""

from __future__ import annotations

from sandbox.fake.backend import FakeBackend, FakeProcess, FakeSandbox, Program

__all__ = ["FakeBackend", "FakeProcess", "FakeSandbox", "Program"]
