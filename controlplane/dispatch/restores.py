"""What a caller is told whose sandbox was copied from its snapshot and not restored. Pure."""

from __future__ import annotations

from controlplane.scheduler import RefusalReason
from emberd.wire.errors import EmberdError, InvalidArgumentError, UnavailableError


def restore_error(reason: RefusalReason) -> EmberdError | None:
    """Lambda's exception for a restore that failed; None for any other refusal.

    Another host would fare no better, since it is the function's own hook that failed.
    """
    if reason is RefusalReason.RESTORE_FAILED:
        return InvalidArgumentError(
            "The afterRestore() runtime hook encountered an error. For more information, check "
            "the Amazon CloudWatch logs.",
            reason="SNAP_START",
        )
    if reason is RefusalReason.RESTORE_TIMED_OUT:
        return UnavailableError(
            "Lambda couldn't restore the snapshot within the timeout limit.",
            reason="SNAP_START_TIMEOUT",
        )
    return None
