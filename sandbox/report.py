"""Lambda's platform lines and error payloads, to the letter. Pure text.

Source: lambda-behaviour 2.2 (payloads), 2.6 (lines), 2.8 (billing). Fields are separated by tabs
and the REPORT line ends in one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sandbox.backend import ProcessExit
from sandbox.work import AttemptResult

NS_PER_MS = 1_000_000
MIB = 1024 * 1024
LOG_TAIL_BYTES = 4096
"""What LogType=Tail answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The numbers of a REPORT line."""

    request_id: str
    duration_ns: int
    billed_ms: int
    memory_size_mb: int
    memory_peak_bytes: int
    init_duration_ns: int
    """0 when no init of the Init phase belongs to this invocation."""
    restore_duration_ns: int = 0
    """0 when no restore from a template belongs to this invocation."""
    billed_restore_ms: int = 0
    status: str
    """Empty, timeout or error."""
    error_type: str


def start_line(request_id: str, version: str) -> bytes:
    """The line before the first of an invocation."""
    return f"START RequestId: {request_id} Version: {version}".encode()


def end_line(request_id: str) -> bytes:
    """The line after the last."""
    return f"END RequestId: {request_id}".encode()


def report_line(report: Report) -> bytes:
    """What an invocation took."""
    fields = [
        f"REPORT RequestId: {report.request_id}",
        f"Duration: {report.duration_ns / NS_PER_MS:.2f} ms",
        f"Billed Duration: {report.billed_ms} ms",
        f"Memory Size: {report.memory_size_mb} MB",
        f"Max Memory Used: {memory_used_mb(report.memory_peak_bytes, report.memory_size_mb)} MB",
    ]
    if report.init_duration_ns:
        fields.append(f"Init Duration: {report.init_duration_ns / NS_PER_MS:.2f} ms")
    if report.restore_duration_ns:
        fields.append(f"Restore Duration: {report.restore_duration_ns / NS_PER_MS:.2f} ms")
        fields.append(f"Billed Restore Duration: {report.billed_restore_ms} ms")
    if report.status:
        fields.append(f"Status: {report.status}")
    if report.status == "error":
        fields.append(f"Error Type: {report.error_type}")
    return ("\t".join(fields) + "\t").encode()


def init_start_line(runtime_id: str, version: str) -> bytes:
    """The line before an init phase."""
    return f"INIT_START Runtime Version: {_runtime_version(runtime_id, version)}".encode()


def init_report_line(duration_ns: int, phase: str, status: str, error_type: str) -> bytes:
    """The line after an init phase that failed, or that no event waited for."""
    fields = [
        f"INIT_REPORT Init Duration: {duration_ns / NS_PER_MS:.2f} ms",
        f"Phase: {phase}",
    ]
    if status:
        fields.append(f"Status: {status}")
    if status == "error":
        fields.append(f"Error Type: {error_type}")
    return "\t".join(fields).encode()


def restore_start_line(runtime_id: str, version: str) -> bytes:
    """The line before a restore from a template."""
    return f"RESTORE_START Runtime Version: {_runtime_version(runtime_id, version)}".encode()


def restore_report_line(duration_ns: int, status: str, error_type: str) -> bytes:
    """The line after it, however it ended."""
    fields = [f"RESTORE_REPORT Restore Duration: {duration_ns / NS_PER_MS:.2f} ms"]
    if status:
        fields.append(f"Status: {status}")
    if status == "error":
        fields.append(f"Error Type: {error_type}")
    return "\t".join(fields).encode()


def timeout_line(request_id: str, timeout_s: float, now_ns: int) -> bytes:
    """The line that says a function ran out of time."""
    return f"{_iso(now_ns)} {request_id} Task timed out after {timeout_s:.2f} seconds".encode()


def exit_line(request_id: str, message: str) -> bytes:
    """The line that says how a runtime ended."""
    return f"RequestId: {request_id} Error: {message}\nRuntime.ExitError".encode()


def timeout_payload(request_id: str, timeout_s: float) -> bytes:
    """The answer of an invocation that ran out of time."""
    return _error(
        "Sandbox.Timedout",
        f"RequestId: {request_id} Error: Task timed out after {timeout_s:.2f} seconds",
    )


def exit_payload(request_id: str, error_type: str, message: str) -> bytes:
    """The answer of an invocation whose runtime ended."""
    return _error(error_type, f"RequestId: {request_id} Error: {message}")


def oversized_payload(limit_bytes: int) -> bytes:
    """The answer when the function's own was too large."""
    return _error(
        "Function.ResponseSizeTooLarge",
        f"Response payload size exceeded maximum allowed payload size ({limit_bytes} bytes).",
    )


def undeliverable(result: AttemptResult) -> AttemptResult:
    """The end of an attempt whose answer could not be handed over."""
    error_type = "Sandbox.Failure"
    payload = exit_payload(result.invocation_id, error_type, "the answer could not be handed over")
    return replace(result, payload=payload, function_error="Unhandled", error_type=error_type)


def exit_message(ended: ProcessExit) -> str:
    """How Lambda words the end of a runtime process."""
    if ended.signal is not None:
        return f"Runtime exited with error: signal: {_SIGNALS.get(ended.signal, ended.signal)}"
    if ended.status:
        return f"Runtime exited with error: exit status {ended.status}"
    return "Runtime exited without providing a reason"


def restore_billed_ms(duration_ns: int) -> int:
    """What the runtime and its hooks took of a restore, rounded up to a millisecond."""
    return -(-duration_ns // NS_PER_MS)


def billed_ms(duration_ns: int, init_duration_ns: int) -> int:
    """Init and duration together, rounded up to a millisecond; never less than one."""
    return max(1, -(-(duration_ns + init_duration_ns) // NS_PER_MS))


def memory_used_mb(peak_bytes: int, memory_size_mb: int) -> int:
    """The peak in MB, rounded up; the kernel may count a page past the limit, Lambda never does."""
    return min(-(-peak_bytes // MIB), memory_size_mb)


_SIGNALS = {
    3: "quit",
    4: "illegal instruction",
    6: "aborted",
    7: "bus error",
    8: "floating point exception",
    9: "killed",
    11: "segmentation fault",
    15: "terminated",
    31: "bad system call",
}
"""Names as Go prints them, which is what Lambda's supervisor does."""


def _runtime_version(runtime_id: str, version: str) -> str:
    return f"{runtime_id.rstrip('0123456789.')}:{version}"


def _error(error_type: str, message: str) -> bytes:
    return json.dumps(
        {"errorType": error_type, "errorMessage": message}, separators=(",", ":")
    ).encode()


def _iso(now_ns: int) -> str:
    moment = datetime.fromtimestamp(now_ns / 1e9, tz=UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
