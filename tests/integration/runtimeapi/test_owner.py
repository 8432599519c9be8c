"""What the owner of a sandbox may do: reset, wait, close."""

from __future__ import annotations

import asyncio
import re
import socket

import pytest

from sandbox.runtimeapi import Response
from sandbox.runtimeapi.state import DeliveryError
from tests.integration.runtimeapi.playing import NEXT, RUNTIME, Place, event, path, within


async def test_reset_drops_every_connection_and_starts_anew(place: Place):
    old = await place.running("r-1")
    place.api.reset()
    assert await old.is_closed()
    fresh = await place.runtime()
    fresh.send("GET", NEXT)
    assert await within(place.api.initialised()) is None
    place.api.deliver(event("r-2", b"[2]"))
    assert (await fresh.got()).body == b"[2]"


async def test_a_reset_in_the_middle_of_a_body_leaves_nothing_behind(place: Place):
    old = await place.running("r-1")
    old.send_raw(f"POST {path('r-1')} HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf".encode())
    assert (await (await place.runtime()).call("GET", "/ping")).status == 200
    place.api.reset()
    fresh = await place.running("r-2")
    assert (await fresh.call("POST", path("r-2"), b"1")).status == 202
    assert (await within(place.api.answered())).payload == b"1"


async def test_what_the_old_tree_had_connected_but_not_sent_is_refused_after_a_reset(place: Place):
    # Blocking, so that the server has no turn in which to accept before the reset.
    old = socket.create_connection(("127.0.0.1", place.port))
    old.sendall(f"POST {RUNTIME}init/error HTTP/1.1\r\nContent-Length: 2\r\n\r\n{{}}".encode())
    place.api.reset()
    fresh = await place.runtime()
    fresh.send("GET", NEXT)
    assert await within(place.api.initialised()) is None
    old.close()


async def test_cancelling_a_wait_loses_nothing(place: Place):
    waiting = place.api.initialised()
    await asyncio.wait({waiting}, timeout=0.01)
    waiting.cancel()
    runtime = await place.running("r-1")
    waiting = place.api.answered()
    await asyncio.wait({waiting}, timeout=0.01)
    waiting.cancel()
    await runtime.call("POST", path("r-1"), b"1")
    first, second = await within(asyncio.gather(place.api.answered(), place.api.answered()))
    assert first == second == Response(payload=b"1", content_type="")


async def test_the_owner_may_not_deliver_while_an_event_is_out(place: Place):
    await place.running("r-1")
    with pytest.raises(DeliveryError, match=re.escape("r-2 cannot be delivered in state Running")):
        place.api.deliver(event("r-2"))


async def test_close_ends_connections_and_leaves_the_listener_to_its_owner(place: Place):
    runtime = await place.running("r-1")
    await place.api.close()
    await place.api.close()
    assert await runtime.is_closed()
