"""All settings in memory, by what others look up: no answer here walks over all functions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from controlplane.model.revision import ProvisionedSlots
from controlplane.model.settings import NO_SETTINGS, FunctionSettings, UrlConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlTarget:
    """Where a function URL leads."""

    function_name: str
    qualifier: str
    """An alias, or empty for the unqualified function."""
    config: UrlConfig


class SettingsIndex:
    """The settings of every function of one control plane."""

    def __init__(self) -> None:
        self._settings: dict[str, FunctionSettings] = {}
        self._urls: dict[str, UrlTarget] = {}
        self._signed: dict[str, set[str]] = {}
        self._provisioned: set[str] = set()
        self._claimed = 0

    @property
    def claimed_concurrency(self) -> int:
        """Concurrency that is kept for single functions, whether they run or not."""
        return self._claimed

    @property
    def provisioned_names(self) -> Collection[str]:
        """The functions that have provisioned concurrency."""
        return sorted(self._provisioned)

    def url_target(self, url_id: str) -> UrlTarget | None:
        """Where a function URL leads, or None."""
        return self._urls.get(url_id)

    def signed_by(self, arn: str) -> Collection[str]:
        """The names of the functions that have this code-signing configuration."""
        return self._signed.get(arn, ())

    def policy_of(self, function_name: str, qualifier: str) -> str | None:
        """The resource policy (JSON) of a function, or of one version or alias of it."""
        settings = self._settings.get(function_name)
        return settings.policies.get(qualifier) if settings else None

    def put(self, name: str, settings: FunctionSettings | None) -> None:
        """Take a function's new settings, None when it was deleted."""
        before = self._settings.get(name, NO_SETTINGS)
        if settings is before:
            return
        after = settings or NO_SETTINGS
        self._claimed += after.claimed_concurrency - before.claimed_concurrency
        for url in before.urls.values():
            del self._urls[url.url_id]
        for qualifier, url in after.urls.items():
            self._urls[url.url_id] = UrlTarget(function_name=name, qualifier=qualifier, config=url)
        self._provisioned.discard(name)
        if after.provisioned:
            self._provisioned.add(name)
        self._sign(name, before.code_signing_config_arn, after.code_signing_config_arn)
        if settings is None or settings == NO_SETTINGS:
            self._settings.pop(name, None)
        else:
            self._settings[name] = settings

    def _sign(self, name: str, before: str, after: str) -> None:
        if before:
            self._signed[before].discard(name)
            if not self._signed[before]:
                del self._signed[before]
        if after:
            self._signed.setdefault(after, set()).add(name)


def provisioned_slots(
    settings: FunctionSettings, qualifier: str, number: str
) -> ProvisionedSlots | None:
    """What is kept ready for an invocation: an alias's if it has any, otherwise its version's."""
    if not settings.provisioned:
        return None
    key = qualifier if qualifier in settings.provisioned else number
    here = settings.provisioned.get(key)
    return ProvisionedSlots(
        qualifier=key,
        slots=here.requested if here else 0,
        function_slots=settings.provisioned_total,
    )
