"""GetAccountSettings."""

from __future__ import annotations

from collections.abc import Mapping

from controlplane.api.aws.operation import Call, Handler, Output
from controlplane.api.aws.services import Services
from controlplane.registry.packages import UNZIPPED_BYTES_MAX, ZIPPED_BYTES_MAX


async def get_account_settings(
    services: Services, call: Call, request: Mapping[str, object]
) -> Output:
    """Limits of the account, and what is used of them."""
    concurrency = services.settings.account()
    usage = services.registry.usage()
    return {
        "AccountLimit": {
            "TotalCodeSize": usage.code_bytes_max,
            "CodeSizeUnzipped": UNZIPPED_BYTES_MAX,
            "CodeSizeZipped": ZIPPED_BYTES_MAX,
            "ConcurrentExecutions": concurrency.limit,
            "UnreservedConcurrentExecutions": concurrency.unreserved,
        },
        "AccountUsage": {"TotalCodeSize": usage.code_bytes, "FunctionCount": usage.functions},
    }


OPERATIONS: Mapping[str, Handler] = {
    "GetAccountSettings": get_account_settings,
}
