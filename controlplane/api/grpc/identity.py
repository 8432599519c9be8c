"""Access keys for operators. Whoever holds the clients' token is the account itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from controlplane.identity.access_keys import AccessKey, AccessKeys
from emberd.identity.v1 import identity_pb2 as pb
from emberd.identity.v1 import identity_pb2_grpc
from emberd.wire.times import NS_PER_S, timestamp


class IdentityService(identity_pb2_grpc.IdentityServiceServicer):
    """Makes, lists and deletes access keys."""

    def __init__(self, keys: AccessKeys) -> None:
        self._keys = keys

    async def CreateAccessKey(
        self, request: pb.CreateAccessKeyRequest, context: Any
    ) -> pb.CreateAccessKeyResponse:
        """Make a key, and tell its secret this once."""
        made = await self._keys.create(user_name=request.user_name, policy=request.policy_document)
        key = self._keys.find(made.access_key_id)
        assert key is not None, "the key was just made"
        return pb.CreateAccessKeyResponse(
            access_key=_message(key), secret_access_key=made.secret_access_key
        )

    async def ListAccessKeys(
        self, request: pb.ListAccessKeysRequest, context: Any
    ) -> pb.ListAccessKeysResponse:
        """Every key, oldest first."""
        keys = [_message(each) for each in self._keys.list()]
        return pb.ListAccessKeysResponse(access_keys=keys)

    async def DeleteAccessKey(
        self, request: pb.DeleteAccessKeyRequest, context: Any
    ) -> pb.DeleteAccessKeyResponse:
        """Delete a key."""
        await self._keys.delete(request.access_key_id)
        return pb.DeleteAccessKeyResponse()


def _message(key: AccessKey) -> pb.AccessKey:
    return pb.AccessKey(
        access_key_id=key.access_key_id,
        user_name=key.user_name,
        create_time=timestamp(_ns(key.created)),
    )


def _ns(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * (NS_PER_S // 1_000_000)
