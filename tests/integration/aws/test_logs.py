"""CloudWatch Logs over boto3: what functions logged, and groups that tools make."""

from __future__ import annotations

import itertools
import time

import pytest

from controlplane.model.log import LogLine
from tests.fakes.aws_system import AwsSystem
from tests.fakes.refusals import refusal

GROUP = "/aws/lambda/hello"
STREAMS = tuple(f"2026/11/25/[$LATEST]{digit * 32}" for digit in "ab")
ACCOUNT = "arn:aws:logs:us-east-1:000000000000:log-group"
NOW_MS = time.time_ns() // 1_000_000
DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def logs(aws):
    return aws.client("logs", parameter_validation=False)


def log(aws, *messages: str, group: str = GROUP, stream: str = STREAMS[0], at_ms: int = NOW_MS):
    """What a function wrote, a millisecond apart; returns the times."""
    times = [at_ms + number for number in range(len(messages))]
    lines = [
        LogLine(
            function_name=group.removeprefix("/aws/lambda/"),
            version="$LATEST",
            request_id="",
            log_group=group,
            log_stream=stream,
            time_ns=time_ms * 1_000_000,
            message=message.encode(),
        )
        for time_ms, message in zip(times, messages, strict=True)
    ]

    async def append() -> None:
        aws.logs.append(lines)

    aws.run(append())
    return times


def texts(events) -> list[str]:
    """Messages without the line end that a function's have."""
    return [event["message"].removesuffix("\n") for event in events]


def test_a_line_of_a_function_keeps_its_end_as_on_lambda(aws, logs):
    log(aws, "one", "two")
    events = logs.filter_log_events(logGroupName=GROUP)["events"]
    assert [event["message"] for event in events] == ["one\n", "two\n"]


def test_the_group_of_a_function_is_there_once_it_has_logged(aws, logs):
    assert logs.describe_log_groups()["logGroups"] == []
    first, _ = log(aws, "one", "two")
    [group] = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]
    assert group["storedBytes"] > 6
    del group["storedBytes"]
    assert group == {
        "logGroupName": GROUP,
        "creationTime": first,
        "metricFilterCount": 0,
        "arn": f"{ACCOUNT}:{GROUP}:*",
        "logGroupArn": f"{ACCOUNT}:{GROUP}",
        "logGroupClass": "STANDARD",
    }


def test_streams_are_shown_by_name_and_by_their_last_event(aws, logs):
    log(aws, "late", stream=STREAMS[0], at_ms=NOW_MS + 9)
    first, last = log(aws, "x", "y", stream=STREAMS[1])
    shown = logs.describe_log_streams(logGroupName=GROUP)["logStreams"]
    assert [each["logStreamName"] for each in shown] == list(STREAMS)
    newest = logs.describe_log_streams(
        logGroupIdentifier=f"{ACCOUNT}:{GROUP}", orderBy="LastEventTime", descending=True
    )["logStreams"]
    assert [each["logStreamName"] for each in newest] == list(STREAMS)
    assert newest[1]["firstEventTimestamp"] == first
    assert newest[1]["lastEventTimestamp"] == last
    assert newest[1]["arn"] == f"{ACCOUNT}:{GROUP}:log-stream:{STREAMS[1]}"


def test_a_filter_chooses_by_time_stream_and_pattern(aws, logs):
    times = log(aws, "INFO a", "ERROR b", "INFO c")
    log(aws, "ERROR d", stream=STREAMS[1], at_ms=times[-1] + 1)

    def found(**how):
        return texts(logs.filter_log_events(logGroupName=GROUP, **how)["events"])

    assert found() == ["INFO a", "ERROR b", "INFO c", "ERROR d"]
    assert found(filterPattern="ERROR") == ["ERROR b", "ERROR d"]
    assert found(filterPattern="ERROR", logStreamNames=[STREAMS[0]]) == ["ERROR b"]
    assert found(logStreamNamePrefix=STREAMS[1][:-1]) == ["ERROR d"]
    assert found(startTime=times[1], endTime=times[2], interleaved=True) == ["ERROR b", "INFO c"]


def test_an_event_says_when_where_and_which_it_is(aws, logs):
    [time_ms] = log(aws, "text")
    [event] = logs.filter_log_events(logGroupName=GROUP)["events"]
    assert len(event.pop("eventId")) == 56
    assert event == {
        "logStreamName": STREAMS[0],
        "timestamp": time_ms,
        "message": "text\n",
        "ingestionTime": time_ms,
    }


def test_pages_follow_each_other_without_gap_or_repetition(aws, logs):
    # All at one moment, so that time alone cannot tell where a page ended.
    for number in range(25):
        log(aws, str(number))
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=GROUP, PaginationConfig={"PageSize": 10}
    )
    found = [texts(page["events"]) for page in pages]
    assert list(itertools.chain(*found)) == [str(number) for number in range(25)]
    assert [len(each) for each in found] == [10, 10, 5]


def test_what_matches_rarely_is_found_however_many_lines_are_between(aws, logs):
    for start in range(0, 15_000, 1_000):
        log(aws, *[f"line {number}" for number in range(start, start + 1_000)], at_ms=NOW_MS)
    log(aws, "needle", at_ms=NOW_MS + 2_000)
    first = logs.filter_log_events(logGroupName=GROUP, filterPattern="needle")
    assert first["events"] == []
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=GROUP, filterPattern="needle"
    )
    assert texts([event for page in pages for event in page["events"]]) == ["needle"]


def test_whoever_polls_from_the_newest_time_on_sees_every_event_once(aws, logs):
    """As `aws logs tail --follow` does: what it has seen of the last millisecond, it drops."""
    seen: dict[str, object] = {}
    since = NOW_MS - 60_000
    for batch in ("a", "bc", "", "d"):
        # Two batches may share a millisecond.
        log(aws, *batch, at_ms=NOW_MS + len(seen))
        page = logs.filter_log_events(logGroupName=GROUP, interleaved=True, startTime=since)
        assert "nextToken" not in page
        for event in page["events"]:
            seen.setdefault(event["eventId"], event)
            since = max(since, event["timestamp"])
    assert texts(seen.values()) == ["a", "b", "c", "d"]


def test_a_stream_is_read_from_its_end_and_from_its_head(aws, logs):
    log(aws, *"abcdef")
    log(aws, "other", stream=STREAMS[1])
    where = {"logGroupName": GROUP, "logStreamName": STREAMS[0]}
    tail = logs.get_log_events(**where, limit=2)
    assert texts(tail["events"]) == ["e", "f"]
    before = logs.get_log_events(**where, limit=3, nextToken=tail["nextBackwardToken"])
    assert texts(before["events"]) == ["b", "c", "d"]
    again = logs.get_log_events(**where, limit=2, nextToken=before["nextForwardToken"])
    assert texts(again["events"]) == ["e", "f"]
    head = logs.get_log_events(**where, limit=4, startFromHead=True)
    assert texts(head["events"]) == ["a", "b", "c", "d"]


def test_at_the_end_of_a_stream_the_token_stays_until_something_comes(aws, logs):
    log(aws, "a")
    where = {"logGroupName": GROUP, "logStreamName": STREAMS[0], "startFromHead": True}
    first = logs.get_log_events(**where)
    end = logs.get_log_events(**where, nextToken=first["nextForwardToken"])
    assert end["events"] == []
    assert end["nextForwardToken"] == first["nextForwardToken"]
    log(aws, "b", at_ms=NOW_MS + 5)
    more = logs.get_log_events(**where, nextToken=end["nextForwardToken"])
    assert texts(more["events"]) == ["b"]


def test_a_group_that_a_tool_makes_keeps_retention_and_tags(aws, logs):
    logs.create_log_group(logGroupName="/mine", tags={"team": "a"})
    logs.put_retention_policy(logGroupName="/mine", retentionInDays=7)
    [group] = logs.describe_log_groups(logGroupNamePattern="MINE")["logGroups"]
    assert group["retentionInDays"] == 7
    arn = f"{ACCOUNT}:/mine"
    logs.tag_resource(resourceArn=arn, tags={"stage": "test"})
    logs.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"stage": "test"}
    assert logs.list_tags_log_group(logGroupName="/mine")["tags"] == {"stage": "test"}
    logs.delete_retention_policy(logGroupName="/mine")
    [group] = logs.describe_log_groups(logGroupNamePrefix="/mine")["logGroups"]
    assert "retentionInDays" not in group
    logs.delete_log_group(logGroupName="/mine")
    assert logs.describe_log_groups()["logGroups"] == []


def test_a_group_survives_a_restart(tmp_path):
    with AwsSystem(tmp_path) as first:
        logs = first.client("logs")
        logs.create_log_group(logGroupName="/mine", tags={"team": "a"})
        logs.create_log_stream(logGroupName="/mine", logStreamName="s")
    with AwsSystem(tmp_path) as second:
        logs = second.client("logs")
        assert logs.list_tags_log_group(logGroupName="/mine")["tags"] == {"team": "a"}
        [stream] = logs.describe_log_streams(logGroupName="/mine")["logStreams"]
        assert stream["logStreamName"] == "s"


def test_groups_come_in_pages(logs):
    for number in range(7):
        logs.create_log_group(logGroupName=f"/g{number}")
    pages = logs.get_paginator("describe_log_groups").paginate(PaginationConfig={"PageSize": 3})
    names = [[each["logGroupName"] for each in page["logGroups"]] for page in pages]
    assert names == [["/g0", "/g1", "/g2"], ["/g3", "/g4", "/g5"], ["/g6"]]


@pytest.mark.parametrize("order", ["LogStreamName", "LastEventTime"])
@pytest.mark.parametrize("descending", [False, True])
def test_streams_come_in_pages(logs, order: str, descending: bool):
    logs.create_log_group(logGroupName="/g")
    for number in range(5):
        logs.create_log_stream(logGroupName="/g", logStreamName=f"s{number}")
    pages = logs.get_paginator("describe_log_streams").paginate(
        logGroupName="/g",
        orderBy=order,
        descending=descending,
        PaginationConfig={"PageSize": 2},
    )
    names = [each["logStreamName"] for page in pages for each in page["logStreams"]]
    assert names == sorted((f"s{number}" for number in range(5)), reverse=descending)


def test_events_that_are_put_are_read_again(logs):
    logs.create_log_group(logGroupName="/mine")
    logs.create_log_stream(logGroupName="/mine", logStreamName="s")
    events = [{"timestamp": NOW_MS + n, "message": f"event {n}"} for n in range(3)]
    put = logs.put_log_events(logGroupName="/mine", logStreamName="s", logEvents=events)
    assert "rejectedLogEventsInfo" not in put
    read = logs.get_log_events(logGroupName="/mine", logStreamName="s", startFromHead=True)
    assert [(each["timestamp"], each["message"]) for each in read["events"]] == [
        (each["timestamp"], each["message"]) for each in events
    ]


def test_events_too_old_or_too_new_are_named_and_the_others_taken(logs):
    logs.create_log_group(logGroupName="/mine")
    logs.create_log_stream(logGroupName="/mine", logStreamName="s")
    where = {"logGroupName": "/mine", "logStreamName": "s"}
    old = [{"timestamp": NOW_MS - 15 * DAY_MS, "message": "old"}]
    assert logs.put_log_events(**where, logEvents=old)["rejectedLogEventsInfo"] == {
        "tooOldLogEventEndIndex": 1
    }
    events = [
        {"timestamp": NOW_MS, "message": "now"},
        {"timestamp": NOW_MS + 3 * 3600 * 1000, "message": "too new"},
    ]
    assert logs.put_log_events(**where, logEvents=events)["rejectedLogEventsInfo"] == {
        "tooNewLogEventStartIndex": 1
    }
    assert texts(logs.get_log_events(**where)["events"]) == ["now"]


def test_events_older_than_the_retention_are_not_shown(aws, logs):
    log(aws, "old", at_ms=NOW_MS - 2 * DAY_MS)
    log(aws, "new")
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=1)
    assert texts(logs.filter_log_events(logGroupName=GROUP)["events"]) == ["new"]


def test_deleting_a_stream_or_a_group_deletes_what_is_in_it(aws, logs):
    log(aws, "a", stream=STREAMS[0])
    log(aws, "b", stream=STREAMS[1])
    logs.delete_log_stream(logGroupName=GROUP, logStreamName=STREAMS[0])
    assert texts(logs.filter_log_events(logGroupName=GROUP)["events"]) == ["b"]
    logs.delete_log_group(logGroupName=GROUP)
    assert logs.describe_log_groups()["logGroups"] == []


def test_bytes_that_are_no_text_are_shown_as_text(aws, logs):
    async def append() -> None:
        aws.logs.append(
            [
                LogLine(
                    function_name="hello",
                    version="1",
                    request_id="",
                    log_group=GROUP,
                    log_stream=STREAMS[0],
                    time_ns=NOW_MS * 1_000_000,
                    message=b"\xff\x00ok",
                )
            ]
        )

    aws.run(append())
    assert texts(logs.filter_log_events(logGroupName=GROUP)["events"]) == ["\ufffd\x00ok"]


NO_GROUP = ("ResourceNotFoundException", "The specified log group does not exist.")
NO_STREAM = ("ResourceNotFoundException", "The specified log stream does not exist.")


@pytest.mark.parametrize(
    ("operation", "request_", "expected"),
    [
        ("filter_log_events", {"logGroupName": "/none"}, NO_GROUP),
        ("describe_log_streams", {"logGroupName": "/none"}, NO_GROUP),
        ("delete_log_group", {"logGroupName": "/none"}, NO_GROUP),
        ("put_retention_policy", {"logGroupName": "/none", "retentionInDays": 1}, NO_GROUP),
        ("create_log_stream", {"logGroupName": "/none", "logStreamName": "s"}, NO_GROUP),
        ("get_log_events", {"logGroupName": "/made", "logStreamName": "none"}, NO_STREAM),
        ("delete_log_stream", {"logGroupName": "/made", "logStreamName": "none"}, NO_STREAM),
        (
            "create_log_group",
            {"logGroupName": "/made"},
            ("ResourceAlreadyExistsException", "The specified log group already exists"),
        ),
        (
            "create_log_stream",
            {"logGroupName": "/made", "logStreamName": "made"},
            ("ResourceAlreadyExistsException", "The specified log stream already exists"),
        ),
        (
            "put_log_events",
            {
                "logGroupName": "/made",
                "logStreamName": "made",
                "logEvents": [
                    {"timestamp": 2, "message": "b"},
                    {"timestamp": 1, "message": "a"},
                ],
            },
            (
                "InvalidParameterException",
                "Log events in a single PutLogEvents request must be in chronological order.",
            ),
        ),
        (
            "filter_log_events",
            {"logGroupName": "/made", "nextToken": "forged"},
            ("InvalidParameterException", "The specified nextToken is invalid."),
        ),
        (
            "filter_log_events",
            {"logGroupName": "/made", "nextToken": "WzEsMTAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwXQ=="},
            ("InvalidParameterException", "The specified nextToken is invalid."),
        ),
        (
            "filter_log_events",
            {},
            (
                "InvalidParameterException",
                "Exactly one of logGroupName and logGroupIdentifier must be given.",
            ),
        ),
    ],
)
def test_what_cannot_be_is_refused_in_awss_words(logs, operation, request_, expected):
    logs.create_log_group(logGroupName="/made")
    logs.create_log_stream(logGroupName="/made", logStreamName="made")
    code, status, message = refusal(getattr(logs, operation), **request_)
    assert (code, message) == expected
    assert status == 400


def test_a_pattern_that_is_none_is_refused(aws, logs):
    log(aws, "x")
    code, _, message = refusal(logs.filter_log_events, logGroupName=GROUP, filterPattern='"open')
    assert code == "InvalidParameterException"
    assert message.startswith("Invalid filter pattern")


def test_a_retention_that_cloudwatch_does_not_know_is_refused(logs):
    logs.create_log_group(logGroupName="/made")
    code, _, message = refusal(logs.put_retention_policy, logGroupName="/made", retentionInDays=2)
    assert code == "InvalidParameterException"
    assert "Member must satisfy enum value set: [1, 3, 5, 7, 14" in message
