"""Tags: TagResource, UntagResource, ListTags (lambda-behaviour.md 1.10)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from controlplane.model.functions import Function
from controlplane.registry.settings.access import Access, refused
from emberd.wire.errors import NotFoundError

TAGS_MAX = 50
"""Tags of one resource."""

_FUNCTION = re.compile(r"arn:[^:]+:lambda:[^:]+:[0-9]{12}:function:.+")
_KIND = re.compile(r"arn:[^:]+:lambda:[^:]+:[0-9]{12}:([a-z-]+):.+")


class Tags:
    """The tags of functions."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def list(self, resource_arn: str) -> Mapping[str, str]:
        """All tags of a resource."""
        name = self._function_name(resource_arn)
        return self._access.required(self._access.find(name), name).settings.tags

    async def add(self, resource_arn: str, tags: Mapping[str, str]) -> None:
        """Set tags; those of the same keys are replaced."""
        name = self._function_name(resource_arn)

        def decide(before: Function | None) -> tuple[Function, None]:
            function = self._access.required(before, name)
            return _with_tags(function, added(function.settings.tags, tags)), None

        await self._access.change(name, decide)

    async def remove(self, resource_arn: str, keys: Collection[str]) -> None:
        """Remove tags by their keys; missing ones are no error."""
        name = self._function_name(resource_arn)

        def decide(before: Function | None) -> tuple[Function, None]:
            function = self._access.required(before, name)
            return _with_tags(function, removed(function.settings.tags, keys)), None

        await self._access.change(name, decide)

    def _function_name(self, resource_arn: str) -> str:
        if not _FUNCTION.fullmatch(resource_arn):
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


def _unknown_resource(arn: str) -> NotFoundError:
    """Lambda's answer for kinds of resources of which there is none here."""
    kind = _KIND.fullmatch(arn)
    words = kind[1].replace("-", " ").capitalize() if kind else "Resource"
    return NotFoundError(f"{words} not found: {arn}", reason="RESOURCE_NOT_FOUND", arn=arn)
