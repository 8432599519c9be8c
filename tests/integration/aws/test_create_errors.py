"""What AWS refuses of a new function, in the words that were recorded from it."""

from __future__ import annotations

import io
import zipfile

import pytest

from tests.fakes.refusals import refusal
from tests.integration.aws.thumb import ARN, BASIC, INVALID, VALIDATION, ZIP

NAME_PATTERN = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?"
    r"(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)


def one(path, value, constraint):
    return (
        f"1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: "
        f"{constraint}"
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"Role": "r1"},
            (
                *VALIDATION,
                one(
                    "role",
                    "r1",
                    "Member must satisfy regular expression pattern: "
                    r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+",
                ),
            ),
        ),
        (
            {"Architectures": ["X86_64"]},
            (
                *VALIDATION,
                one(
                    "architectures",
                    "[X86_64]",
                    "Member must satisfy constraint: [Member must satisfy enum value set: "
                    "[x86_64, arm64], Member must not be null]",
                ),
            ),
        ),
        (
            {"Architectures": ["x86_64", "arm64"]},
            (
                *VALIDATION,
                one(
                    "architectures",
                    "[x86_64, arm64]",
                    "Member must have length less than or equal to 1",
                ),
            ),
        ),
        (
            {"SnapStart": {"ApplyOn": "invalidOption"}},
            (
                *VALIDATION,
                one(
                    "snapStart.applyOn",
                    "invalidOption",
                    "Member must satisfy enum value set: [PublishedVersions, None]",
                ),
            ),
        ),
        (
            {"Timeout": 901},
            (
                *VALIDATION,
                one("timeout", "901", "Member must have value less than or equal to 900"),
            ),
        ),
        (
            {"VpcConfig": {"SubnetIds": ["bad-1"]}},
            (
                *VALIDATION,
                one(
                    "vpcConfig.subnetIds",
                    "[bad-1]",
                    "Member must satisfy constraint: [Member must have length less than or equal "
                    "to 1024, Member must have length greater than or equal to 0, Member must "
                    "satisfy regular expression pattern: subnet-[0-9a-z]*]",
                ),
            ),
        ),
        (
            {"FunctionName": "invalid:function:name"},
            (
                *VALIDATION,
                one(
                    "functionName",
                    "invalid:function:name",
                    f"Member must satisfy regular expression pattern: {NAME_PATTERN}",
                ),
            ),
        ),
        (
            {"FunctionName": "a" * 65},
            (
                *INVALID,
                one("functionName", "a" * 65, "Member must have length less than or equal to 64"),
            ),
        ),
        (
            {"FunctionName": f"{ARN}{'x' * 100}"},
            (
                *VALIDATION,
                one(
                    "functionName",
                    f"{ARN}{'x' * 100}",
                    "Member must have length less than or equal to 140",
                ),
            ),
        ),
        (
            {"Runtime": "PYTHON3.9"},
            (
                *INVALID,
                "Value PYTHON3.9 at 'runtime' failed to satisfy constraint: Member must satisfy "
                "enum value set: [python3.11, python3.12, wasm] or be a valid ARN",
            ),
        ),
        (
            {"Runtime": "non-existent-runtime"},
            (
                *INVALID,
                "Value non-existent-runtime at 'runtime' failed to satisfy constraint: Member "
                "must satisfy enum value set: [python3.11, python3.12, wasm] or be a valid ARN",
            ),
        ),
        *(
            (
                {"Runtime": runtime},
                (
                    *INVALID,
                    f"The runtime parameter of {runtime} is no longer supported for creating or "
                    "updating AWS Lambda functions. We recommend you use a supported runtime "
                    "while creating or updating functions.",
                ),
            )
            for runtime in (
                "dotnetcore3.1",
                "go1.x",
                "java8",
                "nodejs12.x",
                "provided",
                "python3.7",
                "ruby2.7",
            )
        ),
        (
            {"Code": {"ZipFile": b"no zip"}},
            (
                *INVALID,
                "Could not unzip uploaded file. Please check your file, then try to upload again.",
            ),
        ),
        (
            {"Code": {}},
            (*INVALID, "Please provide a source for function code."),
        ),
        (
            {"Code": {"S3Bucket": "bucket", "S3Key": "key"}},
            (
                *INVALID,
                "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: "
                "The specified bucket does not exist",
            ),
        ),
        (
            {"Code": {"ZipFile": ZIP, "S3Bucket": "bucket", "S3Key": "key"}},
            (
                *INVALID,
                "Please do not provide other FunctionCode parameters when providing a ZipFile.",
            ),
        ),
        (
            {"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}},
            (
                *INVALID,
                "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. "
                "EC2 Error Message: The subnet ID 'subnet-1' does not exist",
            ),
        ),
        (
            {"VpcConfig": {"SecurityGroupIds": ["sg-1"]}},
            (
                *INVALID,
                "Error occurred while DescribeSecurityGroups. EC2 Error Code: "
                "InvalidGroup.NotFound. EC2 Error Message: The security group 'sg-1' does not "
                "exist",
            ),
        ),
        (
            {"Tags": {f"key{number}": "" for number in range(51)}},
            (*INVALID, "Number of tags exceeds resource tag limit."),
        ),
    ],
)
def test_a_create_is_refused_in_awss_words(client, changes, expected):
    assert refusal(client.create_function, **(BASIC | changes)) == expected
    assert client.list_functions()["Functions"] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"PackageType": "Image", "Code": {"ImageUri": "image"}},
        {"Code": {"ImageUri": "image"}},
        {"ImageConfig": {"Command": ["run"]}},
        {"Code": {"ZipFile": ZIP, "SourceKMSKeyArn": "arn:aws:kms:us-east-1:000000000000:key/k"}},
        {
            "FileSystemConfigs": [
                {
                    "Arn": "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/"
                    "fsap-00000000000000000",
                    "LocalMountPath": "/mnt/data",
                }
            ]
        },
        {"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}},
        {"DurableConfig": {"ExecutionTimeout": 60}},
        {"PublishTo": "LATEST_PUBLISHED"},
    ],
)
def test_what_emberd_cannot_do_is_refused_and_not_stored(client, changes):
    code, status, message = refusal(client.create_function, **(BASIC | changes))
    assert (code, status) == INVALID
    assert "is not supported by emberd" in message or "ImageUri" in message
    assert client.list_functions()["Functions"] == []


def test_a_package_has_limits_zipped_and_unpacked(client):
    assert refusal(client.create_function, **BASIC | {"Code": {"ZipFile": bytes(52_428_801)}}) == (
        "RequestEntityTooLargeException",
        413,
        "Zipped size must be smaller than 52428800 bytes",
    )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(262_144_001))
    large = {"Code": {"ZipFile": content.getvalue()}}
    assert refusal(client.create_function, **BASIC | large) == (
        *INVALID,
        "Unzipped size must be smaller than 262144000 bytes",
    )


def test_an_environment_beyond_4_kb_is_refused_without_its_values(client):
    secret = "x" * 4096
    variables = {"LARGE_VAR": secret, "SMALL_VAR": "ok"}
    code, status, message = refusal(
        client.create_function, **BASIC, Environment={"Variables": variables}
    )
    assert (code, status) == INVALID
    assert message.startswith(
        "Lambda was unable to configure your environment variables because the environment "
        "variables you have provided exceeded the 4KB limit. String measured: "
    )
    assert "LARGE_VAR" in message
    assert "xxx" not in message
