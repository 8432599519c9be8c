"""Temporary credentials of roles. They are proved by what they contain, so no store knows them.

The session token is sealed: it says which role, which session and until when, and opens only
together with its access key id. The secret is made from both with a key that only we have.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from dataclasses import dataclass

from controlplane.identity.keyring import Keyring, RandomBytes
from controlplane.model.credentials import Credentials
from emberd.wire.errors import DeniedError

KEY_ID_PREFIX = "ASIA"
_KEY_ID_RANDOM_BYTES = 10
"""80 bits make the 16 characters that follow the prefix."""

TOKEN_CHARACTERS_MAX = 8_192
"""More is no token of ours, and is not looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a session token says."""

    role_arn: str
    session_name: str
    expires_s: int


class Sessions:
    """Issues temporary credentials and recognises them again, across restarts."""

    def __init__(self, keyring: Keyring, random_bytes: RandomBytes) -> None:
        self._seal = keyring.seal("session token", random_bytes)
        self._secret_key = keyring.key("session secret")
        self._random_bytes = random_bytes

    def issue(
        self, role_arn: str, session_name: str, now_s: float, lifetime_s: float
    ) -> Credentials:
        """Credentials that act as the role until now_s + lifetime_s (seconds since the epoch)."""
        drawn = self._random_bytes(_KEY_ID_RANDOM_BYTES)
        key_id = KEY_ID_PREFIX + base64.b32encode(drawn).decode()
        expires_s = int(now_s + lifetime_s)
        said = json.dumps([role_arn, session_name, expires_s], separators=(",", ":"))
        sealed = self._seal.close(said.encode(), key_id.encode())
        token = base64.urlsafe_b64encode(sealed).decode()
        return Credentials(
            access_key_id=key_id,
            secret_access_key=self.secret(key_id, token),
            session_token=token,
            expires_s=expires_s,
        )

    def open(self, access_key_id: str, session_token: str) -> Session:
        """What the token says, expired or not.

        Raises:
            DeniedError: the token is not ours, was changed, or is another key's.
        """
        said = None
        if len(session_token) <= TOKEN_CHARACTERS_MAX:
            said = self._seal.open(_decoded(session_token), access_key_id.encode())
        if said is None:
            raise DeniedError(
                "The security token included in the request is invalid.",
                reason="UNRECOGNIZED_CLIENT",
            )
        role_arn, session_name, expires_s = json.loads(said)
        return Session(role_arn=role_arn, session_name=session_name, expires_s=expires_s)

    def secret(self, access_key_id: str, session_token: str) -> str:
        """The secret access key that belongs to a token; only for tokens that open() took."""
        proof = hmac.digest(
            self._secret_key, f"{access_key_id}\n{session_token}".encode(), "sha256"
        )
        return base64.b64encode(proof)[:40].decode()


def _decoded(token: str) -> bytes:
    """The bytes of a token; none for a text that is not written the one way that we write it."""
    try:
        sealed = base64.urlsafe_b64decode(token)
    except (binascii.Error, ValueError):
        return b""
    return sealed if base64.urlsafe_b64encode(sealed).decode() == token else b""
