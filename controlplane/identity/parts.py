"""All that knows callers, put together from the store and the data key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from controlplane.identity.access_keys import AccessKeys
from controlplane.identity.authentication import SignatureAuthenticator
from controlplane.identity.callers import Callers
from controlplane.identity.keyring import Keyring, RandomBytes
from controlplane.identity.roles import Roles
from controlplane.identity.sessions import Sessions
from controlplane.model.credentials import Credentials
from controlplane.model.ids import ArnScheme
from controlplane.storage.ports import RecordStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who there is, and how it is proved."""

    keys: AccessKeys
    roles: Roles
    sessions: Sessions
    callers: Callers
    authenticator: SignatureAuthenticator


async def open_identity(
    records: RecordStore,
    arns: ArnScheme,
    *,
    data_key: bytes,
    root_key: Credentials,
    random_bytes: RandomBytes,
    clock: Callable[[], datetime],
) -> Identity:
    """Read keys, roles and policies.

    Raises:
        ConflictError: a record cannot be understood.
    """
    keyring = Keyring(data_key)
    keys = await AccessKeys.open(records, keyring, random_bytes, clock)
    roles = await Roles.open(records, arns.account_id, random_bytes, clock)
    sessions = Sessions(keyring, random_bytes)
    callers = Callers(arns.account_id, root_key, keys, sessions, roles)
    return Identity(
        keys=keys,
        roles=roles,
        sessions=sessions,
        callers=callers,
        authenticator=SignatureAuthenticator(arns.region, callers.recognise),
    )
