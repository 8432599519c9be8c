"""What the registry answers with: versions and aliases under the ARN they were asked for by."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from controlplane.model.functions import Alias, FunctionVersion
from controlplane.model.limits import page_size

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class InlineCode:
    """A package that came with the request."""

    zip_file: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedCode:
    """A package that was uploaded before."""

    artifact_id: str


Code = InlineCode | UploadedCode


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionView:
    """One version of a function."""

    version: FunctionVersion
    function_arn: str
    """With a qualifier where the request named one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasView:
    """One alias."""

    alias: Alias
    alias_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Item]):
    """One page of a list."""

    items: tuple[Item, ...]
    next_marker: str
    """Where the next page begins; empty when this is the last."""


def page_of(views: Sequence[Item], keys: Sequence[str], marker: str, max_items: int) -> Page[Item]:
    """The views whose keys, which are in order, come after the marker."""
    size = page_size(max_items)
    start = bisect.bisect_right(keys, marker)
    more = start + size < len(views)
    return Page(
        items=tuple(views[start : start + size]),
        next_marker=keys[start + size - 1] if more else "",
    )
