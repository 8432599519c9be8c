"""Access keys that an operator made: their secrets lie sealed in the store, and are shown once."""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from controlplane.identity.document import check_identity_policy
from controlplane.identity.keyring import Keyring, RandomBytes, Seal
from controlplane.identity.records import Shelf
from controlplane.model.credentials import Credentials
from controlplane.storage.ports import RecordStore
from emberd.wire.errors import ConflictError, InvalidArgumentError, NotFoundError

logger = logging.getLogger(__name__)

PREFIX = "identity/access-keys/"
KEYS_MAX = 1_000
KEY_ID_PREFIX = "AKIA"
_KEY_ID_RANDOM_BYTES = 10
_SECRET_RANDOM_BYTES = 30
"""Forty characters in base64, as AWS's secrets have."""

_USER_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """One lasting access key."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    """Empty when it cannot be unsealed: it was made with another data key."""
    sealed: bytes = field(repr=False)
    user_name: str
    """Empty for a key of the account itself."""
    policy: str = field(repr=False)
    """The JSON document of what the user may do; empty of the account itself."""
    created: datetime


class AccessKeys:
    """Makes, lists and deletes access keys."""

    def __init__(
        self,
        shelf: Shelf[AccessKey],
        seal: Seal,
        random_bytes: RandomBytes,
        clock: Callable[[], datetime],
    ) -> None:
        self._shelf = shelf
        self._seal = seal
        self._random_bytes = random_bytes
        self._clock = clock

    @classmethod
    async def open(
        cls,
        records: RecordStore,
        keyring: Keyring,
        random_bytes: RandomBytes,
        clock: Callable[[], datetime],
    ) -> AccessKeys:
        """Read every key. One that was sealed with another data key opens nothing any more.

        Raises:
            ConflictError: a record cannot be understood.
        """
        seal = keyring.seal("access key", random_bytes)
        shelf = await Shelf.open(
            records, PREFIX, write=_document, read=lambda name, read: _read(seal, name, read)
        )
        lost = sum(not key.secret_access_key for key in shelf.all())
        if lost:
            logger.warning(
                "access keys were sealed with another data key: delete them", extra={"keys": lost}
            )
        return cls(shelf, seal, random_bytes, clock)

    async def create(self, *, user_name: str = "", policy: str = "") -> Credentials:
        """Make a key: of a user that may do what the policy says, or of the account itself.

        Raises:
            InvalidArgumentError: the name or the policy is none, or one stands without the other.
            ConflictError: there are KEYS_MAX keys.
        """
        _check(user_name, policy)
        if len(self._shelf.all()) >= KEYS_MAX:
            raise ConflictError(
                f"there are {KEYS_MAX} access keys: delete some first", reason="LIMIT_EXCEEDED"
            )
        drawn = self._random_bytes(_KEY_ID_RANDOM_BYTES)
        key_id = KEY_ID_PREFIX + base64.b32encode(drawn).decode()
        secret = base64.b64encode(self._random_bytes(_SECRET_RANDOM_BYTES)).decode()
        key = AccessKey(
            access_key_id=key_id,
            secret_access_key=secret,
            sealed=self._seal.close(secret.encode(), key_id.encode()),
            user_name=user_name,
            policy=policy,
            created=self._clock(),
        )
        await self._shelf.change(key_id, lambda _: key)
        return Credentials(access_key_id=key_id, secret_access_key=secret)

    def find(self, access_key_id: str) -> AccessKey | None:
        """One key that can be used, or None."""
        key = self._shelf.get(access_key_id)
        return key if key is not None and key.secret_access_key else None

    def list(self) -> Sequence[AccessKey]:
        """Every key, oldest first."""
        return sorted(self._shelf.all(), key=lambda key: (key.created, key.access_key_id))

    async def delete(self, access_key_id: str) -> None:
        """Delete a key; what was signed with it is refused from now on.

        Raises:
            NotFoundError: there is no such key.
        """

        def none(key: AccessKey | None) -> None:
            if key is None:
                raise NotFoundError(
                    f"The Access Key with id {access_key_id} cannot be found.",
                    reason="NO_SUCH_ENTITY",
                )

        await self._shelf.change(access_key_id, none)


def _check(user_name: str, policy: str) -> None:
    if bool(user_name) is not bool(policy):
        raise InvalidArgumentError(
            "a user needs a policy and a policy a user: give both, or neither for a key of the "
            "account itself",
            reason="INVALID_PARAMETER_VALUE",
        )
    if user_name and not _USER_NAME.fullmatch(user_name):
        raise InvalidArgumentError(
            "a user's name has 1 to 64 letters, digits or _+=,.@-",
            reason="INVALID_PARAMETER_VALUE",
        )
    if policy:
        check_identity_policy(policy)


def _document(key: AccessKey) -> Mapping[str, object]:
    return {
        "sealed": base64.b64encode(key.sealed).decode(),
        "user_name": key.user_name,
        "policy": key.policy,
        "created": key.created.isoformat(),
    }


def _read(seal: Seal, name: str, read: Mapping[str, object]) -> AccessKey:
    sealed = base64.b64decode(str(read["sealed"]))
    secret = seal.open(sealed, name.encode())
    return AccessKey(
        access_key_id=name,
        secret_access_key="" if secret is None else secret.decode(),
        sealed=sealed,
        user_name=str(read["user_name"]),
        policy=str(read["policy"]),
        created=datetime.fromisoformat(str(read["created"])).astimezone(UTC),
    )
