"""Tags: TagResource, UntagResource, ListTags (lambda-behaviour.md 1.10)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Protocol

from controlplane.model.functions import Function
from controlplane.registry.readiness import check_changeable
from controlplane.registry.settings.access import Access, refused
from emberd.wire.errors import NotFoundError

TAGS_MAX = 50
"""Tags of one resource."""

_CODE_SIGNING = "code-signing-config"
_KIND = re.compile(r"arn:[^:]+:lambda:[^:]+:[0-9]{12}:([a-z-]+):.+")


class TaggedConfigs(Protocol):
    """The tags of code-signing configurations, by ARN."""

    def tags(self, arn: str) -> Mapping[str, str]:
        """All of them."""

    async def add_tags(self, arn: str, tags: Mapping[str, str]) -> None:
        """Set some."""

    async def remove_tags(self, arn: str, keys: Collection[str]) -> None:
        """Remove some."""


class Tags:
    """The tags of everything that has any."""

    def __init__(self, access: Access, configs: TaggedConfigs) -> None:
        self._access = access
        self._configs = configs

    def list(self, resource_arn: str) -> Mapping[str, str]:
        """All tags of a resource."""
        if _kind(resource_arn) == _CODE_SIGNING:
            return self._configs.tags(resource_arn)
        name = self._function_name(resource_arn)
        return self._access.required(self._access.find(name), name).settings.tags

    async def add(self, resource_arn: str, tags: Mapping[str, str]) -> None:
        """Set tags; those of the same keys are replaced."""
        if _kind(resource_arn) == _CODE_SIGNING:
            await self._configs.add_tags(resource_arn, tags)
            return
        name = self._function_name(resource_arn)

        def decide(before: Function | None) -> tuple[Function, None]:
            function = self._access.required(before, name)
            check_changeable(function, self._access.arns)
            return _with_tags(function, added(function.settings.tags, tags)), None

        await self._access.change(name, decide)

    async def remove(self, resource_arn: str, keys: Collection[str]) -> None:
        """Remove tags by their keys; missing ones are no error."""
        if _kind(resource_arn) == _CODE_SIGNING:
            await self._configs.remove_tags(resource_arn, keys)
            return
        name = self._function_name(resource_arn)

        def decide(before: Function | None) -> tuple[Function, None]:
            function = self._access.required(before, name)
            return _with_tags(function, removed(function.settings.tags, keys)), None

        await self._access.change(name, decide)

    def _function_name(self, resource_arn: str) -> str:
        if _kind(resource_arn) != "function":
            raise _unknown_resource(resource_arn)
        reference = self._access.arns.parse(resource_arn)
        if reference.qualifier:
            raise refused(
                "Tags on function aliases and versions are not supported. Please specify a "
                "function ARN."
            )
        return reference.name


def added(tags: Mapping[str, str], new: Mapping[str, str]) -> Mapping[str, str]:
    """The tags with new ones set.

    Raises:
        InvalidArgumentError: nothing is new, or there would be too many.
    """
    if not new:
        raise refused("An error occurred and the request cannot be processed.")
    return checked({**tags, **new})


def checked(tags: Mapping[str, str]) -> Mapping[str, str]:
    """The tags, if a resource may have so many.

    Raises:
        InvalidArgumentError: it may not.
    """
    if len(tags) > TAGS_MAX:
        raise refused("Number of tags exceeds resource tag limit.")
    return tags


def removed(tags: Mapping[str, str], keys: Collection[str]) -> Mapping[str, str]:
    """The tags without some keys."""
    return {key: value for key, value in tags.items() if key not in keys}


def _with_tags(function: Function, tags: Mapping[str, str]) -> Function:
    if tags == function.settings.tags:
        return function
    return function.with_settings(replace(function.settings, tags=tags))


def _kind(arn: str) -> str:
    """What kind of resource an ARN names; empty where it is no ARN."""
    match = _KIND.fullmatch(arn)
    return match[1] if match else ""


def _unknown_resource(arn: str) -> NotFoundError:
    """Lambda's answer for kinds of resources of which there is none here."""
    words = (_kind(arn) or "resource").replace("-", " ").capitalize()
    return NotFoundError(f"{words} not found: {arn}", reason="RESOURCE_NOT_FOUND", arn=arn)
