"""What the sandboxes of a function sign their calls with."""

from __future__ import annotations

from dataclasses import replace

from controlplane.identity.execution import LIFETIME_S, RENEW_S, ExecutionCredentials
from controlplane.identity.keyring import KEY_BYTES, Keyring
from controlplane.identity.sessions import Sessions
from controlplane.model.revision import Revision

ROLE = "arn:aws:iam::000000000000:role/worker"
REVISION = Revision(
    revision_id="rev-1",
    function_name="hello",
    version="$LATEST",
    function_arn="arn:aws:lambda:us-east-1:000000000000:function:hello",
    runtime_id="python3.11",
    architecture="x86_64",
    handler="app.handler",
    role_arn=ROLE,
    artifact_id="a" * 64,
    artifact_size_bytes=3,
    memory_size_mb=128,
    ephemeral_storage_mb=512,
    timeout_s=3,
    environment={},
    region="us-east-1",
    account_id="000000000000",
)


class Clock:
    """Stands where it is put."""

    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def issuer(clock: Clock) -> tuple[ExecutionCredentials, Sessions]:
    numbers = iter(range(1, 1_000))
    sessions = Sessions(
        Keyring(b"k" * KEY_BYTES), lambda count: next(numbers).to_bytes(count, "big")
    )
    return ExecutionCredentials(sessions, clock), sessions


def test_a_functions_credentials_act_as_its_role_in_a_session_of_its_name() -> None:
    issued, sessions = issuer(Clock())
    credentials = issued.of(REVISION)
    session = sessions.open(credentials.access_key_id, credentials.session_token)
    assert (session.role_arn, session.session_name) == (ROLE, "hello")
    assert session.expires_s == 1_000 + LIFETIME_S


def test_they_are_the_same_for_some_minutes_and_new_ones_after_that() -> None:
    clock = Clock()
    issued, _ = issuer(clock)
    first = issued.of(REVISION)
    clock.now_s += RENEW_S - 1
    assert issued.of(replace(REVISION, revision_id="rev-2")) is first
    clock.now_s += 1
    second = issued.of(REVISION)
    assert second.access_key_id != first.access_key_id
    assert second.expires_s == 1_000 + RENEW_S + LIFETIME_S


def test_another_function_or_another_role_gets_its_own() -> None:
    issued, _ = issuer(Clock())
    mine = issued.of(REVISION)
    others = [
        issued.of(replace(REVISION, function_name="other")),
        issued.of(replace(REVISION, role_arn=ROLE + "2")),
    ]
    assert len({each.access_key_id for each in (mine, *others)}) == 3
