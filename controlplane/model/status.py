"""Where a version stands: Lambda's State and LastUpdateStatus with their reasons.

    create ─► Pending ─► Active, LastUpdateStatus Successful      or ─► Failed
    update ─► Active, InProgress ─► Successful                    or ─► Active, Failed

Texts and codes as recorded (lambda-behaviour.md 1.7); that an update says "Creating" is Lambda's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

PENDING, ACTIVE, FAILED = "Pending", "Active", "Failed"
IN_PROGRESS, SUCCESSFUL = "InProgress", "Successful"

_REASON = "The function is being created."
_CODE = "Creating"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a version could not be made ready."""

    code: str
    """One of the model's StateReasonCodes."""
    reason: str


class NotReadyError(Exception):
    """A version will never be ready, for a reason of its own.

    Attributes:
        failure: What its status says then.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Whether a version can run, and how its last change went."""

    state: str = ACTIVE
    state_reason: str = ""
    state_reason_code: str = ""
    last_update: str = SUCCESSFUL
    """Empty until the version was ready for the first time."""
    last_update_reason: str = ""
    last_update_reason_code: str = ""

    @property
    def settled(self) -> bool:
        """Whether nothing is being prepared."""
        return self.state != PENDING and self.last_update != IN_PROGRESS

    def ended(self, failure: Failure | None) -> Status:
        """What follows once preparation has ended, well (None) or badly."""
        if failure is None:
            return READY
        if self.state == PENDING:
            return replace(
                self, state=FAILED, state_reason=failure.reason, state_reason_code=failure.code
            )
        return replace(
            self,
            last_update=FAILED,
            last_update_reason=failure.reason,
            last_update_reason_code=failure.code,
        )


READY = Status()
CREATING = Status(state=PENDING, state_reason=_REASON, state_reason_code=_CODE, last_update="")
UPDATING = Status(
    last_update=IN_PROGRESS, last_update_reason=_REASON, last_update_reason_code=_CODE
)
