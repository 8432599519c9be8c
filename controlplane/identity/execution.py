"""The credentials of running functions: sessions of their roles, the same one for some minutes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from controlplane.identity.sessions import Sessions
from controlplane.model.credentials import Credentials
from controlplane.model.revision import Revision

LIFETIME_S = 12 * 3600.0
RENEW_S = 300.0
"""For so long every new sandbox of a function gets the same."""
KEPT_MAX = 10_000


@dataclass(frozen=True, slots=True)
class _Kept:
    credentials: Credentials
    renew_at_s: float


class ExecutionCredentials:
    """Issues what the sandboxes of a function sign their calls with."""

    def __init__(self, sessions: Sessions, clock_s: Callable[[], float]) -> None:
        """clock_s tells seconds since the epoch."""
        self._sessions = sessions
        self._clock_s = clock_s
        self._kept: dict[tuple[str, str], _Kept] = {}

    def of(self, revision: Revision) -> Credentials:
        """A session of the revision's role, named after its function as Lambda names it.

        It lasts for at least LIFETIME_S - RENEW_S from now.
        """
        now_s = self._clock_s()
        key = (revision.role_arn, revision.function_name)
        kept = self._kept.get(key)
        if kept is None or now_s >= kept.renew_at_s:
            issued = self._sessions.issue(*key, now_s, LIFETIME_S)
            kept = _Kept(issued, now_s + RENEW_S)
            if len(self._kept) >= KEPT_MAX:
                self._kept.clear()
            self._kept[key] = kept
        return kept.credentials
