"""Access keys: made, sealed in the store, found again, deleted."""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from controlplane.identity.access_keys import PREFIX, AccessKeys
from controlplane.identity.callers import Callers
from controlplane.identity.keyring import Keyring
from controlplane.identity.roles import Roles
from controlplane.identity.sessions import Sessions
from controlplane.model.credentials import Credentials
from controlplane.model.principal import PrincipalKind
from controlplane.storage.ports import Put
from controlplane.storage.sqlite import SqliteRecords
from emberd.wire.errors import DeniedError, InvalidArgumentError, NotFoundError

ACCOUNT_ID = "000000000000"
ROOT_KEY = Credentials(access_key_id="AKIA-root", secret_access_key="root's")
POLICY = json.dumps({"Statement": {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}})
DATA_KEY = b"d" * 32


def now() -> datetime:
    return datetime.now(UTC)


async def opened(records: SqliteRecords, data_key: bytes = DATA_KEY) -> AccessKeys:
    return await AccessKeys.open(records, Keyring(data_key), os.urandom, now)


@pytest.fixture
async def records(tmp_path: Path):
    store = await SqliteRecords.open(tmp_path / "registry.db")
    yield store
    await store.close()


async def callers(records: SqliteRecords, keys: AccessKeys) -> Callers:
    roles = await Roles.open(records, ACCOUNT_ID, os.urandom, now)
    sessions = Sessions(Keyring(DATA_KEY), os.urandom)
    return Callers(ACCOUNT_ID, ROOT_KEY, keys, sessions, roles)


async def test_a_key_is_found_again_after_a_restart_with_its_secret(records: SqliteRecords) -> None:
    made = await (await opened(records)).create(user_name="ci", policy=POLICY)
    found = (await opened(records)).find(made.access_key_id)
    assert found is not None
    assert found.secret_access_key == made.secret_access_key
    assert (found.user_name, found.policy) == ("ci", POLICY)


async def test_the_store_never_has_a_secret_in_the_clear(
    records: SqliteRecords, tmp_path: Path
) -> None:
    made = await (await opened(records)).create()
    (record,) = await records.list(PREFIX, limit=10)
    assert made.access_key_id.encode() in record.key.encode()
    assert made.secret_access_key.encode() not in record.value
    await records.close()
    files = b"".join(each.read_bytes() for each in tmp_path.iterdir())
    assert made.access_key_id.encode() in files
    assert made.secret_access_key.encode() not in files


async def test_a_key_sealed_with_another_data_key_opens_nothing_and_can_be_deleted(
    records: SqliteRecords, caplog: pytest.LogCaptureFixture
) -> None:
    made = await (await opened(records)).create()
    with caplog.at_level(logging.WARNING):
        keys = await opened(records, b"x" * 32)
    assert "sealed with another data key" in caplog.text
    assert keys.find(made.access_key_id) is None
    assert [each.access_key_id for each in keys.list()] == [made.access_key_id]
    await keys.delete(made.access_key_id)
    assert keys.list() == []


async def test_a_sealed_secret_is_of_no_use_under_another_keys_name(records: SqliteRecords) -> None:
    keys = await opened(records)
    one, other = await keys.create(), await keys.create()
    record = await records.get(PREFIX + one.access_key_id)
    assert record is not None
    await records.commit([Put(key=PREFIX + other.access_key_id, value=record.value)])
    assert (await opened(records)).find(other.access_key_id) is None


@pytest.mark.parametrize(
    ("user_name", "policy"),
    [("ci", ""), ("", POLICY), ("c i", POLICY), ("c" * 65, POLICY), ("ci", "{}")],
)
async def test_a_user_has_a_name_and_a_policy(
    records: SqliteRecords, user_name: str, policy: str
) -> None:
    keys = await opened(records)
    with pytest.raises(InvalidArgumentError):
        await keys.create(user_name=user_name, policy=policy)
    assert keys.list() == []


async def test_a_key_that_is_not_there_cannot_be_deleted(records: SqliteRecords) -> None:
    with pytest.raises(NotFoundError) as refused:
        await (await opened(records)).delete("AKIA-none")
    assert refused.value.reason == "NO_SUCH_ENTITY"


async def test_keys_are_of_the_account_or_of_users(records: SqliteRecords) -> None:
    keys = await opened(records)
    known = await callers(records, keys)
    root, user = await keys.create(), await keys.create(user_name="ci", policy=POLICY)
    principals = [
        known.recognise(each.access_key_id, "").principal for each in (ROOT_KEY, root, user)
    ]
    assert [each.kind for each in principals] == [
        PrincipalKind.ROOT,
        PrincipalKind.ROOT,
        PrincipalKind.USER,
    ]
    assert principals[2].arn == f"arn:aws:iam::{ACCOUNT_ID}:user/ci"
    assert principals[2].policies == (POLICY,)


async def test_a_session_of_a_deleted_role_may_nothing_any_more(records: SqliteRecords) -> None:
    keys = await opened(records)
    roles = await Roles.open(records, ACCOUNT_ID, os.urandom, now)
    sessions = Sessions(Keyring(DATA_KEY), os.urandom)
    known = Callers(ACCOUNT_ID, ROOT_KEY, keys, sessions, roles)
    trust = json.dumps(
        {"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}}
    )
    role = await roles.create("worker", trust, tags={})
    await roles.put_inline("worker", "may", POLICY)
    issued = sessions.issue(role.arn, "hello", 0, 60)

    def policies() -> tuple[str, ...]:
        caller = known.recognise(issued.access_key_id, issued.session_token)
        return caller.principal.policies

    assert policies() == (POLICY,)
    await roles.delete_inline("worker", "may")
    await roles.delete("worker")
    assert policies() == ()


async def test_what_is_recognised_shows_no_secret(records: SqliteRecords) -> None:
    keys = await opened(records)
    made = await keys.create(user_name="ci", policy=POLICY)
    known = await callers(records, keys)
    caller = known.recognise(made.access_key_id, "")
    for shown in (repr(caller), repr(keys.list()), repr(caller.principal)):
        assert made.secret_access_key not in shown


async def test_what_is_not_known_is_refused_in_one_way(records: SqliteRecords) -> None:
    known = await callers(records, await opened(records))
    for key_id, token in (("AKIA-none", ""), ("", ""), ("AKIA-root", "token"), ("ASIA", "x")):
        with pytest.raises(DeniedError) as refused:
            known.recognise(key_id, token)
        assert refused.value.reason == "UNRECOGNIZED_CLIENT"
        assert refused.value.message == "The security token included in the request is invalid."
