"""All settings in memory, by what others look up: no answer here walks over all functions."""

from __future__ import annotations

from dataclasses import dataclass

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
        self._claimed = 0

    @property
    def claimed_concurrency(self) -> int:
        """Concurrency that is kept for single functions, whether they run or not."""
        return self._claimed

    def url_target(self, url_id: str) -> UrlTarget | None:
        """Where a function URL leads, or None."""
        return self._urls.get(url_id)

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
        if settings is None or settings == NO_SETTINGS:
            self._settings.pop(name, None)
        else:
            self._settings[name] = settings
