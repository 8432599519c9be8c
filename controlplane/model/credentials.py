"""What a caller signs requests with."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """An access key, and for a session its token too. Whoever has them may act as their owner."""

    access_key_id: str
    """AKIA... of a lasting key, ASIA... of a session."""
    secret_access_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)
    """Empty for a lasting key."""
    expires_s: int | None = None
    """Seconds since the epoch; None for a lasting key."""
