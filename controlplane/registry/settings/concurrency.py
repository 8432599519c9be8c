"""How an account's concurrency is divided among its functions. Pure.

The account's limit falls into what is kept for single functions (a reservation, or provisioned
concurrency where there is none) and the unreserved rest, which must not become too small.
"""

from __future__ import annotations

from dataclasses import dataclass

from controlplane.model.limits import UNRESERVED_CONCURRENCY_MIN
from controlplane.model.settings import FunctionSettings
from controlplane.registry.settings.access import refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The account's concurrency at one moment."""

    limit: int
    claimed: int
    """Kept for single functions."""

    @property
    def unreserved(self) -> int:
        """What is left for functions without a reservation."""
        return self.limit - self.claimed

    @property
    def unreserved_min(self) -> int:
        """What must be left."""
        return min(UNRESERVED_CONCURRENCY_MIN, self.limit)


def check_reservation(reserved: int, settings: FunctionSettings, account: Account) -> None:
    """Refuse a reservation that is too small for its function or too large for the account.

    Raises:
        InvalidArgumentError: it is.
    """
    provisioned = settings.provisioned_total
    if reserved < provisioned:
        # Lambda's text really begins with a space and has two in the middle.
        raise refused(
            f" ReservedConcurrentExecutions  {reserved} should not be lower than function's total "
            f"provisioned concurrency [{provisioned}]."
        )
    if account.unreserved + settings.claimed_concurrency - reserved < account.unreserved_min:
        raise refused(
            "Specified ReservedConcurrentExecutions for function decreases account's "
            "UnreservedConcurrentExecution below its minimum value of "
            f"[{account.unreserved_min}]."
        )


def check_provisioned(
    requested: int, others: int, settings: FunctionSettings, account: Account
) -> None:
    """Refuse provisioned concurrency that a reservation or the account has no room for.

    Args:
        requested: For one version or alias.
        others: What the function's other versions and aliases have.
        settings: The function's, as they are.
        account: The account, this function included.

    Raises:
        InvalidArgumentError: there is no room.
    """
    if settings.reserved_concurrency is not None:
        if requested + others > settings.reserved_concurrency:
            raise refused(
                "Requested Provisioned Concurrency should not be greater than the "
                "reservedConcurrentExecution for function"
            )
        return
    unreserved = account.unreserved + settings.claimed_concurrency - others
    if requested > unreserved:
        raise refused(
            "Specified ConcurrentExecutions for function is greater than account's unreserved "
            f"concurrency [{unreserved}]."
        )
    if unreserved - requested < account.unreserved_min:
        raise refused(
            "Specified ConcurrentExecutions for function decreases account's "
            f"UnreservedConcurrentExecution below its minimum value of [{account.unreserved_min}]."
        )
