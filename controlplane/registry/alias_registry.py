"""Every operation on aliases: names for versions, by Lambda's rules and in its words."""

from __future__ import annotations

from collections.abc import Mapping

from controlplane.model.functions import Alias, Function
from controlplane.model.ids import ArnScheme, function_not_found
from controlplane.registry import aliases
from controlplane.registry.aliases import AliasChange
from controlplane.registry.ledger import Ledger
from controlplane.registry.stamps import Stamps
from controlplane.registry.views import AliasView, Page, page_of


class AliasRegistry:
    """The aliases of all functions. Reads never leave memory."""

    def __init__(self, ledger: Ledger, *, arns: ArnScheme, stamps: Stamps) -> None:
        self._ledger = ledger
        self._index = ledger.index
        self._arns = arns
        self._stamps = stamps

    async def create(
        self,
        function_name: str,
        name: str,
        *,
        function_version: str,
        description: str,
        weights: Mapping[str, float],
    ) -> AliasView:
        """Name a version."""
        function = self._arns.parse_unqualified(function_name)
        missing = self._arns.function_arn(function, function_version)
        alias = Alias(
            name=name,
            function_name=function,
            function_version=function_version,
            description=description,
            weights=dict(weights),
            lambda_revision_id=self._stamps.new_uuid(),
        )

        async def decide(before: Function | None) -> tuple[Function, AliasView]:
            if before is None:
                raise function_not_found(missing)
            return aliases.create(before, alias, self._arns), self._view(alias)

        return await self._ledger.change(function, decide)

    def get(self, function_name: str, name: str) -> AliasView:
        """One alias."""
        function_name = self._arns.parse_unqualified(function_name)
        function, _ = self._index.get(function_name)
        alias = None if function is None else function.aliases.get(name)
        if alias is None:
            raise aliases.not_found("Cannot find alias arn", function_name, name, self._arns)
        return self._view(alias)

    def list(
        self, function_name: str, *, function_version: str, marker: str, max_items: int
    ) -> Page[AliasView]:
        """The aliases in order of their names; with a version only those that point to it."""
        function = self._index.existing(function_name)
        views = [
            self._view(alias)
            for _, alias in sorted(function.aliases.items())
            if function_version in ("", alias.function_version)
        ]
        return page_of(views, [view.alias.name for view in views], marker, max_items)

    async def update(
        self, function_name: str, name: str, change: AliasChange, *, revision_id: str
    ) -> AliasView:
        """Change what is set in the change and leave the rest."""
        function_name = self._arns.parse_unqualified(function_name)

        async def decide(before: Function | None) -> tuple[Function, AliasView]:
            if before is None:
                raise aliases.not_found("Alias not found", function_name, name, self._arns)
            after, alias = aliases.update(
                before, name, change, revision_id, arns=self._arns, stamps=self._stamps
            )
            return after, self._view(alias)

        return await self._ledger.change(function_name, decide)

    async def delete(self, function_name: str, name: str) -> None:
        """Delete an alias; a missing one is no error, as on Lambda."""
        function_name = self._index.existing(function_name).name

        async def decide(before: Function | None) -> tuple[Function, None]:
            current = self._index.required(before, function_name)
            return (current.without_alias(name) if name in current.aliases else current), None

        await self._ledger.change(function_name, decide)

    def _view(self, alias: Alias) -> AliasView:
        arn = self._arns.function_arn(alias.function_name, alias.name)
        return AliasView(alias=alias, alias_arn=arn)
