"""Streamed answers over the real wire: first bytes, back-pressure, losses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from controlplane.model.invocation import StreamLimits
from emberd.wire.errors import UnavailableError
from sandbox import work
from sandbox.runtimeapi import ResponseStream
from tests.integration.fleet.playing import (
    Fleet,
    ScriptedHost,
    control_plane,
    event,
    host_of,
    result_of,
    until,
)


@dataclass(eq=False)
class Function:
    """A function that streams what the test writes into its pipe."""

    stream: ResponseStream
    relayed: asyncio.Task[bool]
    host: ScriptedHost
    attempt: work.Attempt

    async def end(self, payload: bytes = b"", error: str = "") -> None:
        self.stream.pipe.close()
        await self.relayed
        ended = result_of(self.attempt, payload)
        if error:
            ended = replace(ended, function_error="Unhandled", error_type=error)
        await self.host.session.answer(ended)


class Stage:
    """Makes a Function of every attempt."""

    def __init__(self) -> None:
        self.functions: asyncio.Queue[Function] = asyncio.Queue()

    def act(self, host: ScriptedHost, attempt: work.Attempt) -> None:
        stream = ResponseStream("text/plain")
        relayed = asyncio.create_task(host.session.relay(attempt, stream))
        self.functions.put_nowait(Function(stream, relayed, host, attempt))


async def first_function(fleet: Fleet, stage: Stage) -> Function:
    async with asyncio.timeout(5):
        return await stage.functions.get()


async def test_a_chunk_reaches_the_caller_while_the_function_still_runs():
    stage = Stage()
    async with control_plane() as fleet, host_of(fleet, stage.act):
        await fleet.attached.wait()
        async with asyncio.timeout(5), fleet.dispatcher.stream(event()) as answer:
            function = await first_function(fleet, stage)
            assert function.attempt.stream == work.StreamLimits(
                size_bytes=209_715_200, burst_bytes=6_291_456, bytes_per_s=2_097_152
            )
            assert answer.content_type == "text/plain"
            chunks = answer.chunks()
            for word in (b"one", b"two"):
                function.stream.pipe.write(word)
                assert await anext(chunks) == word
            await function.end()
            assert [chunk async for chunk in chunks] == []
            result = await answer.result()
    assert (result.attempt.function_error, result.executed_version) == ("", "$LATEST")
    assert [record.error_type for record in fleet.records] == [""]


async def test_a_function_that_fails_in_the_middle_says_so_after_its_bytes():
    stage = Stage()
    async with control_plane() as fleet, host_of(fleet, stage.act):
        await fleet.attached.wait()
        async with asyncio.timeout(5), fleet.dispatcher.stream(event()) as answer:
            function = await first_function(fleet, stage)
            function.stream.pipe.write(b"half")
            await function.end(b'{"errorType":"X"}', error="Runtime.ExitError")
            assert [chunk async for chunk in answer.chunks()] == [b"half"]
            attempt = (await answer.result()).attempt
    assert (attempt.error_type, attempt.payload) == ("Runtime.ExitError", b'{"errorType":"X"}')


@pytest.mark.parametrize("size", [2, 70_000, 3_000_000])
async def test_a_function_that_does_not_stream_is_read_at_its_end(size: int):
    def whole(host: ScriptedHost, attempt: work.Attempt) -> None:
        host.answer(attempt, b"x" * size)

    async with control_plane() as fleet, host_of(fleet, whole):
        await fleet.attached.wait()
        async with asyncio.timeout(5), fleet.dispatcher.stream(event()) as answer:
            assert b"".join([chunk async for chunk in answer.chunks()]) == b"x" * size


async def test_an_error_before_the_first_byte_is_no_part_of_the_answer():
    def fail(host: ScriptedHost, attempt: work.Attempt) -> None:
        failed = replace(result_of(attempt, b'{"errorType":"X"}'), function_error="Unhandled")
        task = asyncio.create_task(host.session.answer(failed))
        host.tasks.add(task)

    async with control_plane() as fleet, host_of(fleet, fail):
        await fleet.attached.wait()
        async with asyncio.timeout(5), fleet.dispatcher.stream(event()) as answer:
            assert [chunk async for chunk in answer.chunks()] == []
            assert (await answer.result()).attempt.payload == b'{"errorType":"X"}'


async def test_a_slow_caller_makes_the_function_wait_and_gets_everything():
    stage = Stage()
    async with control_plane() as fleet, host_of(fleet, stage.act):
        await fleet.attached.wait()
        async with asyncio.timeout(20), fleet.dispatcher.stream(event()) as answer:
            function = await first_function(fleet, stage)
            written = 0
            while not function.stream.pipe.is_full or not await stays_full(function):
                function.stream.pipe.write(b"x" * 100_000)
                written += 100_000
                assert written < 50_000_000, "nobody reads, and nothing holds the function back"
            ending = asyncio.create_task(function.end())
            got = 0
            async for chunk in answer.chunks():
                got += len(chunk)
            await ending
    assert got == written


async def stays_full(function: Function) -> bool:
    """Whether a full pipe is not emptied for a while."""
    try:
        async with asyncio.timeout(0.3):
            await function.stream.pipe.room()
    except TimeoutError:
        return True
    return False


async def test_a_caller_that_leaves_lets_the_function_run_on_without_a_reader():
    stage = Stage()
    async with control_plane() as fleet, host_of(fleet, stage.act):
        await fleet.attached.wait()
        async with asyncio.timeout(5), fleet.dispatcher.stream(event()) as answer:
            function = await first_function(fleet, stage)
            function.stream.pipe.write(b"half")
            assert await anext(answer.chunks()) == b"half"
        assert fleet.dispatcher.in_flight == 1
        await until(lambda: function.stream.pipe.is_discarded)
        function.stream.pipe.write(b"x" * 10_000_000)
        assert await function.relayed
        await function.end()
        await until(lambda: fleet.dispatcher.in_flight == 0)


async def test_a_stream_for_a_caller_that_left_before_its_first_byte_goes_nowhere():
    begin = asyncio.Event()
    done: list[bool] = []

    def late(host: ScriptedHost, attempt: work.Attempt) -> None:
        async def go() -> None:
            await begin.wait()
            stream = ResponseStream("text/plain")
            stream.pipe.write(b"x" * 1_000_000)
            stream.pipe.close()
            done.append(await host.session.relay(attempt, stream))
            await host.session.answer(result_of(attempt, b""))

        host.tasks.add(asyncio.create_task(go()))

    async with control_plane() as fleet, host_of(fleet, late) as host:
        await fleet.attached.wait()
        asking = asyncio.create_task(anext(aiter(_all_of(fleet))))
        await until(lambda: host.seen)
        asking.cancel()
        await asyncio.wait({asking})
        begin.set()
        await until(lambda: fleet.dispatcher.in_flight == 0)
    assert done == [True]


async def _all_of(fleet: Fleet) -> AsyncIterator[bytes]:
    async with fleet.dispatcher.stream(event()) as answer:
        async for chunk in answer.chunks():
            yield chunk


async def test_a_host_that_is_lost_in_the_middle_is_a_definite_error_after_the_bytes():
    stage = Stage()
    async with control_plane() as fleet, host_of(fleet, stage.act) as host:
        await fleet.attached.wait()
        async with asyncio.timeout(5), fleet.dispatcher.stream(event()) as answer:
            function = await first_function(fleet, stage)
            function.stream.pipe.write(b"half")
            chunks = answer.chunks()
            assert await anext(chunks) == b"half"
            function.relayed.cancel()
            await host.session.close()
            with pytest.raises(UnavailableError) as caught:
                await anext(chunks)
    assert caught.value.reason == "HOST_LOST"


async def test_an_attempt_that_is_handed_back_in_the_middle_is_not_begun_again():
    stage = Stage()
    async with control_plane() as fleet, host_of(fleet, stage.act) as host:
        await fleet.attached.wait()
        async with asyncio.timeout(5), fleet.dispatcher.stream(event()) as answer:
            function = await first_function(fleet, stage)
            function.stream.pipe.write(b"half")
            chunks = answer.chunks()
            assert await anext(chunks) == b"half"
            host.session.refuse("inv-1", work.RefusalReason.START_FAILED, "a surprise")
            with pytest.raises(UnavailableError, match="a surprise"):
                await anext(chunks)
            function.stream.pipe.close()
            await function.relayed
        assert len(host.seen) == 1
        assert fleet.dispatcher.in_flight == 0


async def test_a_caller_that_stops_reading_is_given_up_and_the_function_runs_on():
    stage = Stage()
    async with control_plane(reader_stall_s=0.05) as fleet, host_of(fleet, stage.act):
        await fleet.attached.wait()
        async with asyncio.timeout(10), fleet.dispatcher.stream(event()) as answer:
            function = await first_function(fleet, stage)
            function.stream.pipe.write(b"x" * 10_000_000)
            await function.end()
            await until(lambda: fleet.dispatcher.in_flight == 0)
            with pytest.raises(UnavailableError) as caught:
                async for _ in answer.chunks():
                    pass
    assert caught.value.reason == "READER_STALLED"


async def test_the_rest_of_a_long_answer_goes_at_its_rate():
    limits = StreamLimits(size_bytes=10**6, burst_bytes=1000, bytes_per_s=10_000)
    stage = Stage()
    async with control_plane(limits) as fleet, host_of(fleet, stage.act):
        await fleet.attached.wait()
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(10), fleet.dispatcher.stream(event()) as answer:
            function = await first_function(fleet, stage)
            begun = loop.time()
            function.stream.pipe.write(b"x" * 4000)
            ending = asyncio.create_task(function.end())
            got = b"".join([chunk async for chunk in answer.chunks()])
            took = loop.time() - begun
            await ending
    assert len(got) == 4000
    assert took >= 0.3
