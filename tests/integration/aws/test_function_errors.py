"""What AWS refuses of functions and versions, in the words that were recorded from it."""

from __future__ import annotations

import io
import zipfile

import pytest
from botocore.exceptions import ClientError

from tests.fakes.archives import package
from tests.fakes.aws_system import ROLE, AwsSystem

ARN = "arn:aws:lambda:us-east-1:000000000000:function:thumb"
ZIP = package()
BASIC = {
    "FunctionName": "thumb",
    "Runtime": "python3.12",
    "Role": ROLE,
    "Handler": "app.handler",
    "Code": {"ZipFile": ZIP},
}
INVALID = ("InvalidParameterValueException", 400)
VALIDATION = ("ValidationException", 400)
NOT_FOUND = ("ResourceNotFoundException", 404)
NAME_PATTERN = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?"
    r"(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)


def refusal(call, **request):
    """Code, status and message of a refusal."""
    with pytest.raises(ClientError) as refused:
        call(**request)
    answer = refused.value.response
    error = answer["Error"]
    return error["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], error["Message"]


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
                "enum value set: [python3.11, python3.12] or be a valid ARN",
            ),
        ),
        (
            {"Runtime": "non-existent-runtime"},
            (
                *INVALID,
                "Value non-existent-runtime at 'runtime' failed to satisfy constraint: Member "
                "must satisfy enum value set: [python3.11, python3.12] or be a valid ARN",
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


def test_a_name_is_given_once(client):
    client.create_function(**BASIC)
    assert refusal(client.create_function, **BASIC) == (
        "ResourceConflictException",
        409,
        "Function already exist: thumb",
    )


def test_what_is_missing_is_not_found_under_the_arn_that_was_asked_for(aws, client):
    aws.create_function("thumb")
    for name, qualifier, arn in (
        ("some-function", "$LATEST", f"{ARN.replace('thumb', 'some-function')}:$LATEST"),
        ("thumb", "1", f"{ARN}:1"),
        ("thumb", "non-existent-alias", f"{ARN}:non-existent-alias"),
        ("thumb", "valid-with-$-but-doesnotexist", f"{ARN}:valid-with-$-but-doesnotexist"),
    ):
        for call in (client.get_function, client.get_function_configuration):
            assert refusal(call, FunctionName=name, Qualifier=qualifier) == (
                *NOT_FOUND,
                f"Function not found: {arn}",
            )


def test_a_function_elsewhere_is_not_reachable(client):
    elsewhere = ARN.replace("us-east-1", "eu-west-1")
    assert refusal(client.get_function, FunctionName=elsewhere) == (
        *NOT_FOUND,
        "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    )
    code, status, _ = refusal(
        client.get_function, FunctionName=ARN.replace("000000000000", "123456789012")
    )
    assert (code, status) == ("AccessDeniedException", 403)


def test_qualifiers_must_agree_and_some_operations_take_none(aws, client):
    aws.create_function("thumb", publish=True)
    assert refusal(client.get_function, FunctionName=f"{ARN}:1", Qualifier="$LATEST") == (
        *INVALID,
        "The derived qualifier from the function name does not match the specified qualifier.",
    )
    assert refusal(client.delete_function, FunctionName="thumb", Qualifier="$LATEST") == (
        *INVALID,
        "$LATEST version cannot be deleted without deleting the function.",
    )
    for call, more in (
        (client.update_function_code, {"ZipFile": ZIP}),
        (client.update_function_configuration, {"Timeout": 4}),
        (client.publish_version, {}),
        (client.list_versions_by_function, {}),
        (client.list_aliases, {}),
    ):
        assert refusal(call, FunctionName=f"{ARN}:1", **more) == (
            *INVALID,
            "This operation is permitted on Lambda functions only. Aliases and versions do not "
            "support this operation. Please specify either a function name or an unqualified "
            "function ARN.",
        )


def test_updates_are_checked_as_creates_are(aws, client):
    aws.create_function("thumb")
    update = client.update_function_configuration
    for changes, expected in (
        ({"Runtime": "python3.7"}, "The runtime parameter of python3.7 is no longer supported"),
        ({"Runtime": "cobol"}, "Value cobol at 'runtime' failed to satisfy constraint:"),
        ({"VpcConfig": {"SubnetIds": ["subnet-1"]}}, "Error occurred while DescribeSubnets."),
        ({"ImageConfig": {"Command": ["x"]}}, "ImageConfig is not supported by emberd"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "Lambda was unable to configure"),
    ):
        code, status, message = refusal(update, FunctionName="thumb", **changes)
        assert (code, status) == INVALID
        assert message.startswith(expected)
    assert refusal(client.update_function_code, FunctionName="thumb", ImageUri="image") == (
        *INVALID,
        "Please don't provide ImageUri when updating a function with packageType Zip.",
    )
    assert refusal(
        client.update_function_code, FunctionName="thumb", S3Bucket="bucket", S3Key="key"
    ) == (
        *INVALID,
        "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The "
        "specified bucket does not exist",
    )
    assert client.get_function_configuration(FunctionName="thumb")["Timeout"] == 3


def test_an_empty_vpc_is_none(client):
    made = client.create_function(**BASIC, VpcConfig={"SubnetIds": [], "SecurityGroupIds": []})
    assert "VpcConfig" not in made


def test_publishing_other_code_than_the_caller_expects_is_refused(aws, client):
    current = aws.create_function("thumb").version.code_sha256
    publish = client.publish_version
    assert refusal(publish, FunctionName="thumb", CodeSha256="somenonexistentsha256") == (
        *INVALID,
        "CodeSHA256 (somenonexistentsha256) is different from current CodeSHA256 in $LATEST "
        f"({current}). Please try again with the CodeSHA256 in $LATEST.",
    )


def test_code_beyond_the_accounts_storage_is_refused(tmp_path):
    with AwsSystem(tmp_path, code_bytes_max=2 * len(ZIP) - 1) as aws:
        client = aws.client()
        aws.create_function("thumb")
        assert refusal(client.publish_version, FunctionName="thumb") == (
            "CodeStorageExceededException",
            400,
            "Code storage limit exceeded.",
        )
        client.update_function_configuration(FunctionName="thumb", Timeout=4)
        assert client.get_account_settings()["AccountUsage"]["TotalCodeSize"] == len(ZIP)


def test_an_update_during_an_update_is_a_conflict(aws, client):
    aws.create_function("thumb")
    aws.hold_preparation()
    client.update_function_code(FunctionName="thumb", ZipFile=ZIP)
    for call, more in (
        (client.update_function_code, {"ZipFile": ZIP}),
        (client.update_function_configuration, {"Timeout": 4}),
        (client.publish_version, {}),
    ):
        assert refusal(call, FunctionName="thumb", **more) == (
            "ResourceConflictException",
            409,
            "The operation cannot be performed at this time. An update is in progress for "
            f"resource: {ARN}",
        )
    found = client.get_function_configuration(FunctionName="thumb")
    assert found["LastUpdateStatus"] == "InProgress"
    assert client.invoke(FunctionName="thumb")["ExecutedVersion"] == "$LATEST"


def test_a_pending_function_is_neither_run_nor_changed(aws, client):
    aws.hold_preparation()
    client.create_function(**BASIC)
    for call, more in (
        (client.invoke, {}),
        (client.update_function_code, {"ZipFile": ZIP}),
        (client.update_function_configuration, {"Timeout": 4}),
        (client.publish_version, {}),
    ):
        assert refusal(call, FunctionName="thumb", **more) == (
            "ResourceConflictException",
            409,
            "The operation cannot be performed at this time. The function is currently in the "
            "following state: Pending",
        )
    client.delete_function(FunctionName="thumb")
