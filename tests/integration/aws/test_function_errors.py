"""What AWS refuses of functions that are there, or are not, in the words recorded from it."""

from __future__ import annotations

from tests.fakes.aws_system import AwsSystem
from tests.fakes.refusals import refusal
from tests.integration.aws.thumb import ARN, BASIC, INVALID, NOT_FOUND, ZIP


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
