"""Function templates and their copies on one launcher, whose runtimes a test speaks with."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sandbox.process.backend import ProcessBackend, ProcessSandbox
from sandbox.runtimeapi import Response, RuntimeApi, RuntimeEvent
from sandbox.runtimeapi.state import Beginning
from sandbox.spec import SandboxSpec
from tests.host.harness import Host, spec_of_copy

REGISTRY = """
_before_snapshot_registry = []
_after_restore_registry = []

def register_before_snapshot(function, *args, **kwargs):
    _before_snapshot_registry.append((function, args, kwargs))
    return function

def register_after_restore(function, *args, **kwargs):
    _after_restore_registry.append((function, args, kwargs))
    return function
"""
"""What functions see of Lambda's snapshot_restore_py, whose registries the runtime reads."""


@dataclass
class Function:
    """One sandbox whose runtime is spoken with."""

    sandbox: ProcessSandbox
    api: RuntimeApi

    async def invoke(self, event: object = None) -> object:
        """Its answer to an event."""
        request = RuntimeEvent(
            request_id=os.urandom(8).hex(),
            payload=json.dumps(event).encode(),
            deadline_ms=int(time.time() * 1000) + 60_000,
            invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:f",
        )
        self.api.deliver(request)
        async with asyncio.timeout(20):
            answer = await self.api.answered()
        assert isinstance(answer, Response), answer
        return json.loads(answer.payload)

    async def close(self) -> None:
        """End it and leave nothing."""
        await self.api.close()
        await self.sandbox.destroy()


class Stage:
    """Makes templates and copies, and ends them all."""

    def __init__(self, host: Host, backend: ProcessBackend) -> None:
        self.host = host
        self.backend = backend
        self.functions: list[Function] = []
        self._numbers = itertools.count(1)

    async def start(self, spec: SandboxSpec) -> tuple[Function, object]:
        """A sandbox and what its init, or its restore, came to: None where all is well."""
        sandbox = await self.backend.create(spec)
        beginning = Beginning.SNAPSHOT if spec.is_template else Beginning.RESTORE
        function = Function(sandbox, RuntimeApi(sandbox.listener, beginning=beginning))
        self.functions.append(function)
        await function.api.start()
        async with asyncio.timeout(30):
            return function, await function.api.initialised()

    def spec(self, files: Mapping[str, str]) -> SandboxSpec:
        """A template of these files."""
        spec = self.host.spec_of({"snapshot_restore_py.py": REGISTRY, **files})
        environment = {
            "_HANDLER": "main.handler",
            "AWS_LAMBDA_RUNTIME_API": "169.254.100.1:9001",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
            "NAME": "the template",
        }
        return replace(spec, environment=environment, is_template=True)

    async def template(self, source: str, **files: str) -> Function:
        """A template that waits to be copied."""
        function, outcome = await self.start(self.spec({"main.py": source, **files}))
        assert outcome is None
        return function

    def copy_spec(self, template: Function, **changes: object) -> SandboxSpec:
        """A sandbox to be copied from it."""
        spec = spec_of_copy(template.sandbox.spec)
        environment = {**spec.environment, "NAME": f"copy {next(self._numbers)}"}
        return replace(spec, **{"environment": environment, **changes})  # type: ignore[arg-type]

    async def copy(self, template: Function, **changes: object) -> Function:
        """A copy that is restored."""
        function, outcome = await self.start(self.copy_spec(template, **changes))
        assert outcome is None
        return function

    async def close(self) -> None:
        """End everything."""
        for function in reversed(self.functions):
            await function.close()
