"""Keys for one purpose each, made from the data key, and sealing of small secrets with them.

The data key is 32 bytes that the first start makes. Nothing is sealed with it directly: every
purpose has a key of its own (HKDF, RFC 5869), so that what one part seals no other part can open.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
"""What AES-GCM wants (NIST SP 800-38D); drawn at random, so a key may seal 2^32 times."""

RandomBytes = Callable[[int], bytes]
"""Returns that many unpredictable bytes: os.urandom."""


class Keyring:
    """Makes the keys of a data key."""

    def __init__(self, data_key: bytes) -> None:
        """Take the data key.

        Raises:
            ValueError: it has not KEY_BYTES bytes.
        """
        if len(data_key) != KEY_BYTES:
            raise ValueError(f"a data key has {KEY_BYTES} bytes, this one has {len(data_key)}")
        self._data_key = data_key

    def key(self, purpose: str) -> bytes:
        """The key for one purpose, the same at every start."""
        derivation = HKDF(
            algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"emberd " + purpose.encode()
        )
        return derivation.derive(self._data_key)

    def seal(self, purpose: str, random_bytes: RandomBytes) -> Seal:
        """What seals and opens for one purpose."""
        return Seal(self.key(purpose), random_bytes)


class Seal:
    """Seals bytes so that only this key opens them, unchanged and in the place they were for."""

    def __init__(self, key: bytes, random_bytes: RandomBytes) -> None:
        self._cipher = AESGCM(key)
        self._random_bytes = random_bytes

    def close(self, secret: bytes, place: bytes) -> bytes:
        """Seal a secret for a place, for example the key id it belongs to."""
        nonce = self._random_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, place)

    def open(self, sealed: bytes, place: bytes) -> bytes | None:
        """The secret; None when it was made with another key, for another place, or changed."""
        nonce, text = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        if len(nonce) < NONCE_BYTES:
            return None
        try:
            return self._cipher.decrypt(nonce, text, place)
        except InvalidTag:
            return None
