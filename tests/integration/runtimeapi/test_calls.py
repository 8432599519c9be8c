"""What a runtime may call, when, and what comes of it."""

from __future__ import annotations

import asyncio

import pytest

from sandbox.runtimeapi import FunctionFailure, InitError, Response, connection
from tests.integration.runtimeapi.playing import NEXT, RUNTIME, Place, event, path, within


async def test_an_event_goes_in_and_its_answer_comes_out(place: Place):
    runtime = await place.running("r-1", b'{"a":1}')
    got = await runtime.call("POST", path("r-1"), b'"done"', {"Content-Type": "application/json"})
    assert (got.status, got.body) == (202, b'{"status":"OK"}')
    assert await within(place.api.answered()) == Response(
        payload=b'"done"', content_type="application/json"
    )
    runtime.send("GET", NEXT)
    await within(place.api.idle())


async def test_an_error_comes_out_with_its_type_and_its_cause(place: Place):
    runtime = await place.running()
    headers = {
        "Lambda-Runtime-Function-Error-Type": "Runtime.MarshalError",
        "Lambda-Runtime-Function-XRay-Error-Cause": '{"exceptions":[]}',
    }
    assert (await runtime.call("POST", path("r-1", "error"), b'{"x":1}', headers)).status == 202
    assert await within(place.api.answered()) == FunctionFailure(
        payload=b'{"x":1}', error_type="Runtime.MarshalError", xray_cause=b'{"exceptions":[]}'
    )


@pytest.mark.parametrize(
    "cause", ["no json", "[]", '{"a":"' + "x" * 70_000 + '"}', "[" * 60_000, '{"a":"' + "x" * 10**6]
)
async def test_a_cause_that_is_broken_or_huge_is_dropped_and_the_error_kept(
    place: Place, cause: str
):
    runtime = await place.running()
    headers = {"Lambda-Runtime-Function-XRay-Error-Cause": cause}
    assert (await runtime.call("POST", path("r-1", "error"), b"{}", headers)).status == 202
    assert await within(place.api.answered()) == FunctionFailure(
        payload=b"{}", error_type="Function.Unknown"
    )


async def test_an_event_delivered_before_anyone_asked_waits_for_the_first_next(place: Place):
    place.api.deliver(event(payload=b"[1]"))
    runtime = await place.runtime()
    assert (await runtime.call("GET", NEXT)).body == b"[1]"
    assert await within(place.api.initialised()) is None


async def test_an_init_error_comes_out_and_further_calls_are_refused(place: Place):
    runtime = await place.runtime()
    headers = {"Lambda-Runtime-Function-Error-Type": "Runtime.ImportModuleError"}
    assert (await runtime.call("POST", RUNTIME + "init/error", b"{}", headers)).status == 202
    assert await within(place.api.initialised()) == InitError(
        payload=b"{}", error_type="Runtime.ImportModuleError"
    )
    got = await runtime.call("GET", NEXT)
    assert got.error == (403, "InvalidStateTransition")


async def test_an_init_error_of_a_made_up_type_is_unknown(place: Place):
    runtime = await place.runtime()
    await runtime.call("POST", RUNTIME + "init/error", b"{}")
    assert (await within(place.api.initialised())).error_type == "Runtime.Unknown"


async def test_the_same_event_comes_again_when_the_runtime_asks_again(place: Place):
    first = await place.running("r-1", b"[7]")
    second = await place.runtime()
    again = await second.call("GET", NEXT)
    assert (again.body, again.headers["lambda-runtime-aws-request-id"]) == (b"[7]", "r-1")
    assert (await first.call("POST", path("r-1"), b"1")).status == 202


async def test_a_runtime_that_reconnects_while_it_waits_gets_the_event_on_its_new_connection(
    place: Place,
):
    gone = await place.runtime()
    gone.send("GET", NEXT)
    await within(place.api.initialised())
    gone.writer.transport.abort()
    runtime = await place.runtime()
    # A whole exchange later the server has seen the old connection end.
    assert (await runtime.call("GET", "/ping")).body == b"pong"
    runtime.send("GET", NEXT)
    place.api.deliver(event(payload=b"[2]"))
    assert (await runtime.got()).body == b"[2]"


async def test_an_event_is_not_handed_to_a_connection_that_is_already_closing(place: Place):
    runtime = await place.runtime()
    runtime.send("GET", NEXT)
    await within(place.api.initialised())
    [connection_of_the_dead] = place.api._tree.connections
    connection_of_the_dead.abort()
    place.api.deliver(event(payload=b"[3]"))
    other = await place.runtime()
    got = await other.call("GET", NEXT)
    assert got.body == b"[3]"


async def test_the_answer_and_the_next_question_may_come_in_one_piece(place: Place):
    runtime = await place.running("r-1")
    body = b"POST " + path("r-1").encode() + b" HTTP/1.1\r\nContent-Length: 1\r\n\r\n7"
    runtime.send_raw(body + b"GET " + NEXT.encode() + b" HTTP/1.1\r\n\r\n")
    assert (await runtime.got()).status == 202
    await within(place.api.idle())
    place.api.deliver(event("r-2", b"[2]"))
    assert (await runtime.got()).body == b"[2]"


async def test_who_asked_ahead_is_told_of_both_when_the_next_event_is_there(
    place: Place, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(connection, "ACCEPTED_AFTER_S", 60.0)
    runtime, other = await place.running("r-1"), await place.runtime()
    body = b"POST " + path("r-1").encode() + b" HTTP/1.1\r\nContent-Length: 1\r\n\r\n7"
    runtime.send_raw(body + b"GET " + NEXT.encode() + b" HTTP/1.1\r\n\r\n")
    await within(place.api.idle())
    # A whole exchange later what was written before has come.
    assert (await other.call("GET", "/ping")).body == b"pong"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await runtime.reader.read(1)
    place.api.deliver(event("r-2", b"[2]"))
    assert (await runtime.got()).status == 202
    assert (await runtime.got()).body == b"[2]"


@pytest.mark.parametrize("verb", ["response", "error"])
async def test_answering_twice_is_refused_and_never_reaches_the_next_event(place: Place, verb: str):
    runtime = await place.running("r-1")
    await runtime.call("POST", path("r-1"), b"1")
    got = await runtime.call("POST", path("r-1", verb), b"2")
    assert got.error == (403, "InvalidStateTransition")
    runtime.send("GET", NEXT)
    await within(place.api.idle())
    place.api.deliver(event("r-2"))
    assert (await runtime.got()).status == 200
    got = await runtime.call("POST", path("r-1", verb), b"3")
    assert got.error == (400, "InvalidRequestID")
    await runtime.call("POST", path("r-2"), b"4")
    assert (await within(place.api.answered())).payload == b"4"


async def test_a_late_answer_names_its_attempt_and_is_refused(place: Place):
    runtime = await place.runtime()
    runtime.send("GET", NEXT)
    await within(place.api.initialised())
    place.api.deliver(event("r-1"))
    first = (await runtime.got()).headers["lambda-runtime-invocation-id"]
    await runtime.call("POST", path("r-1"), b"1", {"Lambda-Runtime-Invocation-Id": first})
    runtime.send("GET", NEXT)
    await within(place.api.idle())
    place.api.deliver(event("r-1"))
    second = (await runtime.got()).headers["lambda-runtime-invocation-id"]
    assert first != second
    late = await runtime.call("POST", path("r-1"), b"late", {"Lambda-Runtime-Invocation-Id": first})
    assert late.error == (400, "InvalidInvocationId")
    await runtime.call("POST", path("r-1"), b"2", {"Lambda-Runtime-Invocation-Id": second})
    assert (await within(place.api.answered())).payload == b"2"


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("GET", "/nothing", (404, "NotFound")),
        ("GET", RUNTIME + "invocation/", (404, "NotFound")),
        ("POST", path("r-1", "other"), (404, "NotFound")),
        ("GET", "/2020-01-01/extension/event/next", (404, "NotFound")),
        ("GET", RUNTIME + "restore/next", (404, "NotFound")),
        ("POST", RUNTIME + "restore/error", (404, "NotFound")),
        ("POST", RUNTIME + "snapshot/refused", (404, "NotFound")),
        ("POST", NEXT, (405, "MethodNotAllowed")),
        ("GET", path("r-1"), (405, "MethodNotAllowed")),
        ("POST", path("r-9"), (400, "InvalidRequestID")),
        ("POST", path("r-9", "error"), (400, "InvalidRequestID")),
    ],
)
async def test_what_is_not_there_is_said_in_json_and_the_connection_lives_on(
    place: Place, method: str, target: str, expected: tuple[int, str]
):
    runtime = await place.runtime()
    got = await runtime.call(method, target, b"ignored")
    assert got.error == expected
    assert got.headers["content-type"] == "application/json"
    assert (await runtime.call("GET", "/2018-06-01/ping")).body == b"pong"
