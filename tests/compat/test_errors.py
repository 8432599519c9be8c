"""boto3: refusals in Lambda's recorded words, on a real server.

The integration tests hold most of the recorded texts against a registry alone. Here stands
at least one of every family, so that what a client sees is shown end to end: name, status, text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.compat.functions import PYTHON, ROLE, Workshop, package
from tests.compat.test_functions import arn_of
from tests.compat.test_layers import layer
from tests.compat.watching import refusal

NAME = "refusals"
LAYER = "refusals-layer"
LAYER_ARN = f"arn:aws:lambda:us-east-1:000000000000:layer:{LAYER}"
WRONG_ID = "00000000-0000-4000-8000-000000000000"

IPV = ("InvalidParameterValueException", 400)
VALIDATION = ("ValidationException", 400)
NOT_FOUND = ("ResourceNotFoundException", 404)
CONFLICT = ("ResourceConflictException", 409)
PRECONDITION = ("PreconditionFailedException", 412)

PATTERN = "failed to satisfy constraint: Member must satisfy regular expression pattern: "
ENUM = "failed to satisfy constraint: Member must satisfy enum value set: "
DETECTED = "1 validation error detected: Value "


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One call that Lambda refuses, and its words; a text that ends in … goes on."""

    call: str
    given: dict[str, Any] = field(default_factory=dict)
    error: tuple[str, int]
    said: str

    @property
    def title(self) -> str:
        """Short enough for a test's name."""
        given = "-".join(sorted(set(self.given) - set(create())))
        return f"{self.call}-{given}-{self.said[:60]}"


def create(**changes: Any) -> dict[str, Any]:
    """The arguments of a CreateFunction that is right but for these."""
    given: dict[str, Any] = {
        "FunctionName": "never-made",
        "Role": ROLE,
        "Runtime": PYTHON,
        "Handler": "app.handler",
        "Code": {"ZipFile": package()},
    }
    return {**given, **changes}


DEPRECATED = "dotnetcore3.1 go1.x java8 nodejs12.x provided python3.7 ruby2.7"

FUNCTIONS = [
    *(
        Case(
            call="create_function",
            given=create(Runtime=runtime),
            error=IPV,
            said=f"The runtime parameter of {runtime} is no longer supported for creating or "
            "updating AWS Lambda functions. We recommend you use a supported runtime while "
            "creating or updating functions.",
        )
        for runtime in DEPRECATED.split()
    ),
    Case(
        call="create_function",
        given=create(Timeout=901),
        error=VALIDATION,
        said=f"{DETECTED}'901' at 'timeout' failed to satisfy constraint: "
        "Member must have value less than or equal to 900",
    ),
    Case(
        call="create_function",
        given=create(MemorySize=10241),
        error=VALIDATION,
        said=f"{DETECTED}'10241' at 'memorySize' failed to satisfy constraint: "
        "Member must have value less than or equal to 10240",
    ),
    Case(
        call="create_function",
        given=create(Role="r1"),
        error=VALIDATION,
        said=f"{DETECTED}'r1' at 'role' {PATTERN}"
        r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+",
    ),
    Case(
        call="create_function",
        given=create(Architectures=["X86_64"]),
        error=VALIDATION,
        said=f"{DETECTED}'[X86_64]' at 'architectures' failed to satisfy constraint: "
        "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], "
        "Member must not be null]",
    ),
    Case(
        call="create_function",
        given=create(Architectures=["x86_64", "arm64"]),
        error=VALIDATION,
        said=f"{DETECTED}'[x86_64, arm64]' at 'architectures' failed to satisfy constraint: "
        "Member must have length less than or equal to 1",
    ),
    Case(
        call="create_function",
        given=create(SnapStart={"ApplyOn": "invalidOption"}),
        error=VALIDATION,
        said=f"{DETECTED}'invalidOption' at 'snapStart.applyOn' {ENUM}[PublishedVersions, None]",
    ),
    Case(
        call="create_function",
        given=create(FunctionName="a" * 65),
        error=IPV,
        said=f"{DETECTED}'{'a' * 65}' at 'functionName' failed to satisfy constraint: "
        "Member must have length less than or equal to 64",
    ),
    Case(
        call="create_function",
        given=create(Runtime="non-existent-runtime"),
        error=IPV,
        said="Value non-existent-runtime at 'runtime' failed to satisfy constraint: "
        "Member must satisfy enum value set: […",
    ),
    Case(
        call="create_function",
        given=create(Code={"ZipFile": b"no zip at all"}),
        error=IPV,
        said="Could not unzip uploaded file. Please check your file, then try to upload again.",
    ),
    Case(
        call="create_function",
        given=create(Code={"S3Bucket": "no-such-bucket", "S3Key": "key"}),
        error=IPV,
        said="Error occurred while GetObject. S3 Error Code: NoSuchBucket. "
        "S3 Error Message: The specified bucket does not exist",
    ),
    Case(
        call="create_function",
        given=create(Environment={"Variables": {"LARGE_VAR": "x" * 4096}}),
        error=IPV,
        said="Lambda was unable to configure your environment variables because the environment "
        "variables you have provided exceeded the 4KB limit.…",
    ),
    Case(
        call="create_function",
        given=create(FunctionName=NAME),
        error=CONFLICT,
        said=f"Function already exist: {NAME}",
    ),
    Case(
        call="get_function",
        given={"FunctionName": "unknown"},
        error=NOT_FOUND,
        said=f"Function not found: {arn_of('unknown')}",
    ),
    Case(
        call="get_function",
        given={"FunctionName": NAME, "Qualifier": "missing"},
        error=NOT_FOUND,
        said=f"Function not found: {arn_of(NAME)}:missing",
    ),
    Case(
        call="get_function",
        given={"FunctionName": arn_of(NAME).replace("us-east-1", "eu-west-1")},
        error=NOT_FOUND,
        said="Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    ),
    Case(
        call="get_function",
        given={"FunctionName": arn_of(NAME).replace("000000000000", "111111111111")},
        error=("AccessDeniedException", 403),
        said="…",  # recorded without a message
    ),
    Case(
        call="get_function",
        given={"FunctionName": f"{NAME}:1", "Qualifier": "$LATEST"},
        error=IPV,
        said="The derived qualifier from the function name does not match the specified qualifier.",
    ),
    Case(
        call="delete_function",
        given={"FunctionName": NAME, "Qualifier": "$LATEST"},
        error=IPV,
        said="$LATEST version cannot be deleted without deleting the function.",
    ),
    Case(
        call="list_functions",
        given={"FunctionVersion": "invalid"},
        error=VALIDATION,
        said=f"{DETECTED}'invalid' at 'functionVersion' {ENUM}[ALL]",
    ),
    Case(
        call="publish_version",
        given={"FunctionName": NAME, "RevisionId": WRONG_ID},
        error=PRECONDITION,
        said="The Revision Id provided does not match the latest Revision Id. "
        "Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
    ),
    Case(
        call="update_function_code",
        given={"FunctionName": NAME, "ImageUri": "x"},
        error=IPV,
        said="Please don't provide ImageUri when updating a function with packageType Zip.",
    ),
]

ALIASES = [
    Case(
        call="create_alias",
        given={"FunctionName": NAME, "Name": "2024", "FunctionVersion": "1"},
        error=VALIDATION,
        said=f"{DETECTED}'2024' at 'name' {PATTERN}(?!^[0-9]+$)([a-zA-Z0-9-_]+)",
    ),
    Case(
        call="create_alias",
        given={"FunctionName": NAME, "Name": "live", "FunctionVersion": "1"},
        error=CONFLICT,
        said=f"Alias already exists: {arn_of(NAME)}:live",
    ),
    Case(
        call="create_alias",
        given={
            "FunctionName": NAME,
            "Name": "new",
            "FunctionVersion": "1",
            "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}},
        },
        error=IPV,
        said="Invalid function version 1. Function version 1 is already included in routing "
        "configuration.",
    ),
    Case(
        call="create_alias",
        given={
            "FunctionName": NAME,
            "Name": "new",
            "FunctionVersion": "1",
            "RoutingConfig": {"AdditionalVersionWeights": {"2": 2.0}},
        },
        error=VALIDATION,
        said=f"{DETECTED}'{{2=2.0}}' at 'routingConfig.additionalVersionWeights' failed to "
        "satisfy constraint: Map value must satisfy constraint: [Member must have value less than "
        "or equal to 1.0, Member must have value greater than or equal to 0.0, "
        "Member must not be null]",
    ),
    Case(
        call="create_alias",
        given={
            "FunctionName": NAME,
            "Name": "new",
            "FunctionVersion": "$LATEST",
            "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}},
        },
        error=IPV,
        said="$LATEST is not supported for an alias pointing to more than 1 version",
    ),
    Case(
        call="get_alias",
        given={"FunctionName": NAME, "Name": "missing"},
        error=NOT_FOUND,
        said=f"Cannot find alias arn: {arn_of(NAME)}:missing",
    ),
]

LAYERS = [
    Case(
        call="get_layer_version",
        given={"LayerName": LAYER, "VersionNumber": 0},
        error=IPV,
        said="Layer Version Cannot be less than 1",
    ),
    Case(
        call="list_layers",
        given={"CompatibleArchitecture": "archdoesnotexist"},
        error=VALIDATION,
        said=f"{DETECTED}'archdoesnotexist' at 'compatibleArchitecture' {ENUM}[x86_64, arm64]",
    ),
    Case(
        call="create_function",
        given=create(Layers=[f"{LAYER_ARN}:9"]),
        error=IPV,
        said=f"Layer version {LAYER_ARN}:9 does not exist.",
    ),
    Case(
        call="create_function",
        given=create(Layers=[f"{LAYER_ARN}:1", f"{LAYER_ARN}:1"]),
        error=IPV,
        said="Two different versions of the same layer are not allowed to be referenced in the "
        f"same function. {LAYER_ARN}:1 and {LAYER_ARN}:1 are versions of the same layer.",
    ),
    Case(
        call="create_function",
        given=create(Layers=[f"{LAYER_ARN}{number}:1" for number in range(6)]),
        error=IPV,
        said="Cannot reference more than 5 layers.",
    ),
    Case(
        call="create_function",
        given=create(Layers=[f"{LAYER_ARN}:1".replace("us-east-1", "eu-west-1")]),
        error=IPV,
        said="Layers are not in the same region as the function. Layers are expected to be in "
        "region us-east-1.",
    ),
    Case(
        call="add_layer_version_permission",
        given={
            "LayerName": LAYER,
            "VersionNumber": 1,
            "StatementId": "s1",
            "Action": "*",
            "Principal": "*",
        },
        error=VALIDATION,
        said=f"{DETECTED}'*' at 'action' {PATTERN}lambda:GetLayerVersion",
    ),
    Case(
        call="remove_layer_version_permission",
        given={"LayerName": LAYER, "VersionNumber": 2, "StatementId": "s1"},
        error=NOT_FOUND,
        said=f"Layer version {LAYER_ARN}:2 does not exist.",
    ),
]

PERMISSIONS = [
    Case(
        call="add_permission",
        given={
            "FunctionName": NAME,
            "StatementId": "example.com",
            "Action": "lambda:InvokeFunction",
            "Principal": "s3.amazonaws.com",
        },
        error=VALIDATION,
        said=f"{DETECTED}'example.com' at 'statementId' {PATTERN}([a-zA-Z0-9-_]+)",
    ),
    Case(
        call="add_permission",
        given={
            "FunctionName": NAME,
            "StatementId": "s1",
            "Action": "lambda:InvokeFunction",
            "Principal": "invalid.nonaws.com",
        },
        error=IPV,
        said="The provided principal was invalid. Please check the principal and try again.",
    ),
    Case(
        call="add_permission",
        given={
            "FunctionName": NAME,
            "StatementId": "s1",
            "Action": "lambda:InvokeFunction",
            "Principal": "s3.amazonaws.com",
            "Qualifier": "$LATEST",
        },
        error=IPV,
        said="We currently do not support adding policies for $LATEST.",
    ),
    Case(
        call="remove_permission",
        given={"FunctionName": NAME, "StatementId": "missing"},
        error=NOT_FOUND,
        said="No policy is associated with the given resource.",
    ),
    Case(
        call="get_policy",
        given={"FunctionName": NAME},
        error=NOT_FOUND,
        said="The resource you requested does not exist.",
    ),
]

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


@pytest.fixture(scope="module")
def refusing(unchecked_client: Any) -> Iterator[Any]:
    """A client, with a function, its version 1, its alias `live`, and a layer."""
    workshop = Workshop(unchecked_client)
    workshop.active(NAME, Publish=True)
    unchecked_client.create_alias(FunctionName=NAME, Name="live", FunctionVersion="1")
    unchecked_client.publish_layer_version(LayerName=LAYER, Content={"ZipFile": layer("x")})
    yield unchecked_client
    workshop.clear()


def check(client: Any, case: Case) -> None:
    """Make the call; name, status and text must be the recorded ones."""
    kind, status, message = refusal(getattr(client, case.call), **case.given)
    assert (kind, status) == case.error, message
    if case.said.endswith("…"):
        assert message.startswith(case.said[:-1])
    else:
        assert message == case.said


def titles(case: Case) -> str:
    """A test's name for pytest."""
    return case.title


@pytest.mark.shows("Errors", "functions and versions: recorded names, statuses and texts")
@pytest.mark.parametrize("case", FUNCTIONS, ids=titles)
def test_functions_refuse_in_lambdas_words(client: Any, refusing: Any, case: Case) -> None:
    check(client, case)


@pytest.mark.shows("Errors", "aliases: recorded names, statuses and texts")
@pytest.mark.parametrize("case", ALIASES, ids=titles)
def test_aliases_refuse_in_lambdas_words(client: Any, refusing: Any, case: Case) -> None:
    check(client, case)


@pytest.mark.shows("Errors", "layers: recorded names, statuses and texts")
@pytest.mark.parametrize("case", LAYERS, ids=titles)
def test_layers_refuse_in_lambdas_words(client: Any, refusing: Any, case: Case) -> None:
    check(client, case)


@pytest.mark.shows("Errors", "permissions: recorded names, statuses and texts")
@pytest.mark.parametrize("case", PERMISSIONS, ids=titles)
def test_permissions_refuse_in_lambdas_words(client: Any, refusing: Any, case: Case) -> None:
    check(client, case)


@pytest.mark.shows("Errors", "concurrency, URLs, tags and more: recorded names, statuses, texts")
@pytest.mark.parametrize("case", SETTINGS, ids=titles)
def test_settings_refuse_in_lambdas_words(client: Any, refusing: Any, case: Case) -> None:
    check(client, case)
