"""Every operation on published versions, by Lambda's rules and in its words."""

from __future__ import annotations

from controlplane.model import limits
from controlplane.model.functions import Function
from controlplane.model.ids import LATEST, ArnScheme
from controlplane.registry import versions
from controlplane.registry.ledger import Ledger
from controlplane.registry.readiness import check_changeable
from controlplane.registry.stamps import Stamps
from controlplane.registry.views import FunctionView, Page, page_of

_MARKER_DIGITS = 10


class VersionRegistry:
    """The versions of all functions. Reads never leave memory."""

    def __init__(self, ledger: Ledger, *, arns: ArnScheme, stamps: Stamps) -> None:
        self._ledger = ledger
        self._index = ledger.index
        self._arns = arns
        self._stamps = stamps

    async def publish(
        self, function_name: str, *, description: str, code_sha256: str, revision_id: str
    ) -> FunctionView:
        """Freeze $LATEST under the next number; without a change the last one is returned."""
        name = self._index.existing(function_name).name
        limits.check_description(description)

        async def decide(before: Function | None) -> tuple[Function, FunctionView]:
            current = self._index.required(before, name)
            check_changeable(current, self._arns)
            versions.check_publishable(current, code_sha256=code_sha256, revision_id=revision_id)
            return self.published(current, description)

        return await self._ledger.change(name, decide)

    def published(self, function: Function, description: str) -> tuple[Function, FunctionView]:
        """The function with $LATEST published, and how the version is answered."""
        after, version = versions.publish(function, description, self._stamps)
        arn = self._arns.function_arn(function.name, version.version)
        return after, FunctionView(version=version, function_arn=arn)

    def list(self, function_name: str, marker: str, max_items: int) -> Page[FunctionView]:
        """$LATEST, then every published version from the oldest."""
        views = self._views(self._index.existing(function_name))
        return page_of(views, [_key(view) for view in views], marker, max_items)

    def list_all(self, marker: str, max_items: int) -> Page[FunctionView]:
        """The versions of all functions in order of names, of each as list()."""
        size = limits.page_size(max_items)
        name, _, after = marker.rpartition(":")
        function, _ = self._index.get(name)
        left = () if function is None else self._views(function)
        views = [view for view in left if _key(view) > after]
        for following in self._index.names_after(name, size + 1):
            if len(views) > size:
                break
            views += self._views(self._index.known(following))
        last = views[size - 1] if len(views) > size else None
        return Page(
            items=tuple(views[:size]),
            next_marker=f"{last.version.function_name}:{_key(last)}" if last else "",
        )

    def _views(self, function: Function) -> tuple[FunctionView, ...]:
        return tuple(
            FunctionView(
                version=version,
                function_arn=self._arns.function_arn(function.name, version.version),
            )
            for version in function.all_versions()
        )


def _key(view: FunctionView) -> str:
    """What orders versions: $LATEST first, then by number."""
    return view.version.version.replace(LATEST, "0").zfill(_MARKER_DIGITS)
