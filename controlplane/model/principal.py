"""Who calls: what a credential proves, as far as policies can see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class PrincipalKind(Enum):
    """What kind of identity stands behind a call."""

    ROOT = "root"
    """The account itself: its own policies cannot limit it."""
    USER = "user"
    """An access key with a policy of its own."""
    ROLE = "role"
    """A session of a role, for example a running function's."""
    SERVICE = "service"
    """Another part of emberd that acts for an event source."""
    ANONYMOUS = "anonymous"
    """Nobody in particular; only a resource policy can let it in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """An authenticated caller."""

    kind: PrincipalKind
    account_id: str
    """12 digits; empty for nobody in particular."""
    arn: str
    """As GetCallerIdentity gives it, for example arn:aws:iam::000000000000:root."""
    user_id: str
    """As GetCallerIdentity gives it."""
    access_key_id: str = ""
    role_arn: str = ""
    """Of a session: the role that it acts as; empty otherwise."""
    policies: tuple[str, ...] = field(default=(), repr=False)
    """Identity policies, each a JSON document; what a user or a role may do."""
