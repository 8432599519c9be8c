"""Everything that can be set for a function beside code and configuration."""

from __future__ import annotations

from controlplane.registry.ledger import Ledger
from controlplane.registry.settings.index import UrlTarget


class SettingsRegistry:
    """The settings of all functions. Reads never leave memory."""

    def __init__(self, ledger: Ledger) -> None:
        self._index = ledger.index.settings

    @property
    def claimed_concurrency(self) -> int:
        """Concurrency that is kept for single functions, whether they run or not."""
        return self._index.claimed_concurrency

    def policy_of(self, function_name: str, qualifier: str) -> str | None:
        """The resource policy (JSON) of a function, or of one version or alias of it."""
        return self._index.policy_of(function_name, qualifier)

    def url_target(self, url_id: str) -> UrlTarget | None:
        """Where a function URL leads, or None."""
        return self._index.url_target(url_id)
