"""Which emberd a command talks to, and what it says when there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from controlplane.cli.client import Service, find_service, trace_of
from controlplane.cli.exits import NotConfiguredError
from controlplane.config import DataFolder, Endpoint


@pytest.fixture
def data(tmp_path: Path) -> Path:
    DataFolder(tmp_path).write_endpoint(Endpoint(grpc="127.0.0.1:1", http="h", region="r"))
    (tmp_path / "token").write_text("of-folder\n")
    return tmp_path


ENVIRONMENT = {"EMBERD_ENDPOINT": "127.0.0.1:2", "EMBERD_TOKEN": "of-environment"}


def test_a_data_folder_named_by_flag_comes_before_the_environment(data: Path) -> None:
    assert find_service(None, data, ENVIRONMENT) == Service(
        address="127.0.0.1:1", token="of-folder"
    )


def test_the_environment_is_used_when_no_flag_says_otherwise() -> None:
    assert find_service(None, None, ENVIRONMENT) == Service(
        address="127.0.0.1:2", token="of-environment"
    )


def test_an_endpoint_named_by_flag_takes_its_token_from_the_environment() -> None:
    assert find_service("127.0.0.1:3", None, ENVIRONMENT).address == "127.0.0.1:3"


def test_a_data_folder_may_be_named_by_the_environment(data: Path) -> None:
    assert find_service(None, None, {"EMBERD_DATA": str(data)}).token == "of-folder"


def test_an_address_without_a_token_is_not_configured() -> None:
    with pytest.raises(NotConfiguredError, match="EMBERD_TOKEN"):
        find_service("127.0.0.1:3", None, {})


def test_a_folder_that_nothing_runs_on_says_how_to_start(tmp_path: Path) -> None:
    with pytest.raises(NotConfiguredError, match="emberd serve --data"):
        find_service(None, tmp_path, {})


def test_a_damaged_endpoint_file_says_so(data: Path) -> None:
    (data / "endpoint.json").write_text('{"grpc": ')
    with pytest.raises(NotConfiguredError, match="damaged"):
        find_service(None, data, {})


TRACEPARENT = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"


def test_a_command_is_part_of_the_trace_that_its_shell_names() -> None:
    named = {"TRACEPARENT": TRACEPARENT, "TRACESTATE": "a=1"}
    assert trace_of(named) == (("traceparent", TRACEPARENT), ("tracestate", "a=1"))
    assert trace_of({"TRACEPARENT": TRACEPARENT}) == (("traceparent", TRACEPARENT),)
    assert trace_of(named | {"TRACESTATE": "a\n"}) == (("traceparent", TRACEPARENT),)


def test_a_variable_that_names_no_trace_is_passed_over() -> None:
    assert trace_of({}) == trace_of({"TRACEPARENT": "x\r\ny", "TRACESTATE": "a=1"}) == ()
