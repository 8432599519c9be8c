"""Function URLs: Create-, Get-, Update-, Delete- and ListFunctionUrlConfig(s).

One for the unqualified function and one for each alias (lambda-behaviour.md 1.12).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from controlplane.model.functions import Function
from controlplane.model.ids import FunctionReference
from controlplane.model.settings import BUFFERED, Cors, UrlConfig, without
from controlplane.registry.settings.access import Access, no_such_resource
from controlplane.registry.views import Page, page_of
from emberd.wire.errors import ConflictError, NotFoundError


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlChange:
    """What a request sets; None is what it leaves out."""

    auth_type: str | None = None
    """NONE or AWS_IAM."""
    invoke_mode: str | None = None
    """BUFFERED or RESPONSE_STREAM."""
    cors: Cors | None = None
    """Replaces all of it; an empty one takes it away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlView:
    """A function URL."""

    function_arn: str
    """With the alias, if it is one's."""
    config: UrlConfig


class Urls:
    """The URLs of all functions."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def create(
        self,
        function_name: str,
        qualifier: str,
        *,
        auth_type: str,
        invoke_mode: str = BUFFERED,
        cors: Cors | None = None,
    ) -> UrlView:
        """Give a function or an alias a URL."""
        reference = self._access.arns.parse(function_name, qualifier)
        now = self._access.stamps.clock()
        config = UrlConfig(
            # A UUID's digits: 122 bits of chance that nobody guesses.
            url_id=self._access.stamps.new_uuid().replace("-", ""),
            auth_type=auth_type,
            created=now,
            last_modified=now,
            invoke_mode=invoke_mode,
            cors=_kept(cors),
        )

        def decide(before: Function | None) -> tuple[Function, UrlView]:
            function = _owner(before, reference)
            view = self._view(reference, config)
            if reference.qualifier in function.settings.urls:
                raise ConflictError(
                    f"Failed to create function url config for [functionArn = "
                    f"{view.function_arn}]. Error message:  FunctionUrlConfig exists for this "
                    "Lambda function",
                    reason="RESOURCE_CONFLICT",
                )
            return _with_url(function, reference.qualifier, config), view

        return await self._access.change(reference.name, decide)

    def get(self, function_name: str, qualifier: str) -> UrlView:
        """The URL of a function or an alias."""
        reference = self._access.arns.parse(function_name, qualifier)
        function = self._access.find(reference.name)
        config = function.settings.urls.get(reference.qualifier) if function else None
        if config is None:
            raise no_such_resource()
        return self._view(reference, config)

    async def update(self, function_name: str, qualifier: str, change: UrlChange) -> UrlView:
        """Change what is given, and leave the rest; the URL itself stays."""
        reference = self._access.arns.parse(function_name, qualifier)

        def decide(before: Function | None) -> tuple[Function, UrlView]:
            function = _owner(before, reference)
            current = function.settings.urls.get(reference.qualifier)
            if current is None:
                raise no_such_resource()
            config = replace(
                current,
                auth_type=change.auth_type or current.auth_type,
                invoke_mode=change.invoke_mode or current.invoke_mode,
                cors=current.cors if change.cors is None else _kept(change.cors),
                last_modified=self._access.stamps.clock(),
            )
            after = _with_url(function, reference.qualifier, config)
            return after, self._view(reference, config)

        return await self._access.change(reference.name, decide)

    async def delete(self, function_name: str, qualifier: str) -> None:
        """Take a URL away, which must exist. Its address is never given again."""
        reference = self._access.arns.parse(function_name, qualifier)

        def decide(before: Function | None) -> tuple[Function, None]:
            if before is None or reference.qualifier not in before.settings.urls:
                raise no_such_resource()
            urls = without(before.settings.urls, reference.qualifier)
            return before.with_settings(replace(before.settings, urls=urls)), None

        await self._access.change(reference.name, decide)

    def list(self, function_name: str, marker: str, max_items: int) -> Page[UrlView]:
        """The URLs of a function and its aliases, the unqualified one first."""
        reference = self._access.arns.parse(function_name)
        function = self._access.find(reference.name)
        if function is None:
            raise _no_function()
        urls = function.settings.urls
        qualifiers = sorted(urls)
        views = [
            self._view(replace(reference, qualifier=qualifier), urls[qualifier])
            for qualifier in qualifiers
        ]
        # An empty marker means no marker, so the unqualified one needs a key of its own.
        keys = [qualifier or "$" for qualifier in qualifiers]
        return page_of(views, keys, marker, max_items)

    def _view(self, reference: FunctionReference, config: UrlConfig) -> UrlView:
        arn = self._access.arns.function_arn(reference.name, reference.qualifier)
        return UrlView(function_arn=arn, config=config)


def _owner(function: Function | None, reference: FunctionReference) -> Function:
    """The function that has or may have the URL."""
    if function is None or (reference.qualifier and reference.qualifier not in function.aliases):
        raise _no_function()
    return function


def _with_url(function: Function, qualifier: str, config: UrlConfig) -> Function:
    settings = function.settings
    return function.with_settings(replace(settings, urls={**settings.urls, qualifier: config}))


def _kept(cors: Cors | None) -> Cors | None:
    """CORS that says nothing is none."""
    return None if cors == Cors() else cors


def _no_function() -> NotFoundError:
    return NotFoundError("Function does not exist", reason="RESOURCE_NOT_FOUND")
