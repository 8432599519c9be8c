"""Functions and versions: what Lambda refuses, in its recorded words."""

from __future__ import annotations

from tests.compat.refused.case import (
    CONFLICT,
    DETECTED,
    ENUM,
    IPV,
    NAME,
    NOT_FOUND,
    PATTERN,
    PRECONDITION,
    VALIDATION,
    WRONG_ID,
    Case,
    create,
)
from tests.compat.test_functions import arn_of

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
