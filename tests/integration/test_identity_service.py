"""Access keys over a real gRPC server: made, listed, deleted, by the clients' token alone."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import grpc
import pytest

from controlplane.api.grpc.identity import IdentityService
from controlplane.identity.access_keys import AccessKeys
from controlplane.identity.keyring import Keyring
from controlplane.storage.sqlite import SqliteRecords
from emberd.identity.v1 import identity_pb2 as pb
from emberd.identity.v1 import identity_pb2_grpc
from emberd.wire.errors import DeniedError, InvalidArgumentError, NotFoundError
from emberd.wire.interceptors import ServerInterceptor, TokenTable
from emberd.wire.status import error_from

TOKEN = "only-for-this-test"
POLICY = '{"Statement": {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}}'


class System:
    """The service as a client meets it."""

    async def start(self, stack, folder):
        records = await SqliteRecords.open(folder / "registry.db")
        stack.push_async_callback(records.close)
        keys = await AccessKeys.open(
            records, Keyring(bytes(32)), os.urandom, lambda: datetime.now(UTC)
        )
        tokens = TokenTable({"emberd.identity.v1.IdentityService": TOKEN})
        server = grpc.aio.server(interceptors=[ServerInterceptor(tokens)])
        identity_pb2_grpc.add_IdentityServiceServicer_to_server(IdentityService(keys), server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        stack.push_async_callback(server.stop, None)
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        stack.push_async_callback(channel.close)
        self.stub = identity_pb2_grpc.IdentityServiceStub(channel)

    async def call(self, method, request, token=TOKEN):
        """One call; an error comes back as ours."""
        try:
            return await getattr(self.stub, method)(
                request, metadata=(("authorization", f"Bearer {token}"),)
            )
        except grpc.aio.AioRpcError as error:
            raise error_from(error) from error

    async def listed(self):
        return list((await self.call("ListAccessKeys", pb.ListAccessKeysRequest())).access_keys)


@pytest.fixture
async def system(tmp_path):
    async with AsyncExitStack() as stack:
        system = System()
        await system.start(stack, tmp_path)
        yield system


async def test_a_key_is_told_once_listed_without_its_secret_and_deleted(system):
    request = pb.CreateAccessKeyRequest(user_name="ci", policy_document=POLICY)
    made = await system.call("CreateAccessKey", request)
    assert len(made.secret_access_key) == 40
    (listed,) = await system.listed()
    assert listed == made.access_key
    assert listed.user_name == "ci"
    assert made.secret_access_key not in str(listed)
    gone = pb.DeleteAccessKeyRequest(access_key_id=listed.access_key_id)
    await system.call("DeleteAccessKey", gone)
    assert await system.listed() == []
    with pytest.raises(NotFoundError):
        await system.call("DeleteAccessKey", gone)


async def test_a_policy_that_is_none_makes_no_key(system):
    request = pb.CreateAccessKeyRequest(user_name="ci", policy_document="{")
    with pytest.raises(InvalidArgumentError) as refused:
        await system.call("CreateAccessKey", request)
    assert refused.value.reason == "MALFORMED_POLICY_DOCUMENT"
    assert await system.listed() == []


async def test_nobody_makes_keys_without_the_clients_token(system):
    with pytest.raises(DeniedError):
        await system.call("CreateAccessKey", pb.CreateAccessKeyRequest(), token="another")
