"""From a request to the principal that its signature proves.

Signing keys are kept for a day's scope, so that a caller who comes back costs the hashes of its
request and no more. What is kept is bounded; the oldest goes first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from controlplane.identity.claims import check_time, folded, invalid, read_claim
from controlplane.identity.request import SignedRequest
from controlplane.identity.sigv4 import Scope, mismatch, same, signature, signing_key
from controlplane.model.principal import Principal
from emberd.wire.errors import DeniedError

PAYLOAD_HASH_HEADER = "x-amz-content-sha256"

GLOBAL_SERVICES = frozenset({"iam", "sts"})
"""Tools sign for these in whichever region their endpoint tables name."""

KEYS_KEPT_MAX = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whom credentials stand for, and the secret that proves it."""

    principal: Principal
    secret_access_key: str = field(repr=False)
    expires_s: int | None
    """Seconds since the epoch; None for a lasting key."""


Recognise = Callable[[str, str], Caller]
"""From access key id and session token ("" for none) to whom they stand for, as of now.

Raises DeniedError (UNRECOGNIZED_CLIENT) for what is not ours.
"""


class SignatureAuthenticator:
    """Lets in whoever signed with credentials of ours, for this region and the right service."""

    def __init__(self, region: str, recognise: Recognise) -> None:
        self._region = region
        self._recognise = recognise
        self._keys: dict[tuple[str, Scope], bytes] = {}

    def authenticate(self, request: SignedRequest, service: str) -> Principal:
        """Who signed this request for this service.

        Raises:
            DeniedError: nobody, nobody known, not for this service, not now, or not this request.
        """
        headers = folded(request)
        claim = read_claim(request, headers)
        self._check_scope(claim.scope, service)
        caller = self._recognise(claim.access_key_id, claim.session_token)
        now_s = request.now_ns / 1e9
        if caller.expires_s is not None and now_s >= caller.expires_s:
            raise DeniedError(
                "The security token included in the request is expired", reason="EXPIRED_TOKEN"
            )
        check_time(claim, now_s)
        payload_hash = _payload_hash(request.body, headers.get(PAYLOAD_HASH_HEADER))
        known = (caller.secret_access_key, claim.scope)
        key = self._keys.get(known) or signing_key(caller.secret_access_key, claim.scope)
        expected = signature(
            request,
            headers,
            payload_hash=payload_hash,
            signed_headers=claim.signed_headers,
            time=claim.time,
            scope=claim.scope,
            key=key,
            presigned=claim.expires_s is not None,
        )
        if not same(expected, claim.signature):
            raise mismatch()
        # Only now: a scope that nobody proved must not push another one out.
        self._keep(known, key)
        return caller.principal

    def _check_scope(self, scope: Scope, service: str) -> None:
        if scope.region != self._region and service not in GLOBAL_SERVICES:
            raise invalid(
                f"Credential should be scoped to a valid region, not '{scope.region}'. "
                f"This is '{self._region}'."
            )
        if scope.service != service:
            raise invalid(f"Credential should be scoped to correct service: '{service}'.")

    def _keep(self, known: tuple[str, Scope], key: bytes) -> None:
        if known in self._keys:
            return
        if len(self._keys) >= KEYS_KEPT_MAX:
            del self._keys[next(iter(self._keys))]
        self._keys[known] = key


def _payload_hash(body: bytes, declared: str | None) -> str:
    """The SHA-256 of the body, as every signature for these services covers it.

    AWS takes UNSIGNED-PAYLOAD over TLS only, and the chunked STREAMING-* forms for S3 only. Here a
    body travels in plain HTTP and is never without protection.
    """
    computed = hashlib.sha256(body).hexdigest()
    if declared is not None and declared != computed:
        if declared.startswith(("UNSIGNED-", "STREAMING-")):
            raise invalid(
                "The payload must be signed: x-amz-content-sha256 has to be the SHA-256 of the "
                "body. Unsigned and chunked payloads are not accepted here."
            )
        raise invalid("The x-amz-content-sha256 header does not match the body's SHA-256.")
    return computed
