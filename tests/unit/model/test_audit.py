"""What the audit log says of a call, and which calls are in it."""

from __future__ import annotations

import json

from controlplane.model.audit import AUDIT, TEXT_MAX, AuditEvent, audit_line, is_kept
from controlplane.model.log_levels import Level, level_of

DENIED = AuditEvent(
    time_ns=1_800_000_000_123_000_000,
    request_id="8e2a6a4e-8f5b-4d5c-9a55-6a7f5d6a1f00",
    service="lambda",
    operation="DeleteFunction",
    principal_kind="user",
    principal_arn="arn:aws:iam::000000000000:user/ci",
    access_key_id="AKID",
    source="127.0.0.1",
    resource="hello\n" + "x" * 10_000,
    error="ACCESS_DENIED",
)


def test_a_call_is_one_line_of_json_with_cloudtrails_names() -> None:
    line = audit_line(DENIED)
    assert (line.function_name, line.log_group, line.request_id) == (AUDIT, "", DENIED.request_id)
    assert b"\n" not in line.message
    said = json.loads(line.message)
    assert said["resource"].startswith("hello\n")
    assert len(said.pop("resource")) == TEXT_MAX
    assert said == {
        "eventTime": "2027-01-15T08:00:00.123Z",
        "level": "WARN",
        "eventSource": "lambda",
        "eventName": "DeleteFunction",
        "readOnly": False,
        "userIdentity": {
            "type": "user",
            "arn": "arn:aws:iam::000000000000:user/ci",
            "accessKeyId": "AKID",
        },
        "sourceIPAddress": "127.0.0.1",
        "requestID": DENIED.request_id,
        "errorCode": "ACCESS_DENIED",
    }
    assert level_of(line.message) is Level.WARN


def test_what_is_asked_all_the_time_is_in_it_only_when_refused() -> None:
    assert is_kept("CreateFunction", "")
    assert is_kept("ListFunctions", "")
    assert not is_kept("Invoke", "")
    assert is_kept("Invoke", "ACCESS_DENIED")
