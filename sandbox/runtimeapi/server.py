"""The Runtime API of one sandbox, as its owner uses it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from sandbox.runtimeapi.connection import Connection
from sandbox.runtimeapi.conversation import Action, Conversation
from sandbox.runtimeapi.entrance import CONNECTION_LIMIT, Entrance, OwnEntrance
from sandbox.runtimeapi.events import Answer, Initialised, RuntimeEvent
from sandbox.runtimeapi.http11 import Head
from sandbox.runtimeapi.state import Beginning
from sandbox.runtimeapi.streams import ResponseStream

HEADS_LIMIT_BYTES = 2 * 1024 * 1024
"""What the unfinished heads of all connections may measure together."""


class _Tree:
    """The connections of one process tree, and their shared limits."""

    def __init__(self, deserted: Callable[[], None], beginning: Beginning) -> None:
        self.conversation = Conversation(beginning)
        self.connections: set[Connection] = set()
        self._deserted: Callable[[], None] | None = deserted

    def admit(self, connection: Connection) -> bool:
        """Whether there is room for one more connection."""
        if len(self.connections) >= CONNECTION_LIMIT:
            return False
        self.connections.add(connection)
        return True

    def begin(self, head: Head) -> Action:
        """Route one request."""
        return self.conversation.begin(head)

    def may_hold(self, head_bytes: int) -> bool:
        """Whether so many more bytes of unfinished heads may be held."""
        held = sum(connection.held_head_bytes for connection in self.connections)
        return held + head_bytes <= HEADS_LIMIT_BYTES

    def gone(self, connection: Connection) -> None:
        """Forget a connection."""
        self.connections.discard(connection)
        if self.conversation.drop(connection) and self._deserted is not None:
            self._deserted()

    def abort(self) -> None:
        """End every connection; that the runtime waits on none is no news then."""
        self._deserted = None
        for connection in list(self.connections):
            connection.abort()


class RuntimeApi:
    """Serves the Runtime API where one sandbox's connections come in.

    The owner waits for initialised, then any number of times: deliver, answered, idle. It races
    every wait against the end of the process and against time; each wait is a future of its own,
    so cancelling one is safe and it may be repeated. The caller keeps a listener that it gives;
    close does not close it.
    """

    def __init__(
        self,
        entrance: socket.socket | Entrance,
        deserted: Callable[[], None] = lambda: None,
        beginning: Beginning = Beginning.INIT,
    ) -> None:
        """deserted is called when a runtime that waits for an event hangs up: it is dead."""
        self._entrance: Entrance = (
            OwnEntrance(entrance) if isinstance(entrance, socket.socket) else entrance
        )
        self._deserted = deserted
        self._beginning = beginning
        self._tree = _Tree(deserted, beginning)

    async def start(self) -> None:
        """Begin to accept connections."""
        await self._entrance.open(lambda: Connection(self._tree))

    async def close(self) -> None:
        """Stop and drop every connection. Idempotent. Waits under way never return."""
        self._entrance.close()
        self._tree.abort()

    def reset(self) -> None:
        """Forget the old process tree: its connections are dropped, the state is Started again.

        Call it when the old tree is dead and before the new one runs.
        """
        old, self._tree = self._tree, _Tree(self._deserted, self._beginning)
        old.abort()
        self._entrance.refuse_waiting()

    def initialised(self) -> asyncio.Future[Initialised]:
        """Done at the runtime's first /next with None, or with what it posted instead.

        Of a tree that is to be copied, done when it waits for that, or says why it cannot be.
        """
        return self._tree.conversation.initialised.wait()

    def deliver(self, event: RuntimeEvent) -> None:
        """Hand an event to the pending /next, or to the coming one.

        Raises:
            DeliveryError: the last event is not answered yet; wait for it, or reset.
        """
        self._tree.conversation.deliver(event)

    def answered(self) -> asyncio.Future[Answer | ResponseStream]:
        """Done with what the runtime made of the event delivered last.

        A stream is there as soon as it has begun, if the event's caller takes one; its own end
        says when the event is answered.
        """
        return self._tree.conversation.answered.wait()

    def idle(self) -> asyncio.Future[None]:
        """Done once the runtime has asked for the next event after its answer."""
        return self._tree.conversation.idle.wait()

    @property
    def is_idle(self) -> bool:
        """Whether the runtime has asked for the next event after its answer."""
        return self._tree.conversation.idle.is_set
