"""Control plane and host over the real wire: work, refusals, losses, transfers."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from controlplane.dispatch.ports import (
    ProvisionOrder,
    ProvisionReport,
    SnapshotOrder,
    SnapshotReport,
    SnapshotResult,
)
from controlplane.model.invocation import StartLevel
from emberd.wire.errors import CapacityError, EmberdError, NotFoundError, UnavailableError
from sandbox import frames, work
from tests.integration.fleet.playing import (
    CREDENTIALS,
    MIB,
    REVISION,
    ScriptedHost,
    control_plane,
    echo,
    event,
    host_of,
    result_of,
    until,
)


async def test_an_invocation_travels_to_the_host_and_back():
    async with control_plane() as fleet, host_of(fleet, echo) as host:
        await fleet.attached.wait()
        assert [each.hello.networks for each in fleet.dispatcher.hosts] == [{"db"}]
        result = await fleet.dispatcher.invoke(event(b'{"a": 1}'))
        await asyncio.sleep(0)
    assert result.attempt.payload == b'{"a": 1}'
    assert result.attempt.start_level is StartLevel.FRESH
    assert result.attempt.log_tail == b"tail"
    assert (result.attempt.duration_ns, result.attempt.billed_ms) == (1_500_000, 2)
    assert result.host_id == "host-1"
    attempt = host.seen[0]
    assert attempt.revision.timeout_s == 3
    assert attempt.revision.environment == {"A": "b"}
    assert attempt.revision.network == "db"
    assert attempt.credentials == work.Credentials(
        access_key_id="ASIA1", secret_access_key="secret", session_token="token", expires_s=9_999
    )
    assert attempt.trace_header.startswith("Root=1-11111111-")
    assert attempt.tracestate == "a=1"
    assert [phase.name for phase in fleet.records[0].phases] == [
        "front",
        "schedule",
        "invoke",
        "response",
    ]


@pytest.mark.parametrize("size", [64 * 1024, 64 * 1024 + 1, 6 * MIB])
async def test_events_and_answers_of_every_size_arrive_whole(size):
    payload = bytes(range(256)) * (size // 256) + b"x" * (size % 256)

    def fetch_then_echo(host: ScriptedHost, attempt: work.Attempt) -> None:
        async def go() -> None:
            event = attempt.payload or await host.session.fetch_payload(attempt.invocation_id)
            await host.session.answer(result_of(attempt, event))

        task = asyncio.create_task(go())
        host.tasks.add(task)
        task.add_done_callback(host.tasks.discard)

    async with control_plane() as fleet, host_of(fleet, fetch_then_echo):
        await fleet.attached.wait()
        result = await fleet.dispatcher.invoke(event(payload))
    assert result.attempt.payload == payload


async def test_two_hundred_at_once_are_answered_each_with_its_own():
    async with control_plane() as fleet, host_of(fleet, echo):
        await fleet.attached.wait()
        asked = [event(b"%d" % n, f"inv-{n}") for n in range(200)]
        results = await asyncio.gather(*(fleet.dispatcher.invoke(each) for each in asked))
    assert [result.attempt.payload for result in results] == [b"%d" % n for n in range(200)]


async def test_without_any_host_a_caller_is_told_at_once():
    async with control_plane() as fleet:
        with pytest.raises(UnavailableError, match="host"):
            await fleet.dispatcher.invoke(event())


async def test_a_host_that_refuses_leaves_a_throttled_caller():
    def refuse(host: ScriptedHost, attempt: work.Attempt) -> None:
        host.session.refuse(attempt.invocation_id, work.RefusalReason.MEMORY, "no memory left")

    async with control_plane() as fleet, host_of(fleet, refuse):
        await fleet.attached.wait()
        with pytest.raises(CapacityError, match="no memory left") as caught:
            await fleet.dispatcher.invoke(event())
    assert caught.value.reason == "TOO_MANY_REQUESTS"


async def test_a_host_that_is_lost_ends_what_ran_there_with_a_definite_error():
    async with control_plane() as fleet:
        async with host_of(fleet, lambda host, attempt: None) as host:
            await fleet.attached.wait()
            invocation = asyncio.create_task(fleet.dispatcher.invoke(event()))
            await until(lambda: host.seen)
        async with asyncio.timeout(5):
            with pytest.raises(UnavailableError) as caught:
                await invocation
    assert caught.value.reason == "HOST_LOST"


async def test_a_host_attaches_again_when_its_stream_breaks():
    async with control_plane() as fleet, host_of(fleet, echo) as host:
        await fleet.attached.wait()
        fleet.attached.clear()
        fleet.service.end_streams()
        async with asyncio.timeout(5):
            await fleet.attached.wait()
        result = await fleet.dispatcher.invoke(event(b"7"))
    assert result.attempt.payload == b"7"
    assert host.hellos == 2


async def test_a_host_that_leaves_does_not_attach_again_when_its_stream_breaks():
    async with control_plane() as fleet, host_of(fleet, echo) as host:
        await fleet.attached.wait()
        host.session.leave()
        fleet.attached.clear()
        fleet.service.end_streams()
        async with asyncio.timeout(5):
            await host.session.left()
        with pytest.raises(UnavailableError):
            await fleet.dispatcher.invoke(event())
    assert host.hellos == 1


async def test_a_caller_that_leaves_does_not_disturb_the_next_one():
    async with control_plane() as fleet, host_of(fleet, echo) as host:
        await fleet.attached.wait()
        host.act = lambda host, attempt: None
        leaving = asyncio.create_task(fleet.dispatcher.invoke(event(request_id="inv-a")))
        await until(lambda: host.seen)
        leaving.cancel()
        await asyncio.wait({leaving})
        host.answer(host.seen[0], b"late")
        host.act = echo
        result = await fleet.dispatcher.invoke(event(b"2", "inv-b"))
    assert result.attempt.payload == b"2"


async def test_an_answer_that_nobody_can_take_still_ends_its_attempt():
    async with control_plane() as fleet, host_of(fleet, lambda host, attempt: None) as host:
        await fleet.attached.wait()
        leaving = asyncio.create_task(fleet.dispatcher.invoke(event()))
        await until(lambda: host.seen)
        leaving.cancel()
        await asyncio.wait({leaving})
        host.answer(host.seen[0], b"x" * 100_000)
        await until(lambda: fleet.dispatcher.in_flight == 0)


async def test_a_result_for_another_hosts_invocation_is_ignored():
    async with control_plane() as fleet, host_of(fleet, echo) as host:
        await fleet.attached.wait()
        stray = replace(result_of(attempt_named("nobody"), b"x"))
        await host.session.answer(stray)
        result = await fleet.dispatcher.invoke(event(b"1"))
    assert result.attempt.payload == b"1"


def attempt_named(invocation_id: str) -> work.Attempt:
    return work.Attempt(
        invocation_id=invocation_id,
        revision=None,  # type: ignore[arg-type]
        payload=b"",
        payload_to_fetch_bytes=0,
        invoked_function_arn="",
        client_context="",
        want_log_tail=False,
        trace_header="",
        queue_timeout_s=1,
    )


async def test_a_retired_revision_is_told_to_the_host():
    async with control_plane() as fleet, host_of(fleet, echo) as host:
        await fleet.attached.wait()
        fleet.dispatcher.revision_retired("rev-1")
        await until(lambda: host.retired)
    assert host.retired == ["rev-1"]


async def test_an_artifact_is_streamed_and_a_missing_one_is_named():
    async with control_plane() as fleet, host_of(fleet, echo) as host:
        pieces = [piece async for piece in host.session.fetch_artifact(REVISION.artifact_id)]
        with pytest.raises(NotFoundError, match="no artifact feed"):
            [piece async for piece in host.session.fetch_artifact("feed")]
    assert b"".join(pieces) == b"zip"


async def test_log_lines_reach_the_control_plane_in_order():
    async with control_plane() as fleet, host_of(fleet, echo) as host:
        for number in range(100):
            host.log_queue.offer(  # type: ignore[attr-defined]
                work.LogRecord(
                    time_ns=number,
                    function_name="hello",
                    version="1",
                    invocation_id="",
                    message=b"\xff%d" % number,
                    log_stream="s",
                    trace_header="Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8",
                )
            )
        await until(lambda: len(fleet.logs) == 100)
    assert {(line.trace_id, line.span_id) for line in fleet.logs} == {
        ("5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8")
    }
    assert [line.message for line in fleet.logs] == [b"\xff%d" % n for n in range(100)]


async def test_a_host_with_a_wrong_token_is_never_attached(caplog):
    async with control_plane() as fleet, host_of(fleet, echo, token="wrong") as host:
        await until(lambda: host.hellos >= 2)
    assert not fleet.attached.is_set()
    assert "wrong" not in caplog.text


async def test_what_shall_stand_ready_is_asked_and_what_does_is_reported():
    async with control_plane() as fleet, host_of(fleet, echo) as host:
        await fleet.attached.wait()
        [attached] = fleet.dispatcher.hosts
        order = ProvisionOrder(revision=REVISION, wanted=2, credentials=CREDENTIALS)
        attached.link.provision(order)
        await until(lambda: host.provisions)
        host.session.send(frames.provisioned("rev-1", 1, "no room"))
        await until(lambda: attached.provisioned)
    [provision] = host.provisions
    assert (provision.revision.revision_id, provision.wanted) == ("rev-1", 2)
    assert provision.credentials.session_token == "token"
    assert attached.provisioned == {"rev-1": ProvisionReport(allocated=1, failure="no room")}


@pytest.mark.parametrize("result", work.SnapshotResult)
async def test_a_snapshot_is_ordered_and_reported(result):
    told = []
    async with control_plane() as fleet, host_of(fleet, echo) as host:
        await fleet.attached.wait()
        [attached] = fleet.dispatcher.hosts
        fleet.dispatcher.on_snapshot_made(lambda *news: told.append(news))
        revision = replace(REVISION, snap_start=True)
        attached.link.snapshot(SnapshotOrder(revision=revision, credentials=CREDENTIALS))
        await until(lambda: host.snapshots)
        made = work.SnapshotMade(
            revision_id="rev-1", result=result, message="why", error_type="ValueError"
        )
        host.session.send(frames.snapshot_made(made))
        await until(lambda: told)
    [order] = host.snapshots
    assert (order.revision.revision_id, order.revision.snap_start) == ("rev-1", True)
    assert order.credentials.session_token == "token"
    report = SnapshotReport(
        result=SnapshotResult(result.value), message="why", error_type="ValueError"
    )
    assert told == [(attached.link, "rev-1", report)]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (work.RefusalReason.RESTORE_FAILED, "SNAP_START"),
        (work.RefusalReason.RESTORE_TIMED_OUT, "SNAP_START_TIMEOUT"),
    ],
)
async def test_a_restore_that_failed_ends_the_invocation(reason, expected):
    def hand_back(host: ScriptedHost, attempt: work.Attempt) -> None:
        host.session.refuse(attempt.invocation_id, reason, "why")

    async with control_plane() as fleet, host_of(fleet, hand_back):
        await fleet.attached.wait()
        with pytest.raises(EmberdError) as refused:
            await fleet.dispatcher.invoke(event())
        assert fleet.dispatcher.in_flight == 0
    assert refused.value.reason == expected


async def test_what_a_restore_took_travels_with_the_result():
    def restored(host: ScriptedHost, attempt: work.Attempt) -> None:
        result = replace(
            result_of(attempt, b"{}"),
            start_level=work.StartLevel.TEMPLATE,
            init_duration_ns=0,
            restore_duration_ns=4_000_000,
        )
        host.tasks.add(asyncio.create_task(host.session.answer(result)))

    async with control_plane() as fleet, host_of(fleet, restored):
        await fleet.attached.wait()
        result = await fleet.dispatcher.invoke(event())
    assert result.attempt.start_level is StartLevel.TEMPLATE
    assert (result.attempt.init_duration_ns, result.attempt.restore_duration_ns) == (0, 4_000_000)
