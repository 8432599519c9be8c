"""Lambda's operations, one module per group.

* functions   CreateFunction and its kin
* configuration   a function's configuration between the model's shapes and our dataclasses
* versions   PublishVersion and ListVersionsByFunction
* aliases   CreateAlias and its kin
* invoke    Invoke, InvokeWithResponseStream
* account   GetAccountSettings
"""

from __future__ import annotations

from collections.abc import Mapping

from controlplane.api.aws.operation import Handler
from controlplane.api.aws.operations import account, aliases, functions, invoke, versions

OPERATIONS: Mapping[str, Handler] = {
    **account.OPERATIONS,
    **aliases.OPERATIONS,
    **functions.OPERATIONS,
    **invoke.OPERATIONS,
    **versions.OPERATIONS,
}
"""Every operation that is built, by its name in the model."""
