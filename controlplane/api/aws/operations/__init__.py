"""Lambda's operations, one module per group.

* functions           CreateFunction and its kin
* configuration       a function's configuration between the model's shapes and our dataclasses
* vpc                 VpcConfig as a network of emberd
* versions            PublishVersion and ListVersionsByFunction
* aliases             CreateAlias and its kin
* layers              PublishLayerVersion and its kin
* account             GetAccountSettings
* concurrency         reserved and provisioned concurrency
* invoke              Invoke and InvokeWithResponseStream
* policies            AddPermission and its kin
* tags                TagResource, UntagResource, ListTags
* urls                function URLs
* event_invoke        event-invoke configurations
* code_signing        code-signing configurations
* runtime_management  runtime management, recursion, scaling
"""

from __future__ import annotations

from collections.abc import Mapping

from controlplane.api.aws.operation import Handler
from controlplane.api.aws.operations import (
    account,
    aliases,
    code_signing,
    concurrency,
    event_invoke,
    functions,
    invoke,
    layers,
    policies,
    runtime_management,
    tags,
    urls,
    versions,
)

OPERATIONS: Mapping[str, Handler] = {
    **account.OPERATIONS,
    **aliases.OPERATIONS,
    **code_signing.OPERATIONS,
    **concurrency.OPERATIONS,
    **event_invoke.OPERATIONS,
    **functions.OPERATIONS,
    **invoke.OPERATIONS,
    **layers.OPERATIONS,
    **policies.OPERATIONS,
    **runtime_management.OPERATIONS,
    **tags.OPERATIONS,
    **urls.OPERATIONS,
    **versions.OPERATIONS,
}
"""Every operation that is built, by its name in the model."""
