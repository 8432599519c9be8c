"""A registry on fakes, with a clock and ids that a test can foresee."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from controlplane.model.configuration import Configuration
from controlplane.registry import FunctionRegistry, InlineCode, LayerDescription
from controlplane.registry.preparation import Prepare
from controlplane.registry.quota import CODE_BYTES_MAX
from tests.fakes.archives import package
from tests.fakes.blobs import MemoryBlobs
from tests.fakes.records import MemoryRecords

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
BASIC = Configuration(runtime_id="python3.12", handler="app.handler", role="")
CODE_1 = InlineCode(zip_file=package(b"one = 1\n"))
CODE_2 = InlineCode(zip_file=package(b"two = 2\n"))


class Bench:
    """The registry under test, what it stands on, and what it told others."""

    def __init__(self) -> None:
        self.records = MemoryRecords()
        self.blobs = MemoryBlobs()
        self.runtimes = {"python3.12", "python3.13"}
        self.networks: set[str] = set()
        self.retired: list[str] = []
        self.ticks = itertools.count(1)
        self.registry: FunctionRegistry
        self.prepare: Prepare | None = None
        """What makes a version ready, for the next registry that is opened."""
        self.code_bytes_max = CODE_BYTES_MAX

    async def open(self) -> FunctionRegistry:
        """Open the registry, or open it again as after a restart."""
        self.registry = await FunctionRegistry.open(
            self.records,
            self.blobs,
            region="us-east-1",
            account_id="000000000000",
            runtimes=lambda: self.runtimes,
            networks=lambda: self.networks,
            clock=lambda: EPOCH + timedelta(seconds=next(self.ticks)),
            new_uuid=lambda: f"uuid-{next(self.ticks)}",
            prepare=self.prepare,
            code_bytes_max=self.code_bytes_max,
        )
        self.registry.on_retired(self.retired.append)
        return self.registry

    async def create(self, name="thumb", configuration=BASIC, code=CODE_1, publish=False):
        return await self.settled(self.registry.create(name, configuration, code, publish=publish))

    async def publish(self, name="thumb", description="", code_sha256="", revision_id=""):
        return await self.settled(
            self.registry.versions.publish(
                name, description=description, code_sha256=code_sha256, revision_id=revision_id
            )
        )

    async def update_code(self, code=CODE_2, publish=False, dry_run=False, revision_id=""):
        return await self.settled(
            self.registry.update_code(
                "thumb", code, publish=publish, dry_run=dry_run, revision_id=revision_id
            )
        )

    async def publish_layer(self, name="tools", code=CODE_2, **said):
        return await self.registry.layers.publish(name, code, LayerDescription(**said))

    async def configure(self, change, revision_id=""):
        return await self.settled(
            self.registry.update_configuration("thumb", change, revision_id=revision_id)
        )

    async def settled(self, making):
        """What a change answers, once the function is ready."""
        return await self.registry.settled(await making)

    async def alias(self, name="live", version="1", description="", weights=None, function="thumb"):
        return await self.registry.aliases.create(
            function,
            name,
            function_version=version,
            description=description,
            weights=weights or {},
        )

    def resolve(self, reference="thumb", qualifier="", draw=0.5):
        return self.registry.resolve(reference, qualifier, draw)


@pytest.fixture
async def bench():
    bench = Bench()
    await bench.open()
    yield bench
    await bench.registry.close()
