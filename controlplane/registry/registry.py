"""What has been deployed: functions and versions, by Lambda's rules and in its words."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

from controlplane.model import limits
from controlplane.model.configuration import Configuration, ConfigurationChange
from controlplane.model.functions import X86_64, Function, FunctionVersion
from controlplane.model.ids import LATEST, ArnScheme, function_not_found
from controlplane.model.networks import check_network
from controlplane.model.revision import Resolution, Wanted
from controlplane.model.runtimes import check_runtime
from controlplane.model.settings import NO_SETTINGS, FunctionSettings
from controlplane.registry import functions, versions
from controlplane.registry.alias_registry import AliasRegistry
from controlplane.registry.artifacts import ArtifactStore, one_chunk
from controlplane.registry.layer_registry import LayerRegistry
from controlplane.registry.ledger import Ledger
from controlplane.registry.preparation import Preparation, Prepare
from controlplane.registry.quota import CODE_BYTES_MAX, Usage
from controlplane.registry.readiness import check_changeable
from controlplane.registry.settings.registry import SettingsRegistry
from controlplane.registry.stamps import Stamps, check_revision_id
from controlplane.registry.version_registry import VersionRegistry
from controlplane.registry.views import Code, FunctionView, InlineCode, Page
from controlplane.storage.ports import BlobStore, RecordStore
from emberd.wire.errors import ConflictError, InvalidArgumentError

READY_WAIT_S = 300.0
"""How long a caller may wait for a function to be ready, as long as AWS's own waiters."""

LOOKS_AT_ONCE_MAX = 4
"""Versions whose packages are looked for at a time."""

_PRIMARY = 1.0
"""The draw that never falls to an alias's additional version."""


class FunctionRegistry:
    """Every operation on functions and versions. Reads never leave memory."""

    def __init__(
        self,
        ledger: Ledger,
        artifacts: ArtifactStore,
        *,
        arns: ArnScheme,
        runtimes: Callable[[], Collection[str]],
        networks: Callable[[], Collection[str]],
        stamps: Stamps,
        prepare: Prepare | None = None,
        account_concurrency: int = limits.ACCOUNT_CONCURRENCY,
    ) -> None:
        self._ledger = ledger
        self._index = ledger.index
        self._artifacts = artifacts
        self._arns = arns
        self._runtimes = runtimes
        self._networks = networks
        self._stamps = stamps
        self.versions = VersionRegistry(ledger, arns=arns, stamps=stamps)
        self.aliases = AliasRegistry(ledger, arns=arns, stamps=stamps)
        self.settings = SettingsRegistry(
            ledger, arns=arns, stamps=stamps, account_concurrency=account_concurrency
        )
        self.layers = LayerRegistry(ledger, artifacts, arns=arns, stamps=stamps)
        self._prepare = prepare
        self._turns = asyncio.Semaphore(LOOKS_AT_ONCE_MAX)
        self._preparation = Preparation(ledger, self._make_ready, stamps)

    @classmethod
    async def open(
        cls,
        records: RecordStore,
        blobs: BlobStore,
        *,
        region: str,
        account_id: str,
        runtimes: Callable[[], Collection[str]],
        networks: Callable[[], Collection[str]] = tuple,
        clock: Callable[[], datetime],
        new_uuid: Callable[[], str],
        prepare: Prepare | None = None,
        account_concurrency: int = limits.ACCOUNT_CONCURRENCY,
        code_bytes_max: int = CODE_BYTES_MAX,
    ) -> FunctionRegistry:
        """Load everything that was deployed.

        Args:
            records: Where functions are kept.
            blobs: Where packages are kept.
            region: What ARNs say.
            account_id: What ARNs say.
            runtimes: The runtimes that hosts offer at this moment.
            networks: The named networks that they offer.
            clock: The time now, in UTC.
            new_uuid: A fresh random UUID as text.
            prepare: What makes a version ready beside its package being here; None for nothing.
            account_concurrency: What all functions may run at once.
            code_bytes_max: How much code the account may keep.

        Raises:
            ConflictError: a record cannot be read.
        """
        arns = ArnScheme(region=region, account_id=account_id)
        artifacts = ArtifactStore(blobs)
        registry = cls(
            await Ledger.open(records, artifacts, arns, code_bytes_max),
            artifacts,
            arns=arns,
            runtimes=runtimes,
            networks=networks,
            stamps=Stamps(clock=clock, new_uuid=new_uuid),
            prepare=prepare,
            account_concurrency=account_concurrency,
        )
        registry._preparation.resume()
        return registry

    @property
    def artifacts(self) -> ArtifactStore:
        """The packages of these functions."""
        return self._artifacts

    def on_retired(self, callback: Callable[[str], None]) -> None:
        """Call this with the id of every revision that no reference leads to any more."""
        self._ledger.on_retired(callback)

    def on_changed(self, callback: Callable[[Function], None]) -> None:
        """Call this with every new state of a function, once readers see it."""
        self._ledger.on_changed(callback)

    def wanted(self) -> Sequence[Wanted]:
        """What shall stand ready of all functions, as far as it can run already."""
        return self._index.wanted()

    async def close(self) -> None:
        """Finish the changes that were begun; what is being prepared waits for the next start."""
        await self._preparation.close()
        await self._ledger.close()
        self._artifacts.close()

    def resolve(self, function_name: str, qualifier: str, draw: float) -> Resolution:
        """What a reference stands for now; draw in [0, 1) decides between weighted versions.

        Raises:
            NotFoundError: no such function, version or alias.
            ConflictError: it is not ready to run.
            InvalidArgumentError: no reference at all.
        """
        return self._index.resolve(self._arns.parse(function_name, qualifier), draw)

    async def settled(self, view: FunctionView) -> FunctionView:
        """What a view shows once neither its version nor $LATEST is being prepared any more.

        A function that is made and published in one call answers when it can be called either way.
        Waits five minutes at most; then the view still says Pending or InProgress.

        Raises:
            NotFoundError: it was deleted in the meantime.
        """
        name, number = view.version.function_name, view.version.version
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_WAIT_S):
                await self._preparation.settled(name, LATEST)
                await self._preparation.settled(name, number)
        if view.version.status.settled:
            return view
        version = self._index.known(name).version(number)
        if version is None:
            raise function_not_found(view.function_arn)
        return replace(view, version=version)

    async def create(
        self,
        function_name: str,
        configuration: Configuration,
        code: Code | None,
        *,
        publish: bool,
        architecture: str = X86_64,
        settings: FunctionSettings = NO_SETTINGS,
    ) -> FunctionView:
        """Make a function, which is Pending at first. An empty role becomes the default one."""
        name = self._arns.parse_unqualified(function_name)
        configuration = self._with_role(configuration)
        limits.check_configuration(configuration)
        limits.check_architecture(architecture)
        check_runtime(configuration.runtime_id, self._runtimes())
        check_network(configuration.network, self._networks())
        artifact_id = await self._artifact_id(code)

        async def decide(before: Function | None) -> tuple[Function, FunctionView]:
            if before is not None:
                raise ConflictError(f"Function already exist: {name}", reason="RESOURCE_CONFLICT")
            self.settings.check_initial(settings)
            artifact = await self._artifacts.find(artifact_id)
            made = functions.create(
                name,
                configuration,
                artifact,
                architecture=architecture,
                first_version=await self._ledger.first_version(name),
                stamps=self._stamps,
            )
            made = replace(await self._with_layers(made, None), settings=settings)
            if not publish:
                return made, self._view(made)
            made, version = versions.publish(made, "", self._stamps)
            # Lambda answers with version 1 under the unqualified ARN here.
            return made, FunctionView(version=version, function_arn=self._arns.function_arn(name))

        return await self._ledger.change(name, decide)

    def get(self, function_name: str, qualifier: str) -> FunctionView:
        """What a reference stands for; of a weighted alias its main version."""
        reference = self._arns.parse(function_name, qualifier)
        arn = self._arns.function_arn(reference.name, reference.qualifier)
        function, _ = self._index.get(reference.name)
        version = (
            function.version(function.number(reference.version_or_alias, _PRIMARY))
            if function
            else None
        )
        if version is None:
            raise function_not_found(arn)
        return FunctionView(version=version, function_arn=arn)

    def settings_of(self, view: FunctionView) -> FunctionSettings:
        """What is set for the function that a view shows."""
        return self._index.known(view.version.function_name).settings

    def list(
        self, marker: str, max_items: int, *, every_version: bool = False
    ) -> Page[FunctionView]:
        """The functions in order of their names: their $LATEST, or all their versions too."""
        if every_version:
            return self.versions.list_all(marker, max_items)
        size = limits.page_size(max_items)
        names = self._index.names_after(marker, size + 1)
        views = tuple(self._view(self._index.known(name)) for name in names[:size])
        return Page(items=views, next_marker=names[size - 1] if len(names) > size else "")

    async def update_code(
        self,
        function_name: str,
        code: Code | None,
        *,
        publish: bool,
        dry_run: bool,
        revision_id: str,
        architecture: str = "",
    ) -> FunctionView:
        """Give $LATEST another package; dry_run only says what would be.

        What ran before goes on running until the new package is prepared.
        """
        name = self._index.existing(function_name).name
        if architecture:
            limits.check_architecture(architecture)
        artifact_id = await self._artifact_id(code)

        async def decide(before: Function | None) -> tuple[Function, FunctionView]:
            current = self._index.required(before, name)
            check_changeable(current, self._arns)
            check_revision_id(revision_id, current.latest.lambda_revision_id)
            self.settings.code_signing.check_deployment(current.settings.code_signing_config_arn)
            artifact = await self._artifacts.find(artifact_id)
            after = functions.with_code(
                current, artifact, architecture=architecture, stamps=self._stamps
            )
            after = await self._with_layers(after, current)
            if dry_run:
                would_be = replace(after.latest, status=current.latest.status)
                return current, self._view(replace(after, latest=would_be))
            if not publish:
                return after, self._view(after)
            return self.versions.published(after, "")

        return await self._ledger.change(name, decide)

    async def update_configuration(
        self, function_name: str, change: ConfigurationChange, *, revision_id: str
    ) -> FunctionView:
        """Change what is set in the change and leave the rest."""
        name = self._index.existing(function_name).name
        if change.runtime_id is not None:
            check_runtime(change.runtime_id, self._runtimes())
        if change.network is not None:
            check_network(change.network, self._networks())

        async def decide(before: Function | None) -> tuple[Function, FunctionView]:
            current = self._index.required(before, name)
            check_changeable(current, self._arns)
            after = functions.with_configuration(current, change, revision_id, self._stamps)
            limits.check_configuration(after.latest.configuration)
            after = await self._with_layers(after, current)
            return after, self._view(after)

        return await self._ledger.change(name, decide)

    async def delete(self, function_name: str, qualifier: str) -> None:
        """Delete one published version, or without a qualifier the whole function."""
        reference = self._arns.parse(function_name, qualifier)
        arn = self._arns.function_arn(reference.name, reference.qualifier)

        async def decide(before: Function | None) -> tuple[Function | None, None]:
            if before is None:
                raise function_not_found(arn)
            if not reference.qualifier:
                return None, None
            return versions.without(before, reference.qualifier), None

        await self._ledger.change(reference.name, decide)

    def usage(self) -> Usage:
        """What functions and layers take of the account."""
        storage = self._ledger.storage
        return Usage(
            functions=len(self._index),
            code_bytes=storage.used_bytes,
            code_bytes_max=storage.limit_bytes,
        )

    async def _with_layers(self, after: Function, before: Function | None) -> Function:
        latest = await self.layers.attached(after.latest, before.latest if before else None)
        return replace(after, latest=latest)

    def _with_role(self, configuration: Configuration) -> Configuration:
        if configuration.role:
            return configuration
        return replace(configuration, role=limits.default_role(self._arns.account_id))

    async def _artifact_id(self, code: Code | None) -> str:
        """The package's id, once it is here; one that came with the request is stored."""
        if code is None:
            raise InvalidArgumentError(
                "Please provide a source for function code.", reason="INVALID_PARAMETER_VALUE"
            )
        if not isinstance(code, InlineCode):
            return code.artifact_id
        return (await self._artifacts.upload(one_chunk(code.zip_file))).artifact_id

    async def _make_ready(self, version: FunctionVersion) -> str:
        async with self._turns:
            for artifact_id in version.artifact_ids:
                await self._artifacts.find(artifact_id)
        return "" if self._prepare is None else await self._prepare(version)

    def _view(self, function: Function) -> FunctionView:
        arn = self._arns.function_arn(function.name)
        return FunctionView(version=function.latest, function_arn=arn)
