"""Event-invoke configurations: how asynchronous invocations are retried, and where they end.

Kept and checked; asynchronous invocation itself will follow them (lambda-behaviour.md 2.3, 2.4).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from controlplane.model.functions import Function
from controlplane.model.ids import ArnScheme, FunctionReference
from controlplane.model.settings import EventInvokeConfig, without
from controlplane.registry.settings.access import Access, refused
from controlplane.registry.views import Page, page_of
from emberd.wire.errors import EmberdError, NotFoundError

_SERVICES = ("lambda", "sqs", "sns", "events")
_FAILURE_SERVICES = (*_SERVICES, "s3")
"""What an outcome may be sent to; S3 takes failures only."""

_ARN = re.compile(r"arn:[^:]+:(?P<service>[^:]+):[^:]*:[^:]*:.+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Destinations:
    """Where outcomes go: ARNs, empty for none, None for what a request leaves out."""

    on_success: str | None = None
    on_failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventInvokeChange:
    """What a request sets; None is what it leaves out."""

    retry_attempts_max: int | None = None
    event_age_max_s: int | None = None
    destinations: Destinations | None = None
    """Replaces both."""

    @property
    def empty(self) -> bool:
        """Whether it sets nothing at all."""
        return self == EventInvokeChange()


@dataclass(frozen=True, slots=True, kw_only=True)
class EventInvokeView:
    """One configuration."""

    function_arn: str
    """Always qualified, with $LATEST where no qualifier was given."""
    config: EventInvokeConfig


class EventInvokes:
    """The event-invoke configurations of all functions."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def put(
        self, function_name: str, qualifier: str, change: EventInvokeChange
    ) -> EventInvokeView:
        """Replace the whole configuration."""
        reference = self._access.arns.parse(function_name, qualifier)
        _check_not_empty(change)

        def decide(before: Function | None) -> tuple[Function, EventInvokeView]:
            function = _with_qualifier(before, reference)
            fresh = EventInvokeConfig(last_modified=self._access.stamps.clock())
            return self._stored(function, reference, _applied(fresh, change), change)

        return await self._access.change(reference.name, decide)

    async def update(
        self, function_name: str, qualifier: str, change: EventInvokeChange
    ) -> EventInvokeView:
        """Change what is given, and leave the rest."""
        reference = self._access.arns.parse(function_name, qualifier)
        _check_not_empty(change)

        def decide(before: Function | None) -> tuple[Function, EventInvokeView]:
            function = _with_qualifier(before, reference)
            current = function.settings.event_invokes.get(reference.version_or_alias)
            if current is None:
                raise self._none(reference)
            stamped = replace(current, last_modified=self._access.stamps.clock())
            return self._stored(function, reference, _applied(stamped, change), change)

        return await self._access.change(reference.name, decide)

    def get(self, function_name: str, qualifier: str) -> EventInvokeView:
        """One configuration."""
        reference = self._access.arns.parse(function_name, qualifier)
        function = self._access.find(reference.name)
        key = reference.version_or_alias
        config = function.settings.event_invokes.get(key) if function else None
        if config is None:
            raise self._none(reference)
        return self._view(reference.name, key, config)

    def list(self, function_name: str, marker: str, max_items: int) -> Page[EventInvokeView]:
        """The configurations of a function in order of their qualifiers."""
        name = self._access.arns.parse(function_name).name
        function = self._access.find(name)
        if function is None:
            raise _no_function()
        keys = sorted(function.settings.event_invokes)
        views = [self._view(name, key, function.settings.event_invokes[key]) for key in keys]
        return page_of(views, keys, marker, max_items)

    async def delete(self, function_name: str, qualifier: str) -> None:
        """Delete one configuration, which must exist."""
        reference = self._access.arns.parse(function_name, qualifier)
        key = reference.version_or_alias

        def decide(before: Function | None) -> tuple[Function, None]:
            if before is None or key not in before.settings.event_invokes:
                raise self._none(reference)
            settings = before.settings
            left = without(settings.event_invokes, key)
            return before.with_settings(replace(settings, event_invokes=left)), None

        await self._access.change(reference.name, decide)

    def _stored(
        self,
        function: Function,
        reference: FunctionReference,
        config: EventInvokeConfig,
        change: EventInvokeChange,
    ) -> tuple[Function, EventInvokeView]:
        if change.destinations is not None:
            self._check_destinations(function.name, change.destinations)
        key = reference.version_or_alias
        settings = function.settings
        changed = replace(settings, event_invokes={**settings.event_invokes, key: config})
        return function.with_settings(changed), self._view(function.name, key, config)

    def _check_destinations(self, name: str, destinations: Destinations) -> None:
        for arn, services in (
            (destinations.on_success, _SERVICES),
            (destinations.on_failure, _FAILURE_SERVICES),
        ):
            if not arn:
                continue
            match = _ARN.fullmatch(arn)
            if match is None or match["service"] not in services:
                raise refused(
                    f"The provided destination config {_printed(destinations)} is invalid."
                )
            if match["service"] == "lambda":
                self._check_function(name, arn)

    def _check_function(self, name: str, arn: str) -> None:
        reference = _function_reference(self._access.arns, arn)
        if reference is None:
            raise refused(f"The destination ARN {arn} is invalid.")
        if reference.name == name:
            raise refused("You can't specify the function as a destination for itself.")
        target = self._access.find(reference.name)
        if target is None or not target.has(reference.version_or_alias):
            raise refused(f"The destination ARN {arn} is invalid.")

    def _view(self, name: str, key: str, config: EventInvokeConfig) -> EventInvokeView:
        return EventInvokeView(
            function_arn=self._access.arns.function_arn(name, key), config=config
        )

    def _none(self, reference: FunctionReference) -> NotFoundError:
        arn = self._access.arns.function_arn(reference.name, reference.version_or_alias)
        return NotFoundError(
            f"The function {arn} doesn't have an EventInvokeConfig",
            reason="RESOURCE_NOT_FOUND",
            arn=arn,
        )


def _check_not_empty(change: EventInvokeChange) -> None:
    if change.empty:
        raise refused("You must specify at least one of error handling or destination setting.")


def _with_qualifier(function: Function | None, reference: FunctionReference) -> Function:
    """The function, if it has what the reference names."""
    if function is None or not function.has(reference.version_or_alias):
        raise _no_function()
    return function


def _applied(config: EventInvokeConfig, change: EventInvokeChange) -> EventInvokeConfig:
    retries, age_s = change.retry_attempts_max, change.event_age_max_s
    changed = replace(
        config,
        retry_attempts_max=config.retry_attempts_max if retries is None else retries,
        event_age_max_s=config.event_age_max_s if age_s is None else age_s,
    )
    if change.destinations is None:
        return changed
    return replace(
        changed,
        on_success=change.destinations.on_success or "",
        on_failure=change.destinations.on_failure or "",
    )


def _no_function() -> NotFoundError:
    return NotFoundError("The function doesn't exist.", reason="RESOURCE_NOT_FOUND")


def _function_reference(arns: ArnScheme, arn: str) -> FunctionReference | None:
    """What a destination's ARN names, or None where it cannot be a function of ours."""
    try:
        return arns.parse(arn)
    except EmberdError:
        return None


def _printed(destinations: Destinations) -> str:
    """A destination config as Lambda prints it in errors."""
    success = _printed_one("OnSuccess", destinations.on_success)
    failure = _printed_one("OnFailure", destinations.on_failure)
    return f"DestinationConfig(onSuccess={success}, onFailure={failure})"


def _printed_one(kind: str, arn: str | None) -> str:
    return "null" if arn is None else f"{kind}(destination={arn or 'null'})"
