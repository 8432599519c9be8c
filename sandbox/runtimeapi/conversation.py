"""The Runtime API calls of one process tree, and what its owner waits for.

A conversation lives as long as one process tree. Its connections know it and no other, so nothing
that an old tree sent can ever reach the next one.
"""

from __future__ import annotations

import json
import uuid
from collections import deque
from collections.abc import Mapping
from functools import partial

from sandbox.runtimeapi import answers
from sandbox.runtimeapi.connection import Collect, Connection, Poll, Reply, Stream
from sandbox.runtimeapi.events import (
    Answer,
    FunctionFailure,
    InitError,
    Initialised,
    OversizedResponse,
    Response,
    RuntimeEvent,
    SnapshotRefused,
    accepted_content_type,
    accepted_error_type,
)
from sandbox.runtimeapi.http11 import Head
from sandbox.runtimeapi.outcome import Outcome
from sandbox.runtimeapi.state import (
    Beginning,
    CallRefusedError,
    Delivery,
    RuntimeMachine,
    RuntimeState,
)
from sandbox.runtimeapi.streams import ResponseStream, StreamBody, failure_in

XRAY_CAUSE_LIMIT_BYTES = 64 * 1024
"""The size of an X-Ray document; a cause over it is dropped."""

REASON_CHARACTERS_MAX = 300
"""What is kept of a runtime's own words."""

_RUNTIME = "/2018-06-01/runtime/"
_INVOCATION = _RUNTIME + "invocation/"
_RESTORE = _RUNTIME + "restore/"
_SNAPSHOT_REFUSED = _RUNTIME + "snapshot/refused"
"""Ours: a runtime whose function cannot be copied says why."""
_ERROR_TYPE = "lambda-runtime-function-error-type"
_RESPONSE_MODE = "lambda-runtime-function-response-mode"
_XRAY_CAUSE = "lambda-runtime-function-xray-error-cause"
_INVOCATION_ID = "lambda-runtime-invocation-id"

Action = Reply | Collect | Stream | Poll


class Conversation:
    """What the runtime of one process tree asks and answers."""

    def __init__(self, beginning: Beginning = Beginning.INIT) -> None:
        self._beginning = beginning
        self._machine = RuntimeMachine(beginning)
        self._polls: deque[Connection] = deque()
        self._last_served: Connection | None = None
        self.initialised: Outcome[Initialised] = Outcome()
        self.answered: Outcome[Answer | ResponseStream] = Outcome()
        self.idle: Outcome[None] = Outcome()

    def deliver(self, event: RuntimeEvent) -> None:
        """Make an event the current one and give it to the runtime that waits, if one does.

        Raises:
            DeliveryError: the last event is not answered yet.
        """
        self._machine.deliver(Delivery(event=event, invocation_id=str(uuid.uuid4())))
        self.answered = Outcome()
        self.idle = Outcome()
        while self._polls and not self._polls[0].is_open:
            self._polls.popleft()
        if self._polls:
            self._hand_over(self._polls[0])

    def drop(self, connection: Connection) -> bool:
        """A connection is gone; say whether nobody waits for an event on any other any more."""
        if connection is self._last_served:
            self._last_served = None
        if connection not in self._polls:
            return False
        self._polls.remove(connection)
        return not self._polls

    def begin(self, head: Head) -> Action:
        """Route one request."""
        path = head.path
        try:
            if path.startswith(_INVOCATION):
                return self._invocation(head, path[len(_INVOCATION) :])
            if path == _RUNTIME + "init/error":
                return _only("POST", head) or self._init_error(head)
            if path.startswith(_RESTORE) or path == _SNAPSHOT_REFUSED:
                return self._snapshot(head, path)
            if path in ("/ping", "/2018-06-01/ping"):
                return _only("GET", head) or Reply(data=answers.PONG)
        except CallRefusedError as refused:
            return Reply(data=answers.refusal(refused))
        return _unknown(path)

    def _invocation(self, head: Head, rest: str) -> Action:
        if rest == "next":
            return _only("GET", head) or Poll(join=self._join)
        request_id, _, verb = rest.partition("/")
        if verb == "response":
            return _only("POST", head) or self._response(head, request_id)
        if verb == "error":
            return _only("POST", head) or self._error(head, request_id)
        return _unknown(head.path)

    def _snapshot(self, head: Head, path: str) -> Action:
        """What a function does beyond others that is initialised once and then copied."""
        if path == _RESTORE + "next" and self._beginning is Beginning.SNAPSHOT:
            return _only("GET", head) or Poll(join=self._await_restore)
        if path == _SNAPSHOT_REFUSED and self._beginning is Beginning.SNAPSHOT:
            return _only("POST", head) or self._collect_refusal()
        if path == _RESTORE + "error" and self._beginning is Beginning.RESTORE:
            return _only("POST", head) or self._restore_error(head)
        return Reply(data=answers.RESTORE_UNKNOWN)

    def _await_restore(self, connection: Connection) -> None:
        """Init is done. This call is never answered: the copies ask for an event each."""
        try:
            self._machine.await_restore()
        except CallRefusedError as refused:
            connection.reply(answers.refusal(refused))
            return
        self.initialised.set(None)

    def _collect_refusal(self) -> Collect:
        return Collect(
            done=self._refused, too_large=partial(self._refused, b"", {}), broken=lambda: None
        )

    def _refused(self, body: bytes, _trailers: Mapping[str, str]) -> bytes:
        words = " ".join(body.decode("utf-8", "replace").split())[:REASON_CHARACTERS_MAX]
        self.initialised.set(SnapshotRefused(reason=words or "its runtime gave no reason"))
        return answers.ACCEPTED

    def _join(self, connection: Connection) -> None:
        try:
            before = self._machine.ask_next()
        except CallRefusedError as refused:
            connection.reply(answers.refusal(refused))
            return
        self._polls.append(connection)
        if before is not RuntimeState.READY and before is not RuntimeState.RUNNING:
            if self._beginning is Beginning.SNAPSHOT:
                reason = "its runtime asked for an event instead of waiting to be copied"
                self.initialised.set(SnapshotRefused(reason=reason))
            self.initialised.set(None)
            self.idle.set(None)
        self._hand_over(connection)

    def _hand_over(self, connection: Connection) -> None:
        delivery = self._machine.hand_over()
        if delivery is None:
            return
        self._polls.remove(connection)
        last = self._last_served
        if last is not None and last is not connection and last.is_clogged:
            # The same event again while nobody reads the first copy: keep one in memory, not many.
            last.abort()
        self._last_served = connection
        connection.reply(answers.next_head(delivery), delivery.event.payload)

    def _response(self, head: Head, request_id: str) -> Collect | Stream:
        machine = self._machine
        machine.begin_answer(RuntimeState.RESPONSE, request_id, head.header(_INVOCATION_ID))
        mode = head.header(_RESPONSE_MODE)
        if mode and mode != "streaming":
            return self._collect(partial(self._invalid_mode, mode))
        if mode and machine.stream_limit_bytes:
            return self._stream(head, machine.stream_limit_bytes)
        return self._collect(partial(self._responded, head))

    def _stream(self, head: Head, limit_bytes: int) -> Stream:
        """The answer counts as begun now: what the caller has seen cannot be taken back."""
        stream = ResponseStream(accepted_content_type(head.header("content-type")))
        self.answered.set(stream)
        return Stream(body=StreamBody(stream, limit_bytes, self._machine.finish_answer))

    def _error(self, head: Head, request_id: str) -> Collect:
        machine = self._machine
        machine.begin_answer(RuntimeState.ERROR_RESPONSE, request_id, head.header(_INVOCATION_ID))
        return self._collect(partial(self._failed, head))

    def _collect(self, done: partial[bytes]) -> Collect:
        return Collect(done=done, too_large=self._too_large, broken=self._machine.abandon_answer)

    def _responded(self, head: Head, body: bytes, trailers: Mapping[str, str]) -> bytes:
        if _ERROR_TYPE in trailers:
            return self._answer(failure_in(trailers), answers.ACCEPTED)
        response = Response(
            payload=body,
            content_type=accepted_content_type(head.header("content-type")),
            streamed=bool(head.header(_RESPONSE_MODE)),
        )
        return self._answer(response, answers.ACCEPTED)

    def _failed(self, head: Head, body: bytes, _trailers: Mapping[str, str]) -> bytes:
        failure = FunctionFailure(
            payload=body,
            error_type=accepted_error_type(head.header(_ERROR_TYPE), "Function.Unknown"),
            xray_cause=_xray_cause(head.header(_XRAY_CAUSE)),
        )
        return self._answer(failure, answers.ACCEPTED)

    def _invalid_mode(self, mode: str, _body: bytes, _trailers: Mapping[str, str]) -> bytes:
        error_type = "Runtime.InvalidResponseModeHeader"
        message = f"Invalid function response mode: {mode[:100]}"
        payload = json.dumps({"errorType": error_type, "errorMessage": message}).encode()
        failure = FunctionFailure(payload=payload, error_type=error_type)
        return self._answer(failure, answers.INVALID_MODE)

    def _too_large(self) -> bytes:
        return self._answer(OversizedResponse(), answers.TOO_LARGE)

    def _answer(self, answer: Answer, reply: bytes) -> bytes:
        self._machine.finish_answer()
        self.answered.set(answer)
        return reply

    def _restore_error(self, head: Head) -> Collect:
        self._machine.begin_restore_error()
        return self._collect_init_error(head)

    def _init_error(self, head: Head) -> Collect:
        self._machine.begin_init_error()
        return self._collect_init_error(head)

    def _collect_init_error(self, head: Head) -> Collect:
        error_type = accepted_error_type(head.header(_ERROR_TYPE), "Runtime.Unknown")
        return Collect(
            done=partial(self._init_failed, error_type),
            too_large=partial(self._init_error_too_large, error_type),
            broken=self._machine.abandon_init_error,
        )

    def _init_failed(self, error_type: str, body: bytes, _trailers: Mapping[str, str]) -> bytes:
        self.initialised.set(InitError(payload=body, error_type=error_type))
        return answers.ACCEPTED

    def _init_error_too_large(self, error_type: str) -> bytes:
        message = "The init error was larger than an answer may be and was not kept."
        payload = json.dumps({"errorType": error_type, "errorMessage": message}).encode()
        self.initialised.set(InitError(payload=payload, error_type=error_type))
        return answers.TOO_LARGE


def _only(method: str, head: Head) -> Reply | None:
    if head.method == method:
        return None
    message = f"{head.path} is called with {method}"
    return Reply(data=answers.error(405, "MethodNotAllowed", message))


def _unknown(path: str) -> Reply:
    return Reply(data=answers.error(404, "NotFound", f"the Runtime API has no {path[:200]}"))


def _xray_cause(header: str) -> bytes:
    raw = header.encode("utf-8", "surrogateescape")
    if not raw or len(raw) > XRAY_CAUSE_LIMIT_BYTES:
        return b""
    try:
        cause = json.loads(raw)
    except (ValueError, RecursionError):
        return b""
    return raw if isinstance(cause, dict) else b""
