"""Which Runtime API call is allowed when. Pure: RAPID's state machine for one runtime process.

    Started --next--> Ready --(event)--> Running --response--> InvocationResponse ------+
       |                ^                   |                                           |
       |                |                   +--error--> InvocationErrorResponse --------+
       |                |                                                               v
       +--init/error    +--------------------------next--------------- RuntimeResponseSentState
            v
        InitError

With a snapshot a template's init ends in RestoreReady, where it stays; what is copied from it
begins in Restoring, from which its first /next leads to Ready and restore/error to RestoreError.

An answer claims its state when its head arrives and finishes when its body is whole, so at most one
body is ever collected. A body that breaks off gives the claim back: then the process's end or the
time-out decides (RAPID ends the invocation with Runtime.TruncatedResponse, which would hide a
crash behind its symptom). A body that was passed on as it came is answered when it breaks off: its
caller cannot be given another. Asking for the next event again while Running is no error: the same
event is handed over again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sandbox.runtimeapi.events import RuntimeEvent


class RuntimeState(Enum):
    """Where a runtime process is. The values are the names that RAPID prints."""

    STARTED = "Started"
    INIT_ERROR = "InitError"
    READY = "Ready"
    RUNNING = "Running"
    RESPONSE = "InvocationResponse"
    ERROR_RESPONSE = "InvocationErrorResponse"
    RESPONSE_SENT = "RuntimeResponseSentState"
    RESTORE_READY = "RestoreReady"
    RESTORING = "Restoring"
    RESTORE_ERROR = "RestoreError"


class Beginning(Enum):
    """What a process tree does before its first event."""

    INIT = "init"
    """It initialises, and then asks for an event."""
    SNAPSHOT = "snapshot"
    """It initialises, and then waits to be copied. It never gets an event."""
    RESTORE = "restore"
    """It is a copy of one that waited for that."""


class CallRefusedError(Exception):
    """A call that the state or the current event does not allow.

    Attributes:
        status: The HTTP status to answer.
        error_type: Lambda's name for it.
        message: Lambda's words for it.
    """

    def __init__(self, status: int, error_type: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type
        self.message = message


class DeliveryError(Exception):
    """The owner delivered an event before the last one was answered: our own mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event and the id of this attempt to hand it to a runtime."""

    event: RuntimeEvent
    invocation_id: str
    """New for every delivery, so that a late answer to an earlier attempt is known."""


_BUSY = (RuntimeState.RUNNING, RuntimeState.RESPONSE, RuntimeState.ERROR_RESPONSE)
_NEVER = (RuntimeState.INIT_ERROR, RuntimeState.RESTORE_READY, RuntimeState.RESTORE_ERROR)
_TO_READY = (RuntimeState.STARTED, RuntimeState.RESTORING, RuntimeState.RESPONSE_SENT)


class RuntimeMachine:
    """The state of one process tree; a new tree gets a new machine."""

    def __init__(self, beginning: Beginning = Beginning.INIT) -> None:
        restored = beginning is Beginning.RESTORE
        self.state = RuntimeState.RESTORING if restored else RuntimeState.STARTED
        self._current: Delivery | None = None
        self._waits = False
        """Whether the current event was never handed over."""

    def deliver(self, delivery: Delivery) -> None:
        """Make an event the current one; the pending or the coming /next gets it.

        Raises:
            DeliveryError: the runtime is not done with the one before, or never will be.
        """
        if self._waits or self.state in (*_BUSY, *_NEVER):
            raise DeliveryError(
                f"event {delivery.event.request_id} cannot be delivered in state "
                f"{self.state.value}; wait for the answer, or reset"
            )
        self._current = delivery
        self._waits = True

    def ask_next(self) -> RuntimeState:
        """The runtime asks for an event.

        Returns:
            The state it came from: from Started its init is done, from Restoring it is restored,
            from RESPONSE_SENT it is idle.

        Raises:
            CallRefusedError: it may not ask now.
        """
        before = self.state
        if before in _TO_READY:
            self.state = RuntimeState.READY
        elif before not in (RuntimeState.READY, RuntimeState.RUNNING):
            raise _transition(before, RuntimeState.READY)
        return before

    @property
    def stream_limit_bytes(self) -> int:
        """What a streamed answer to the current event may measure; 0 when nobody wants one."""
        return 0 if self._current is None else self._current.event.stream_limit_bytes

    def hand_over(self) -> Delivery | None:
        """The event for a /next that waits: the new one, or while Running the same once more."""
        if self.state is RuntimeState.READY and self._waits:
            self._waits = False
            self.state = RuntimeState.RUNNING
        return self._current if self.state is RuntimeState.RUNNING else None

    def begin_answer(self, target: RuntimeState, request_id: str, invocation_id: str) -> None:
        """The head of /response or /error has come: claim the right to answer.

        Args:
            target: RESPONSE or ERROR_RESPONSE.
            request_id: From the path.
            invocation_id: From Lambda-Runtime-Invocation-Id; empty when the runtime sent none.

        Raises:
            CallRefusedError: another event is current, or this one is answered.
        """
        current = self._current
        if current is None or request_id != current.event.request_id:
            raise CallRefusedError(400, "InvalidRequestID", "Invalid request ID")
        if invocation_id and invocation_id != current.invocation_id:
            raise CallRefusedError(400, "InvalidInvocationId", "Invalid invocation ID")
        if self.state is not RuntimeState.RUNNING:
            raise _transition(self.state, target)
        self.state = target

    def finish_answer(self) -> None:
        """The claimed answer is whole."""
        assert self.state in (RuntimeState.RESPONSE, RuntimeState.ERROR_RESPONSE)
        self.state = RuntimeState.RESPONSE_SENT

    def abandon_answer(self) -> None:
        """The claimed answer broke off: nothing was answered."""
        assert self.state in (RuntimeState.RESPONSE, RuntimeState.ERROR_RESPONSE)
        self.state = RuntimeState.RUNNING

    def await_restore(self) -> None:
        """Init is done, and the runtime waits to be copied.

        Raises:
            CallRefusedError: init is over already.
        """
        if self.state is not RuntimeState.STARTED:
            raise _transition(self.state, RuntimeState.RESTORE_READY)
        self.state = RuntimeState.RESTORE_READY

    def begin_init_error(self) -> None:
        """The head of /init/error or /restore/error has come; while restoring they are one.

        Raises:
            CallRefusedError: init is over.
        """
        if self.state is RuntimeState.RESTORING:
            self.state = RuntimeState.RESTORE_ERROR
            return
        if self.state is not RuntimeState.STARTED:
            raise _transition(self.state, RuntimeState.INIT_ERROR)
        self.state = RuntimeState.INIT_ERROR

    def begin_restore_error(self) -> None:
        """The head of /restore/error has come.

        Raises:
            CallRefusedError: it is not being restored.
        """
        if self.state is not RuntimeState.RESTORING:
            raise _transition(self.state, RuntimeState.RESTORE_ERROR)
        self.state = RuntimeState.RESTORE_ERROR

    def abandon_init_error(self) -> None:
        """The error broke off: as if it had never begun."""
        assert self.state in (RuntimeState.INIT_ERROR, RuntimeState.RESTORE_ERROR)
        restored = self.state is RuntimeState.RESTORE_ERROR
        self.state = RuntimeState.RESTORING if restored else RuntimeState.STARTED


def _transition(before: RuntimeState, after: RuntimeState) -> CallRefusedError:
    return CallRefusedError(
        403,
        "InvalidStateTransition",
        f"State transition from {before.value} to {after.value} failed for runtime. "
        "Error: State transition is not allowed",
    )
