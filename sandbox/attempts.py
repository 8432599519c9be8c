"""Runs attempts: a sandbox from the pool, the event in, the answer out, Lambda's lines around."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from emberd.wire.errors import EmberdError
from sandbox import report
from sandbox.ahead import Ahead
from sandbox.capacity import Capacity
from sandbox.guard import GuardedSandbox
from sandbox.outcomes import InitOutcome, ServeOutcome
from sandbox.pool import Pool
from sandbox.runtimeapi import ResponseStream, RuntimeEvent
from sandbox.starter import log_init
from sandbox.starts import Lease
from sandbox.tracing.context import context_of
from sandbox.work import (
    Attempt,
    AttemptResult,
    Phase,
    RefusalReason,
    RefusedError,
    StartLevel,
)

SETTLE_GRACE_S = 0.005
"""An answer waits this long for the runtime to ask for its next event, then goes out without."""

FetchPayload = Callable[[str], Awaitable[bytes]]


class Caller(Protocol):
    """Whoever asked for attempts."""

    async def answer(self, result: AttemptResult) -> None:
        """Take the end of an attempt."""

    async def relay(self, attempt: Attempt, stream: ResponseStream) -> bool:
        """Take a streamed answer until its pipe ends; say whether all of it got through."""


class _Relay:
    """The part of an attempt that carries a streamed answer to the caller, if there is one."""

    def __init__(self, attempt: Attempt, caller: Caller) -> None:
        self._attempt = attempt
        self._caller = caller
        self._task: asyncio.Task[bool] | None = None

    def begin(self, stream: ResponseStream) -> None:
        """Carry this one."""
        self._task = asyncio.create_task(self._caller.relay(self._attempt, stream))

    async def carried(self) -> bool:
        """Wait until the caller has it all; False when it could not be handed over."""
        return self._task is None or await self._task

    def cancel(self) -> None:
        """Carry no more."""
        if self._task is not None:
            self._task.cancel()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Served:
    """What the sandbox made of the event, and how long init and function took."""

    outcome: ServeOutcome
    init_duration_ns: int = 0
    restore_duration_ns: int = 0
    billed_restore_ms: int = 0


class AttemptRunner:
    """Runs one attempt at a time per call; any number of calls at once."""

    def __init__(
        self, pool: Pool, ahead: Ahead, capacity: Capacity, fetch_payload: FetchPayload
    ) -> None:
        self._pool = pool
        self._ahead = ahead
        self._capacity = capacity
        self._fetch_payload = fetch_payload

    async def run(self, attempt: Attempt, caller: Caller) -> None:
        """Run an attempt to its end and answer the caller exactly once.

        Raises:
            RefusedError: nothing ran.
        """
        payload = attempt.payload
        if attempt.payload_to_fetch_bytes:
            payload = await self._fetch_payload(attempt.invocation_id)
        lease = await self._pool.acquire(
            attempt.revision, attempt.queue_timeout_s, attempt.credentials
        )
        guard = lease.guard
        relay = _Relay(attempt, caller)
        try:
            _check_restored(guard)
            self._ahead.taken(lease, attempt.credentials)
            await self._run_in(lease, attempt, payload or b"{}", caller, relay)
        except BaseException:
            # Cancelled or surprised in the middle: nobody knows what the sandbox is doing.
            relay.cancel()
            await guard.abandon()
            self._pool.give_up(guard)
            raise

    async def _run_in(
        self, lease: Lease, attempt: Attempt, payload: bytes, caller: Caller, relay: _Relay
    ) -> None:
        guard = lease.guard
        guard.log.begin(attempt.invocation_id, attempt.trace_header)
        guard.log.write(report.start_line(attempt.invocation_id, attempt.revision.version))
        begun_ns = time.time_ns()
        served = await self._serve(lease, attempt, payload, relay)
        settled = guard.is_alive and await guard.settle(SETTLE_GRACE_S)
        invoke = Phase(name="invoke", start_ns=begun_ns, end_ns=time.time_ns())
        result = self._result(lease, attempt, served, kept=settled, invoke=invoke)
        if settled:
            # Free before the answer is out, so that the caller's next event finds it warm.
            self._pool.release(guard)
        if not await relay.carried():
            result = report.undeliverable(result)
        await caller.answer(result)
        if not settled:
            await self._settle_late(guard, attempt.revision.timeout_s)

    async def _serve(
        self, lease: Lease, attempt: Attempt, payload: bytes, relay: _Relay
    ) -> _Served:
        guard = lease.guard
        left_s = attempt.revision.timeout_s
        first = guard.init
        cold: dict[str, int] = {}
        if first is not None and first.ok:
            cold = {} if _is_warm(lease) else _cold(guard, first)
        else:
            repeated = await self._init_again(guard, attempt, left_s)
            left_s -= repeated.duration_ns / 1e9
            if not repeated.ok:
                return _Served(outcome=_failed_init(guard, attempt, repeated))
        trace = context_of(attempt.trace_header)
        if guard.spans is not None:
            guard.spans.begin(attempt.invocation_id, trace)
        event = RuntimeEvent(
            request_id=attempt.invocation_id,
            payload=payload,
            deadline_ms=int((time.time() + left_s) * 1000),
            invoked_function_arn=attempt.invoked_function_arn,
            trace_header=attempt.trace_header,
            traceparent=trace.traceparent() if trace else "",
            tracestate=attempt.tracestate if trace else "",
            client_context=attempt.client_context,
            stream_limit_bytes=attempt.stream.size_bytes if attempt.stream else 0,
        )
        outcome = await guard.serve(event, left_s, relay.begin)
        return _Served(outcome=outcome, **cold)

    async def _init_again(
        self, guard: GuardedSandbox, attempt: Attempt, left_s: float
    ) -> InitOutcome:
        """Lambda's suppressed init: the failed one is repeated within the function's time-out."""
        try:
            await guard.restart()
        except EmberdError as error:
            raise RefusedError(RefusalReason.START_FAILED, error.message) from error
        outcome = await guard.initialise(left_s)
        log_init(guard, outcome, "invoke")
        return outcome

    def _result(
        self, lease: Lease, attempt: Attempt, served: _Served, *, kept: bool, invoke: Phase
    ) -> AttemptResult:
        guard, outcome = lease.guard, served.outcome
        revision = attempt.revision
        usage = guard.usage()
        peak = usage.memory_peak_bytes
        self._capacity.measured(guard.sandbox_id, revision.revision_id, peak, usage.sharing)
        billed = report.billed_ms(outcome.duration_ns, served.init_duration_ns)
        guard.log.write(report.end_line(attempt.invocation_id))
        guard.log.write(
            report.report_line(
                report.Report(
                    request_id=attempt.invocation_id,
                    duration_ns=outcome.duration_ns,
                    billed_ms=billed,
                    memory_size_mb=revision.memory_size_mb,
                    memory_peak_bytes=peak,
                    init_duration_ns=served.init_duration_ns,
                    restore_duration_ns=served.restore_duration_ns,
                    billed_restore_ms=served.billed_restore_ms,
                    status=outcome.status,
                    error_type=outcome.error_type,
                )
            )
        )
        return AttemptResult(
            invocation_id=attempt.invocation_id,
            payload=outcome.payload,
            content_type=outcome.content_type,
            function_error="Unhandled" if outcome.error_type else "",
            error_type=outcome.error_type,
            log_tail=guard.log.tail() if attempt.want_log_tail else b"",
            start_level=_level(lease),
            duration_ns=outcome.duration_ns,
            billed_ms=billed + served.billed_restore_ms,
            init_duration_ns=served.init_duration_ns,
            restore_duration_ns=served.restore_duration_ns,
            memory_peak_bytes=peak,
            memory_charge_bytes=usage.sharing.bytes_each if usage.sharing else 0,
            phases=(*lease.phases, invoke),
            sandbox_id=guard.sandbox_id,
            sandbox_kept=kept,
        )

    async def _settle_late(self, guard: GuardedSandbox, timeout_s: float) -> None:
        """The answer is out; the sandbox is used again only if its runtime asks for more."""
        if guard.is_alive and await guard.settle(timeout_s):
            self._pool.release(guard)
            self._pool.announce(guard)
            return
        await guard.abandon()
        self._pool.give_up(guard)


def _level(lease: Lease) -> StartLevel:
    """Where the sandbox of a lease came from."""
    if _is_warm(lease):
        return StartLevel.WARM
    if lease.guard.is_copy:
        return StartLevel.TEMPLATE
    return StartLevel.PARKED if lease.guard.was_parked else StartLevel.FRESH


def _is_warm(lease: Lease) -> bool:
    """Whether the event had no init to wait for, neither a sandbox's nor its worker's."""
    return lease.warm or lease.guard.joined


def _cold(guard: GuardedSandbox, first: InitOutcome) -> dict[str, int]:
    """What came before the first event of a sandbox, for who waited for it."""
    if not guard.is_copy:
        return {"init_duration_ns": first.duration_ns}
    return {
        "restore_duration_ns": guard.restore_duration_ns,
        "billed_restore_ms": report.restore_billed_ms(first.duration_ns),
    }


def _check_restored(guard: GuardedSandbox) -> None:
    """Hand an attempt back whose sandbox was copied from a template and not restored.

    Raises:
        RefusedError: no event may reach it.
    """
    restore = guard.init
    if not guard.is_copy or restore is None or restore.ok:
        return
    if restore.status == "timeout":
        raise RefusedError(RefusalReason.RESTORE_TIMED_OUT, "the restore took too long")
    raise RefusedError(RefusalReason.RESTORE_FAILED, restore.told or restore.error_type)


def _failed_init(guard: GuardedSandbox, attempt: Attempt, init: InitOutcome) -> ServeOutcome:
    """What an invocation answers whose repeated init failed too."""
    payload = init.payload
    if init.status == "timeout":
        limit = attempt.revision.timeout_s
        guard.log.write(report.timeout_line(attempt.invocation_id, limit, time.time_ns()))
        payload = report.timeout_payload(attempt.invocation_id, limit)
    elif init.ended is not None:
        message = report.exit_message(init.ended)
        payload = report.exit_payload(attempt.invocation_id, "Runtime.ExitError", message)
    return ServeOutcome(
        payload=payload,
        error_type=init.error_type,
        status=init.status,
        duration_ns=init.duration_ns,
    )
