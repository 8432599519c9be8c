"""Every operation on layers. Reads never leave memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from controlplane.model.functions import FunctionVersion
from controlplane.model.ids import ArnScheme, at_most_long, must_match, violation
from controlplane.model.layer_ids import (
    VERSION_ARN_PATTERN,
    check_account,
    check_number,
    layer_name,
    no_such_version,
    parse_version_arn,
)
from controlplane.model.layers import Layer, LayerStatement, LayerVersion
from controlplane.model.limits import check_description
from controlplane.registry import layers
from controlplane.registry.artifacts import ArtifactStore, one_chunk
from controlplane.registry.ledger import Ledger
from controlplane.registry.stamps import Stamps
from controlplane.registry.views import Code, InlineCode, Page, page_of
from emberd.wire.errors import InvalidArgumentError, NotFoundError

LICENSE_CHARACTERS_MAX = 512
RUNTIMES_MAX = 15
_COUNTDOWN_FROM = 9_999_999_999


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerVersionView:
    """One version of a layer under its ARNs."""

    version: LayerVersion
    layer_arn: str
    version_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPolicyView:
    """A layer version's policy, or one statement of it, as JSON."""

    text: str
    revision_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerDescription:
    """What is said of a layer version when it is published."""

    text: str = ""
    license_info: str | None = None
    runtimes: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()


class LayerRegistry:
    """Layers and their versions, by Lambda's rules and in its words."""

    def __init__(
        self, ledger: Ledger, artifacts: ArtifactStore, *, arns: ArnScheme, stamps: Stamps
    ) -> None:
        self._ledger = ledger
        self._index = ledger.layers
        self._artifacts = artifacts
        self._arns = arns
        self._stamps = stamps

    async def publish(
        self, name: str, code: Code | None, description: LayerDescription
    ) -> LayerVersionView:
        """Make the next version of a layer, which need not exist before."""
        name = layer_name(name, self._arns)
        _check_description(description)
        artifact_id = await self._artifact_id(code)

        async def decide(before: Layer | None) -> tuple[Layer, LayerVersionView]:
            layer = before or Layer(name=name)
            artifact = await self._artifacts.find(artifact_id)
            version = LayerVersion(
                layer_name=name,
                number=layer.next_number,
                artifact_id=artifact_id,
                size_bytes=artifact.size_bytes,
                unzipped_bytes=await self._artifacts.unzipped_bytes(artifact_id),
                created=self._stamps.clock(),
                description=description.text,
                license_info=description.license_info,
                runtimes=description.runtimes,
                architectures=description.architectures,
            )
            return layer.with_version(version), self._view(version)

        return await self._ledger.change_layer(name, decide)

    def get(self, name: str, number: int) -> LayerVersionView:
        """One version."""
        return self._view(self._known(layer_name(name, self._arns), number))

    def get_by_arn(self, arn: str) -> LayerVersionView:
        """One version by its ARN."""
        reference = parse_version_arn(arn)
        if reference is None:
            raise violation(arn, "arn", must_match(VERSION_ARN_PATTERN))
        if reference.region != self._arns.region:
            raise _gone()
        check_account(reference.account_id, self._arns)
        return self._view(self._known(reference.name, reference.number))

    def list(
        self, *, runtime_id: str, architecture: str, marker: str, max_items: int
    ) -> Page[LayerVersionView]:
        """The newest version that suits of every layer, in order of names."""
        newest = [
            next((each for each in versions if each.suits(runtime_id, architecture)), None)
            for versions in map(self._newest_first, self._index.names())
        ]
        views = [self._view(each) for each in newest if each is not None]
        return page_of(views, [each.version.layer_name for each in views], marker, max_items)

    def list_versions(
        self, name: str, *, runtime_id: str, architecture: str, marker: str, max_items: int
    ) -> Page[LayerVersionView]:
        """The versions of a layer that suit, newest first; of an unknown layer none."""
        versions = self._newest_first(layer_name(name, self._arns))
        views = [self._view(each) for each in versions if each.suits(runtime_id, architecture)]
        return page_of(
            views, [_countdown(each.version.number) for each in views], marker, max_items
        )

    async def delete(self, name: str, number: int) -> None:
        """Delete a version; a missing one is no error. Functions that use it keep it."""
        name = layer_name(name, self._arns)
        check_number(number)

        async def decide(before: Layer | None) -> tuple[Layer | None, None]:
            if before is None or number not in before.versions:
                return before, None
            return before.without_version(number), None

        await self._ledger.change_layer(name, decide)

    async def add_permission(
        self, name: str, number: int, statement: LayerStatement, *, revision_id: str
    ) -> LayerPolicyView:
        """Let others use a version; answers the statement."""
        statement = layers.normalised(statement)
        arn = self._version_arn(name, number)

        def change(version: LayerVersion) -> LayerVersion:
            return layers.with_statement(version, statement, revision_id, arn, self._stamps)

        version = await self._change_version(name, number, change)
        return LayerPolicyView(
            text=layers.statement_of(statement, arn), revision_id=version.policy_revision_id
        )

    def policy(self, name: str, number: int) -> LayerPolicyView:
        """A version's policy."""
        arn = self._version_arn(name, number)
        version = self._index.version(layer_name(name, self._arns), number)
        if version is None:
            raise no_such_version(arn)
        return LayerPolicyView(
            text=layers.policy_of(version, arn), revision_id=version.policy_revision_id
        )

    def policy_of(self, version_arn: str) -> str | None:
        """The policy (JSON) of a layer version, None where there is none of either."""
        reference = parse_version_arn(version_arn)
        if reference is None or reference.account_id != self._arns.account_id:
            return None
        version = self._index.version(reference.name, reference.number)
        if version is None or not version.statements:
            return None
        return layers.policy_of(version, version_arn)

    async def remove_permission(
        self, name: str, number: int, statement_id: str, *, revision_id: str
    ) -> None:
        """Take a statement back."""

        def change(version: LayerVersion) -> LayerVersion:
            return layers.without_statement(version, statement_id, revision_id, self._stamps)

        await self._change_version(name, number, change)

    async def attached(
        self, version: FunctionVersion, before: FunctionVersion | None
    ) -> FunctionVersion:
        """A version of a function with what its layers hold, while the ledger stands still.

        Layers that it had before need not exist any more.

        Raises:
            InvalidArgumentError: a layer cannot be used, or all is too large together.
            DeniedError: a layer of another account.
        """
        wanted = version.configuration.layers
        if before is not None and before.configuration.layers == wanted:
            used = before.layers
        else:
            used = layers.used_layers(wanted, self._index.version, self._arns)
        if used:
            code_bytes = await self._artifacts.unzipped_bytes(version.artifact_id)
            layers.check_total_size(used, code_bytes)
        return replace(version, layers=used)

    async def _artifact_id(self, code: Code | None) -> str:
        if code is None:
            raise InvalidArgumentError(
                "Please provide a source for layer content.", reason="INVALID_PARAMETER_VALUE"
            )
        if not isinstance(code, InlineCode):
            return code.artifact_id
        return (await self._artifacts.upload(one_chunk(code.zip_file))).artifact_id

    async def _change_version(
        self, name: str, number: int, change: Callable[[LayerVersion], LayerVersion]
    ) -> LayerVersion:
        arn = self._version_arn(name, number)

        async def decide(before: Layer | None) -> tuple[Layer | None, LayerVersion]:
            current = None if before is None else before.versions.get(number)
            if before is None or current is None:
                raise no_such_version(arn)
            changed = change(current)
            return before.with_version(changed), changed

        return await self._ledger.change_layer(layer_name(name, self._arns), decide)

    def _known(self, name: str, number: int) -> LayerVersion:
        check_number(number)
        version = self._index.version(name, number)
        if version is None:
            raise _gone()
        return version

    def _newest_first(self, name: str) -> Sequence[LayerVersion]:
        layer, _ = self._index.get(name)
        return () if layer is None else layer.newest_first()

    def _version_arn(self, name: str, number: int) -> str:
        check_number(number)
        return self._arns.layer_arn(layer_name(name, self._arns), number)

    def _view(self, version: LayerVersion) -> LayerVersionView:
        return LayerVersionView(
            version=version,
            layer_arn=self._arns.layer_arn(version.layer_name),
            version_arn=self._arns.layer_arn(version.layer_name, version.number),
        )


def _gone() -> NotFoundError:
    return NotFoundError("The resource you requested does not exist.", reason="RESOURCE_NOT_FOUND")


def _countdown(number: int) -> str:
    """A key whose order is the reverse of the numbers'."""
    return str(_COUNTDOWN_FROM - number)


def _check_description(description: LayerDescription) -> None:
    check_description(description.text)
    if len(description.license_info or "") > LICENSE_CHARACTERS_MAX:
        raise violation(
            description.license_info or "", "licenseInfo", at_most_long(LICENSE_CHARACTERS_MAX)
        )
    if len(description.runtimes) > RUNTIMES_MAX:
        listed = f"[{', '.join(description.runtimes)}]"
        raise violation(listed, "compatibleRuntimes", at_most_long(RUNTIMES_MAX))
