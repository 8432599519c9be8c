"""What hangs on a function (concurrency, URLs, tags): what Lambda refuses, in its words."""

from __future__ import annotations

from tests.compat.refused.case import DETECTED, ENUM, IPV, NAME, PATTERN, VALIDATION, Case
from tests.compat.test_functions import arn_of

SETTINGS = [
    Case(
        call="put_function_concurrency",
        given={"FunctionName": f"{NAME}:live", "ReservedConcurrentExecutions": 1},
        error=IPV,
        said="This operation is permitted on Lambda functions only. Aliases and versions do not "
        "support this operation. Please specify either a function name or an unqualified "
        "function ARN.",
    ),
    Case(
        call="put_function_concurrency",
        given={"FunctionName": NAME, "ReservedConcurrentExecutions": 901},
        error=IPV,
        said="Specified ReservedConcurrentExecutions for function decreases account's "
        "UnreservedConcurrentExecution below its minimum value of [100].",
    ),
    Case(
        call="put_provisioned_concurrency_config",
        given={
            "FunctionName": NAME,
            "Qualifier": "$LATEST",
            "ProvisionedConcurrentExecutions": 1,
        },
        error=IPV,
        said="Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
    ),
    Case(
        call="put_provisioned_concurrency_config",
        given={"FunctionName": NAME, "Qualifier": "1", "ProvisionedConcurrentExecutions": 0},
        error=VALIDATION,
        said=f"{DETECTED}'0' at 'provisionedConcurrentExecutions' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1",
    ),
    Case(
        call="create_function_url_config",
        given={"FunctionName": NAME, "Qualifier": "1", "AuthType": "NONE"},
        error=VALIDATION,
        said=rf"{DETECTED}'1' at 'qualifier' {PATTERN}((?!^\d+$)^[0-9a-zA-Z-_]+$)",
    ),
    Case(
        call="put_function_event_invoke_config",
        given={"FunctionName": NAME},
        error=IPV,
        said="You must specify at least one of error handling or destination setting.",
    ),
    Case(
        call="put_function_event_invoke_config",
        given={
            "FunctionName": NAME,
            "DestinationConfig": {"OnSuccess": {"Destination": arn_of(NAME)}},
        },
        error=IPV,
        said="You can't specify the function as a destination for itself.",
    ),
    Case(
        call="put_function_recursion_config",
        given={"FunctionName": NAME, "RecursiveLoop": "InvalidValue"},
        error=VALIDATION,
        said=f"{DETECTED}'InvalidValue' at 'recursiveLoop' {ENUM}[Terminate, Allow]",
    ),
    Case(
        call="untag_resource",
        given={"Resource": arn_of(NAME)},
        error=VALIDATION,
        said="1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: "
        "Member must not be null",
    ),
    Case(
        call="tag_resource",
        given={"Resource": f"{arn_of(NAME)}:live", "Tags": {"a": "b"}},
        error=IPV,
        said="Tags on function aliases and versions are not supported. Please specify a function "
        "ARN.",
    ),
    Case(
        call="tag_resource",
        given={"Resource": arn_of(NAME), "Tags": {f"k{number}": "v" for number in range(51)}},
        error=IPV,
        said="Number of tags exceeds resource tag limit.",
    ),
]
