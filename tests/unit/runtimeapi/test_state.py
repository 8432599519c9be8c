"""The runtime's state machine: which Runtime API call may follow which."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sandbox.runtimeapi import RuntimeEvent
from sandbox.runtimeapi.state import (
    Beginning,
    CallRefusedError,
    Delivery,
    DeliveryError,
    RuntimeMachine,
    RuntimeState,
)

RESPONSE, ERROR = RuntimeState.RESPONSE, RuntimeState.ERROR_RESPONSE


def delivery(request_id: str = "r-1", invocation_id: str = "i-1") -> Delivery:
    event = RuntimeEvent(
        request_id=request_id, payload=b"{}", deadline_ms=0, invoked_function_arn="arn"
    )
    return Delivery(event=event, invocation_id=invocation_id)


def running(request_id: str = "r-1", invocation_id: str = "i-1") -> RuntimeMachine:
    machine = RuntimeMachine()
    machine.ask_next()
    machine.deliver(delivery(request_id, invocation_id))
    machine.hand_over()
    return machine


def answer(machine: RuntimeMachine, request_id: str) -> None:
    machine.begin_answer(RESPONSE, request_id, "")
    machine.finish_answer()


def test_an_invocation_goes_from_ready_to_running_to_sent_to_ready():
    machine = RuntimeMachine()
    assert machine.ask_next() is RuntimeState.STARTED
    assert machine.hand_over() is None
    machine.deliver(delivery())
    assert machine.hand_over() == delivery()
    assert machine.state is RuntimeState.RUNNING
    answer(machine, "r-1")
    assert machine.ask_next() is RuntimeState.RESPONSE_SENT
    assert machine.hand_over() is None
    assert machine.state is RuntimeState.READY


def test_an_event_that_is_delivered_early_waits_for_the_coming_next():
    machine = RuntimeMachine()
    machine.deliver(delivery())
    assert machine.hand_over() is None
    machine.ask_next()
    assert machine.hand_over() == delivery()


def test_asking_again_while_running_gets_the_same_event():
    machine = running()
    for _ in range(3):
        assert machine.ask_next() is RuntimeState.RUNNING
        assert machine.hand_over() == delivery()


def test_an_answer_to_another_request_is_refused_by_id():
    machine = running()
    with pytest.raises(CallRefusedError) as refused:
        machine.begin_answer(RESPONSE, "r-2", "")
    assert (refused.value.status, refused.value.error_type) == (400, "InvalidRequestID")


def test_an_answer_before_any_event_is_refused_by_id():
    with pytest.raises(CallRefusedError) as refused:
        RuntimeMachine().begin_answer(ERROR, "r-1", "")
    assert refused.value.error_type == "InvalidRequestID"


def test_a_late_answer_to_an_earlier_attempt_of_the_same_request_is_refused():
    machine = running(invocation_id="i-2")
    with pytest.raises(CallRefusedError) as refused:
        machine.begin_answer(RESPONSE, "r-1", "i-1")
    assert (refused.value.status, refused.value.error_type) == (400, "InvalidInvocationId")
    machine.begin_answer(RESPONSE, "r-1", "i-2")
    assert machine.state is RESPONSE


def test_a_second_answer_is_refused_in_rapids_words():
    machine = running()
    answer(machine, "r-1")
    with pytest.raises(CallRefusedError) as refused:
        machine.begin_answer(RESPONSE, "r-1", "")
    assert refused.value.status == 403
    assert refused.value.message == (
        "State transition from RuntimeResponseSentState to InvocationResponse failed for runtime. "
        "Error: State transition is not allowed"
    )


def test_two_answers_at_once_are_refused_but_the_first():
    machine = running()
    machine.begin_answer(RESPONSE, "r-1", "")
    with pytest.raises(CallRefusedError, match="from InvocationResponse to InvocationErrorRes"):
        machine.begin_answer(ERROR, "r-1", "")
    machine.finish_answer()
    assert machine.state is RuntimeState.RESPONSE_SENT


def test_an_answer_that_broke_off_may_be_given_again():
    machine = running()
    machine.begin_answer(RESPONSE, "r-1", "")
    machine.abandon_answer()
    answer(machine, "r-1")
    assert machine.state is RuntimeState.RESPONSE_SENT


def test_the_next_event_may_not_be_asked_for_in_the_middle_of_an_answer():
    machine = running()
    machine.begin_answer(RESPONSE, "r-1", "")
    with pytest.raises(CallRefusedError, match="from InvocationResponse to Ready"):
        machine.ask_next()


def test_an_init_error_ends_it():
    machine = RuntimeMachine()
    machine.begin_init_error()
    with pytest.raises(CallRefusedError, match="from InitError to Ready"):
        machine.ask_next()
    with pytest.raises(CallRefusedError, match="from InitError to InitError"):
        machine.begin_init_error()
    with pytest.raises(DeliveryError):
        machine.deliver(delivery())


def test_an_init_error_after_init_is_refused():
    machine = RuntimeMachine()
    machine.ask_next()
    with pytest.raises(CallRefusedError, match="from Ready to InitError"):
        machine.begin_init_error()


def test_an_init_error_that_broke_off_never_was():
    machine = RuntimeMachine()
    machine.begin_init_error()
    machine.abandon_init_error()
    assert machine.ask_next() is RuntimeState.STARTED


@pytest.mark.parametrize("asked", [False, True])
def test_the_owner_may_not_deliver_twice(asked: bool):
    machine = RuntimeMachine()
    if asked:
        machine.ask_next()
    machine.deliver(delivery())
    with pytest.raises(DeliveryError, match="r-2 cannot be delivered"):
        machine.deliver(delivery("r-2"))


@pytest.mark.parametrize("answer", [RESPONSE, ERROR])
@pytest.mark.parametrize(
    ("request_id", "invocation_id"), [("r-0", ""), ("r-0", "i-9"), ("r-1", "i-1")]
)
def test_what_is_not_the_current_event_never_changes_the_state(
    answer: RuntimeState, request_id: str, invocation_id: str
):
    machine = running("r-1", "i-9")
    with pytest.raises(CallRefusedError):
        machine.begin_answer(answer, request_id, invocation_id)
    assert machine.state is RuntimeState.RUNNING


class AnyRuntime(RuleBasedStateMachine):
    """A runtime that calls whatever it likes, against an owner that keeps the rules."""

    def __init__(self) -> None:
        super().__init__()
        self.machine = RuntimeMachine()
        self.delivered = 0
        self.handed_over: set[str] = set()
        self.answered: list[str] = []

    @precondition(
        lambda self: (
            self.delivered == len(self.answered) and self.machine.state != RuntimeState.INIT_ERROR
        )
    )
    @rule()
    def owner_delivers(self) -> None:
        self.delivered += 1
        self.machine.deliver(delivery(f"r-{self.delivered}", f"i-{self.delivered}"))

    @rule()
    def runtime_asks(self) -> None:
        try:
            self.machine.ask_next()
        except CallRefusedError:
            return
        handed = self.machine.hand_over()
        if handed is not None:
            assert handed.event.request_id == f"r-{self.delivered}"
            assert handed.event.request_id not in self.answered
            self.handed_over.add(handed.event.request_id)

    @rule(number=st.integers(0, 5), answer=st.sampled_from([RESPONSE, ERROR]), whole=st.booleans())
    def runtime_answers(self, number: int, answer: RuntimeState, whole: bool) -> None:
        request_id = f"r-{number}"
        try:
            self.machine.begin_answer(answer, request_id, "")
        except CallRefusedError:
            return
        if whole:
            self.machine.finish_answer()
            self.answered.append(request_id)
        else:
            self.machine.abandon_answer()

    @rule(whole=st.booleans())
    def runtime_posts_an_init_error(self, whole: bool) -> None:
        try:
            self.machine.begin_init_error()
        except CallRefusedError:
            return
        assert not self.answered
        if not whole:
            self.machine.abandon_init_error()

    @invariant()
    def only_handed_over_events_are_answered_and_each_once(self) -> None:
        assert len(set(self.answered)) == len(self.answered)
        assert set(self.answered) <= self.handed_over


TestAnyRuntime = AnyRuntime.TestCase


def test_a_template_waits_to_be_copied_and_gets_no_event():
    machine = RuntimeMachine(Beginning.SNAPSHOT)
    machine.await_restore()
    assert machine.state is RuntimeState.RESTORE_READY
    with pytest.raises(DeliveryError):
        machine.deliver(delivery())
    for call in (machine.await_restore, machine.ask_next, machine.begin_init_error):
        with pytest.raises(CallRefusedError) as refused:
            call()
        assert refused.value.status == 403
        assert "from RestoreReady" in refused.value.message


def test_a_copy_is_restored_by_its_first_next():
    machine = RuntimeMachine(Beginning.RESTORE)
    assert machine.ask_next() is RuntimeState.RESTORING
    machine.deliver(delivery())
    assert machine.hand_over() == delivery()
    with pytest.raises(CallRefusedError):
        machine.begin_restore_error()


@pytest.mark.parametrize("call", ["begin_restore_error", "begin_init_error"])
def test_a_copy_whose_hook_fails_is_in_error_for_good(call):
    machine = RuntimeMachine(Beginning.RESTORE)
    getattr(machine, call)()
    machine.abandon_init_error()
    assert machine.state is RuntimeState.RESTORING
    getattr(machine, call)()
    assert machine.state is RuntimeState.RESTORE_ERROR
    with pytest.raises(CallRefusedError):
        machine.ask_next()
    with pytest.raises(DeliveryError):
        machine.deliver(delivery())


def test_an_ordinary_runtime_is_not_restored():
    with pytest.raises(CallRefusedError) as refused:
        RuntimeMachine().begin_restore_error()
    assert "from Started to RestoreError" in refused.value.message
