"""Functions over boto3: what AWS answers, state by state and error by error."""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import re
import socket
import urllib.error
import urllib.request
import zipfile
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from controlplane.api.aws import downloads
from tests.fakes.archives import archive, package
from tests.fakes.aws_system import ROLE

ARN = "arn:aws:lambda:us-east-1:000000000000:function:thumb"
ZIP = package()
OTHER_ZIP = package(b"other = 1\n")
BASIC = {
    "FunctionName": "thumb",
    "Runtime": "python3.12",
    "Role": ROLE,
    "Handler": "app.handler",
    "Code": {"ZipFile": ZIP},
}
REVISION = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def plain(answer):
    """An answer without the circumstances of its call."""
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def create(client, **changes):
    """A function that is ready; without a change the basic one."""
    made = client.create_function(**(BASIC | changes))
    client.get_waiter("function_active_v2").wait(
        FunctionName="thumb", WaiterConfig={"Delay": 0.01, "MaxAttempts": 500}
    )
    return made


def updated(client):
    """Wait for an update to be prepared."""
    client.get_waiter("function_updated_v2").wait(
        FunctionName="thumb", WaiterConfig={"Delay": 0.01, "MaxAttempts": 500}
    )


def refusal(call, **request):
    """Code, status and message of a refusal."""
    with pytest.raises(ClientError) as refused:
        call(**request)
    answer = refused.value.response
    error = answer["Error"]
    return error["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], error["Message"]


def test_a_create_answers_what_lambda_answers_and_nothing_else(client):
    answer = plain(client.create_function(**BASIC))
    assert REVISION.fullmatch(answer.pop("RevisionId"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", answer.pop("LastModified"))
    runtime = answer.pop("RuntimeVersionConfig")["RuntimeVersionArn"]
    assert re.fullmatch(r"arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}", runtime)
    assert answer == {
        "FunctionName": "thumb",
        "FunctionArn": ARN,
        "Runtime": "python3.12",
        "Role": ROLE,
        "Handler": "app.handler",
        "CodeSize": len(ZIP),
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "CodeSha256": base64.b64encode(hashlib.sha256(ZIP).digest()).decode(),
        "Version": "$LATEST",
        "TracingConfig": {"Mode": "PassThrough"},
        "State": "Pending",
        "StateReason": "The function is being created.",
        "StateReasonCode": "Creating",
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/thumb"},
    }


def test_a_create_is_answered_with_201_and_the_function_is_active_soon_after(client):
    made = create(client)
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    found = client.get_function_configuration(FunctionName="thumb")
    assert (found["State"], found["LastUpdateStatus"]) == ("Active", "Successful")
    assert "StateReason" not in found
    assert found["RevisionId"] != made["RevisionId"]
    assert found["LastModified"] == made["LastModified"]


def test_everything_that_can_be_configured_comes_back(client):
    given = {
        "Description": "words",
        "Timeout": 900,
        "MemorySize": 10_240,
        "EphemeralStorage": {"Size": 10_240},
        "Environment": {"Variables": {"KEY": "value"}},
        "TracingConfig": {"Mode": "Active"},
        "DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:000000000000:letters"},
        "KMSKeyArn": "arn:aws:kms:us-east-1:000000000000:key/one",
        "Architectures": ["arm64"],
        "LoggingConfig": {
            "LogFormat": "JSON",
            "ApplicationLogLevel": "DEBUG",
            "SystemLogLevel": "WARN",
            "LogGroup": "mine",
        },
    }
    made = create(client, **given)
    found = client.get_function_configuration(FunctionName="thumb")
    for answer in (made, found):
        assert {key: answer[key] for key in given} == given


def test_json_logs_have_lambdas_levels_where_none_are_given(client):
    made = client.create_function(**BASIC, LoggingConfig={"LogFormat": "JSON"})
    assert made["LoggingConfig"] == {
        "LogFormat": "JSON",
        "ApplicationLogLevel": "INFO",
        "SystemLogLevel": "INFO",
        "LogGroup": "/aws/lambda/thumb",
    }


def test_an_environment_is_shown_once_one_was_given(client):
    create(client)
    assert "Environment" not in client.get_function_configuration(FunctionName="thumb")
    client.update_function_configuration(FunctionName="thumb", Environment={"Variables": {}})
    found = client.get_function_configuration(FunctionName="thumb")
    assert found["Environment"] == {"Variables": {}}


def test_published_at_once_a_create_answers_version_1_under_the_bare_arn(client):
    made = client.create_function(**BASIC, Publish=True)
    assert (made["Version"], made["FunctionArn"], made["State"]) == ("1", ARN, "Pending")
    client.get_waiter("published_version_active").wait(
        FunctionName="thumb", Qualifier="1", WaiterConfig={"Delay": 0.01, "MaxAttempts": 500}
    )
    again = client.publish_version(FunctionName="thumb")
    assert (again["Version"], again["FunctionArn"]) == ("1", f"{ARN}:1")
    assert (again["State"], again["LastUpdateStatus"]) == ("Active", "Successful")


def test_a_function_can_be_created_and_read_under_every_form_of_its_name(client):
    create(client, FunctionName="000000000000:function:thumb")
    for name in ("thumb", "000000000000:function:thumb", ARN):
        assert client.get_function(FunctionName=name)["Configuration"]["FunctionArn"] == ARN
    for name, qualifier in ((f"{ARN}:$LATEST", None), ("thumb:$LATEST", None), (ARN, "$LATEST")):
        more = {} if qualifier is None else {"Qualifier": qualifier}
        found = client.get_function_configuration(FunctionName=name, **more)
        assert found["FunctionArn"] == f"{ARN}:$LATEST"


def test_a_function_says_where_its_code_is_and_that_works_without_credentials(client):
    create(client, Tags={"team": "a"})
    found = client.get_function(FunctionName="thumb")
    assert found["Code"]["RepositoryType"] == "S3"
    assert found["Tags"] == {"team": "a"}
    assert "Concurrency" not in found
    with urllib.request.urlopen(found["Code"]["Location"], timeout=10) as answer:
        assert (answer.read(), answer.headers["Content-Type"]) == (ZIP, "application/zip")


def test_a_download_url_opens_one_package_and_nothing_else(aws, client):
    create(client)
    url = client.get_function(FunctionName="thumb")["Code"]["Location"]
    path = url.removeprefix(f"{aws.endpoint}/emberd/artifacts/")
    digest = path.partition("?")[0]
    wrong = [
        url.replace(digest, "0" * 64),
        url.replace(digest, "..%2f..%2fregistry.db"),
        re.sub("expires=([0-9]+)", r"expires=\g<1>0", url),
        url.replace("signature=", "signature=0"),
        url.partition("?")[0],
        re.sub("expires=[0-9]+", "expires=x", url),
    ]
    for each in wrong:
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(each, timeout=10)
        with refused.value as answer:
            assert answer.code == 403


def test_a_download_url_of_deleted_code_is_not_found(client):
    create(client)
    url = client.get_function(FunctionName="thumb")["Code"]["Location"]
    client.delete_function(FunctionName="thumb")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url, timeout=10)
    with refused.value as answer:
        assert answer.code == 404


def test_a_reader_who_is_slower_than_allowed_is_let_go(client, monkeypatch):
    monkeypatch.setattr(downloads, "STALL_S", 0.0)
    code = archive(("noise.bin", os.urandom(16 * 1024 * 1024), 0o644), method=zipfile.ZIP_STORED)
    create(client, Code={"ZipFile": code})
    url = urlsplit(client.get_function(FunctionName="thumb")["Code"]["Location"])
    connection = http.client.HTTPConnection(url.netloc)
    with socket.socket() as connection.sock:
        # With so small a buffer here, the kernel cannot take the whole package from the server.
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        connection.sock.settimeout(30)
        connection.sock.connect((url.hostname, url.port))
        connection.request("GET", f"{url.path}?{url.query}")
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            connection.getresponse().read()


def test_an_update_of_code_is_in_progress_and_then_successful(client):
    create(client)
    before = client.get_function_configuration(FunctionName="thumb")
    answer = client.update_function_code(
        FunctionName="thumb", ZipFile=OTHER_ZIP, Architectures=["arm64"]
    )
    assert (answer["State"], answer["LastUpdateStatus"]) == ("Active", "InProgress")
    assert answer["LastUpdateStatusReason"] == "The function is being created."
    assert answer["LastUpdateStatusReasonCode"] == "Creating"
    assert (answer["CodeSize"], answer["Architectures"]) == (len(OTHER_ZIP), ["arm64"])
    updated(client)
    after = client.get_function_configuration(FunctionName="thumb")
    assert after["LastUpdateStatus"] == "Successful"
    assert "LastUpdateStatusReason" not in after
    assert len({each["RevisionId"] for each in (before, answer, after)}) == 3


def test_an_update_of_configuration_sets_what_it_names_and_replaces_whole_objects(client):
    create(client, Environment={"Variables": {"A1": "1", "B1": "2"}}, Timeout=9)
    answer = client.update_function_configuration(
        FunctionName="thumb", MemorySize=256, Environment={"Variables": {"C1": "3"}}
    )
    assert (answer["MemorySize"], answer["Timeout"]) == (256, 9)
    assert answer["Environment"] == {"Variables": {"C1": "3"}}
    assert answer["LastUpdateStatus"] == "InProgress"


def test_a_dry_run_of_an_update_checks_and_changes_nothing(client):
    create(client)
    before = client.get_function_configuration(FunctionName="thumb")
    answer = client.update_function_code(FunctionName="thumb", ZipFile=OTHER_ZIP, DryRun=True)
    assert answer["CodeSize"] == len(OTHER_ZIP)
    assert plain(client.get_function_configuration(FunctionName="thumb")) == plain(before)
    code, status, message = refusal(
        client.update_function_code, FunctionName="thumb", ZipFile=b"no zip", DryRun=True
    )
    assert (code, status) == ("InvalidParameterValueException", 400)
    assert message == (
        "Could not unzip uploaded file. Please check your file, then try to upload again."
    )


def test_an_update_can_publish_at_once(client):
    create(client)
    answer = client.update_function_code(FunctionName="thumb", ZipFile=OTHER_ZIP, Publish=True)
    assert (answer["Version"], answer["FunctionArn"]) == ("1", f"{ARN}:1")


def test_a_stale_revision_id_is_a_failed_precondition(client):
    stale = create(client)["RevisionId"]
    for call, more in (
        (client.update_function_code, {"ZipFile": OTHER_ZIP}),
        (client.update_function_configuration, {"Timeout": 4}),
        (client.publish_version, {}),
    ):
        assert refusal(call, FunctionName="thumb", RevisionId=stale, **more) == (
            "PreconditionFailedException",
            412,
            "The Revision Id provided does not match the latest Revision Id. Call the "
            "GetFunction/GetAlias API to retrieve the latest Revision Id",
        )


def test_lists_leave_out_state_and_runtime_version(client):
    create(client)
    listed = client.list_functions()["Functions"][0]
    versions = client.list_versions_by_function(FunctionName="thumb")["Versions"][0]
    whole = plain(client.get_function_configuration(FunctionName="thumb"))
    gone = {"State", "LastUpdateStatus", "RuntimeVersionConfig"}
    assert whole.keys() - listed.keys() == gone
    assert listed == {key: value for key, value in whole.items() if key not in gone}
    assert versions == listed | {"FunctionArn": f"{ARN}:$LATEST"}


def test_functions_are_listed_in_pages_of_fifty_at_most(aws, client):
    for number in range(51):
        aws.create_function(f"f{number:02}")
    page = client.list_functions(MaxItems=10_000)
    assert len(page["Functions"]) == 50
    rest = client.list_functions(Marker=page["NextMarker"])
    assert [each["FunctionName"] for each in rest["Functions"]] == ["f50"]
    assert "NextMarker" not in rest


def test_all_versions_of_all_functions_are_listed_on_request(aws, client):
    aws.create_function("a", publish=True)
    aws.create_function("b")
    aws.create_function("c", publish=True)
    paginator = client.get_paginator("list_functions")
    pages = paginator.paginate(FunctionVersion="ALL", PaginationConfig={"PageSize": 2})
    listed = [[each["FunctionArn"] for each in page["Functions"]] for page in pages]
    prefix = ARN.removesuffix("thumb")
    assert listed == [
        [f"{prefix}a:$LATEST", f"{prefix}a:1"],
        [f"{prefix}b:$LATEST", f"{prefix}c:$LATEST"],
        [f"{prefix}c:1"],
    ]
    assert client.list_functions(FunctionVersion="ALL", MasterRegion="us-east-1")["Functions"] == []
    assert refusal(client.list_functions, FunctionVersion="invalid") == (
        "ValidationException",
        400,
        "1 validation error detected: Value 'invalid' at 'functionVersion' failed to satisfy "
        "constraint: Member must satisfy enum value set: [ALL]",
    )


def test_a_deleted_function_is_not_found_and_gives_no_number_again(client):
    create(client, Publish=True)
    gone = client.delete_function(FunctionName="thumb")
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 204
    for call in (client.get_function, client.get_function_configuration, client.delete_function):
        assert refusal(call, FunctionName="thumb") == (
            "ResourceNotFoundException",
            404,
            f"Function not found: {ARN}",
        )
    create(client)
    assert client.publish_version(FunctionName="thumb")["Version"] == "2"


def test_account_settings_count_what_there_is(client):
    before = client.get_account_settings()
    assert before["AccountLimit"] == {
        "TotalCodeSize": 300 * 1024**3,
        "CodeSizeUnzipped": 262_144_000,
        "CodeSizeZipped": 52_428_800,
        "ConcurrentExecutions": 1000,
        "UnreservedConcurrentExecutions": 1000,
    }
    assert before["AccountUsage"] == {"TotalCodeSize": 0, "FunctionCount": 0}
    create(client, Publish=True)
    assert client.get_account_settings()["AccountUsage"] == {
        "TotalCodeSize": 2 * len(ZIP),
        "FunctionCount": 1,
    }
    client.update_function_configuration(FunctionName="thumb", Timeout=4)
    assert client.get_account_settings()["AccountUsage"]["TotalCodeSize"] == 2 * len(ZIP)
