"""boto3: functions and their versions, from creation to deletion, as recorded from Lambda."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import urllib.error
import urllib.request
import zipfile
from typing import Any

import pytest

from tests.compat.contract import UUID
from tests.compat.functions import ECHO, PYTHON, ROLE, Workshop, package
from tests.compat.watching import refusal

LAST_MODIFIED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000")
PINNED = re.compile(r"arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}")

CHANGED = "def handler(event, context):\n    return 'changed'\n"


def plain(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what botocore adds to it."""
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def digest(archive: bytes) -> str:
    """A package's CodeSha256."""
    return base64.b64encode(hashlib.sha256(archive).digest()).decode()


def arn_of(name: str) -> str:
    """A function's ARN in the account and region of a new emberd."""
    return f"arn:aws:lambda:us-east-1:000000000000:function:{name}"


@pytest.mark.shows("Functions", "CreateFunction answers Pending with the recorded members")
def test_a_new_function_is_pending_and_has_every_default(workshop: Workshop, name: str) -> None:
    created = plain(workshop.create(name))
    assert LAST_MODIFIED.fullmatch(created.pop("LastModified"))
    assert UUID.fullmatch(created.pop("RevisionId"))
    assert PINNED.fullmatch(created.pop("RuntimeVersionConfig")["RuntimeVersionArn"])
    created.pop("ConfigSha256", None)  # of which no value is recorded
    assert created == {
        "FunctionName": name,
        "FunctionArn": arn_of(name),
        "Runtime": PYTHON,
        "Role": ROLE,
        "Handler": "app.handler",
        "CodeSize": len(package()),
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "CodeSha256": digest(package()),
        "Version": "$LATEST",
        "TracingConfig": {"Mode": "PassThrough"},
        "State": "Pending",
        "StateReason": "The function is being created.",
        "StateReasonCode": "Creating",
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
    }


@pytest.mark.shows("Functions", "every setting of a function is kept and answered")
def test_what_a_function_is_given_is_what_it_has(workshop: Workshop, name: str) -> None:
    given = {
        "Description": "all that it takes",
        "Timeout": 900,
        "MemorySize": 1024,
        "Environment": {"Variables": {"STAGE": "test", "EMPTY": ""}},
        "TracingConfig": {"Mode": "Active"},
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 1024},
        "DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:000000000000:dead"},
    }
    logging = {"LogFormat": "JSON"}
    workshop.create(name, **given, LoggingConfig=logging, Tags={"team": "compat"})
    settled = workshop.settle(name)
    assert {key: settled[key] for key in given} == given
    assert settled["LoggingConfig"] == {
        "LogFormat": "JSON",
        "ApplicationLogLevel": "INFO",
        "SystemLogLevel": "INFO",
        "LogGroup": f"/aws/lambda/{name}",
    }
    assert workshop.client.get_function(FunctionName=name)["Tags"] == {"team": "compat"}


@pytest.mark.shows("Functions", "State and LastUpdateStatus, a new RevisionId at each transition")
def test_each_transition_has_a_revision_id_of_its_own(workshop: Workshop, name: str) -> None:
    client = workshop.client
    seen = [workshop.create(name)["RevisionId"], workshop.settle(name)["RevisionId"]]
    updating = client.update_function_configuration(FunctionName=name, Description="new")
    assert (updating["State"], updating["LastUpdateStatus"]) == ("Active", "InProgress")
    assert updating["LastUpdateStatusReason"] == "The function is being created."
    assert updating["LastUpdateStatusReasonCode"] == "Creating"
    seen += [updating["RevisionId"], workshop.settle(name)["RevisionId"]]
    assert len(set(seen)) == 4


@pytest.mark.shows("Functions", "GetFunction: a working download address, concurrency, tags")
def test_the_code_can_be_downloaded_from_where_get_function_says(
    workshop: Workshop, name: str
) -> None:
    workshop.active(name)
    got = workshop.client.get_function(FunctionName=name)
    assert got["Code"]["RepositoryType"] == "S3"
    with urllib.request.urlopen(got["Code"]["Location"], timeout=30) as answer:
        content = answer.read()
    assert content == package()
    assert zipfile.ZipFile(io.BytesIO(content)).read("app.py").decode() == ECHO
    assert "Concurrency" not in got
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(got["Code"]["Location"][:-1] + "!", timeout=30)
    with refused.value:
        assert refused.value.code == 403


@pytest.mark.shows("Functions", "names, partial ARNs, ARNs and qualifiers name the same function")
def test_every_form_of_a_name_leads_to_the_function(workshop: Workshop, name: str) -> None:
    workshop.active(name)
    get = workshop.client.get_function_configuration
    for form in (name, f"000000000000:function:{name}", arn_of(name)):
        assert get(FunctionName=form)["FunctionArn"] == arn_of(name)
    latest = f"{arn_of(name)}:$LATEST"
    assert get(FunctionName=f"{name}:$LATEST")["FunctionArn"] == latest
    assert get(FunctionName=name, Qualifier="$LATEST")["FunctionArn"] == latest
    assert get(FunctionName=latest, Qualifier="$LATEST")["FunctionArn"] == latest


@pytest.mark.shows("Functions", "ListFunctions: pages, ALL versions, no state")
def test_functions_are_listed_in_pages(workshop: Workshop, name: str) -> None:
    names = [f"{name[:50]}-{number}" for number in range(3)]
    for each in names:
        workshop.active(each)
    workshop.client.publish_version(FunctionName=names[0])
    pages = workshop.client.get_paginator("list_functions")
    listed = [
        each
        for page in pages.paginate(PaginationConfig={"PageSize": 2})
        for each in page["Functions"]
    ]
    assert set(names) <= {each["FunctionName"] for each in listed}
    assert not {"State", "StateReason", "LastUpdateStatus", "RuntimeVersionConfig"} & {
        key for each in listed for key in each
    }
    every = [
        (each["FunctionName"], each["Version"])
        for page in pages.paginate(FunctionVersion="ALL")
        for each in page["Functions"]
    ]
    assert {(names[0], "$LATEST"), (names[0], "1"), (names[1], "$LATEST")} <= set(every)


@pytest.mark.shows("Functions", "UpdateFunctionCode: new code, DryRun, Publish")
def test_new_code_is_taken_and_a_dry_run_changes_nothing(workshop: Workshop, name: str) -> None:
    client = workshop.client
    before = workshop.active(name)["CodeSha256"]
    changed = package(CHANGED)
    dry = client.update_function_code(FunctionName=name, ZipFile=changed, DryRun=True)
    assert dry["CodeSha256"] == digest(changed)
    assert workshop.settle(name)["CodeSha256"] == before
    updated = client.update_function_code(FunctionName=name, ZipFile=changed, Publish=True)
    assert updated["CodeSha256"] == digest(changed)
    assert updated["Version"] == "1"
    assert workshop.settle(name)["CodeSha256"] == digest(changed)
    answer = client.invoke(FunctionName=name, Payload=b"1")
    assert answer["Payload"].read() == b'"changed"'


@pytest.mark.shows("Functions", "UpdateFunctionConfiguration replaces whole parts")
def test_an_update_replaces_the_environment_as_a_whole(workshop: Workshop, name: str) -> None:
    client = workshop.client
    workshop.active(name, Environment={"Variables": {"ONE": "1", "TWO": "2"}}, Description="kept")
    client.update_function_configuration(
        FunctionName=name, Environment={"Variables": {"THREE": "3"}}, MemorySize=256, Timeout=5
    )
    settled = workshop.settle(name)
    assert settled["Environment"] == {"Variables": {"THREE": "3"}}
    assert (settled["MemorySize"], settled["Timeout"]) == (256, 5)
    assert settled["Description"] == "kept"


@pytest.mark.shows("Functions", "RevisionId guards updates")
def test_an_update_of_a_revision_that_is_gone_is_refused(workshop: Workshop, name: str) -> None:
    workshop.active(name)
    stale = refusal(
        workshop.client.update_function_configuration,
        FunctionName=name,
        Description="x",
        RevisionId="00000000-0000-4000-8000-000000000000",
    )
    assert stale == (
        "PreconditionFailedException",
        412,
        "The Revision Id provided does not match the latest Revision Id. "
        "Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
    )


@pytest.mark.shows("Functions", "DeleteFunction answers 204, of one version too")
def test_a_deleted_function_is_gone_at_once(workshop: Workshop, name: str) -> None:
    client = workshop.client
    workshop.active(name)
    client.publish_version(FunctionName=name)
    deleted = client.delete_function(FunctionName=name, Qualifier="1")
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    versions = client.list_versions_by_function(FunctionName=name)["Versions"]
    assert [each["Version"] for each in versions] == ["$LATEST"]
    assert client.delete_function(FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refusal(client.get_function, FunctionName=name) == (
        "ResourceNotFoundException",
        404,
        f"Function not found: {arn_of(name)}",
    )


@pytest.mark.shows("Versions", "PublishVersion numbers versions, and repeats one without changes")
def test_a_version_is_published_once_for_each_change(workshop: Workshop, name: str) -> None:
    client = workshop.client
    workshop.active(name)
    first = client.publish_version(FunctionName=name, Description="one")
    assert first["Version"] == "1"
    assert first["FunctionArn"] == f"{arn_of(name)}:1"
    assert first["Description"] == "one"
    client.get_waiter("published_version_active").wait(FunctionName=name, Qualifier="1")
    again = client.publish_version(FunctionName=name)
    assert (again["Version"], again["State"]) == ("1", "Active")
    assert again["LastUpdateStatus"] == "Successful"
    client.update_function_configuration(FunctionName=name, Timeout=7)
    workshop.settle(name)
    assert client.publish_version(FunctionName=name)["Version"] == "2"
    versions = client.list_versions_by_function(FunctionName=name)["Versions"]
    assert [each["Version"] for each in versions] == ["$LATEST", "1", "2"]
    assert versions[1]["Timeout"] == 3
    assert versions[1]["FunctionArn"] == f"{arn_of(name)}:1"


@pytest.mark.shows("Versions", "Publish with CreateFunction")
def test_a_function_can_be_published_as_it_is_created(workshop: Workshop, name: str) -> None:
    created = workshop.create(name, Publish=True)
    assert (created["Version"], created["State"]) == ("1", "Pending")
    assert created["FunctionArn"] == arn_of(name)
    workshop.settle(name)
    version = workshop.client.get_function(FunctionName=name, Qualifier="1")["Configuration"]
    assert version["FunctionArn"] == f"{arn_of(name)}:1"


@pytest.mark.shows("Functions", "the waiters of boto3 end")
def test_the_waiters_see_what_they_wait_for(workshop: Workshop, name: str) -> None:
    client = workshop.client
    workshop.create(name)
    waiters = ("function_exists", "function_active", "function_active_v2")
    for each in waiters:
        client.get_waiter(each).wait(FunctionName=name)
    client.update_function_code(FunctionName=name, ZipFile=package(CHANGED))
    for each in ("function_updated", "function_updated_v2"):
        client.get_waiter(each).wait(FunctionName=name)
    assert workshop.settle(name)["CodeSha256"] == digest(package(CHANGED))


@pytest.mark.shows("Account", "GetAccountSettings: limits, and what is used of them")
def test_account_settings_count_what_is_there(workshop: Workshop, name: str) -> None:
    settings = workshop.client.get_account_settings
    before = settings()["AccountUsage"]
    workshop.active(name)
    after = settings()
    assert after["AccountUsage"]["FunctionCount"] == before["FunctionCount"] + 1
    assert after["AccountUsage"]["TotalCodeSize"] == before["TotalCodeSize"] + len(package())
    assert after["AccountLimit"]["ConcurrentExecutions"] == 1000
    assert after["AccountLimit"]["CodeSizeUnzipped"] == 262144000
    assert after["AccountLimit"]["CodeSizeZipped"] == 52428800
