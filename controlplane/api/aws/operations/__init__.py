"""Lambda's operations, one module per group.

* aliases   CreateAlias and its kin
"""

from __future__ import annotations

from collections.abc import Mapping

from controlplane.api.aws.operation import Handler
from controlplane.api.aws.operations import aliases

OPERATIONS: Mapping[str, Handler] = {
    **aliases.OPERATIONS,
}
"""Every operation that is built, by its name in the model."""
