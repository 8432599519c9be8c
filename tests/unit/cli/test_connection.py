"""Which emberd a command talks to, and what it says when there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from controlplane.cli.client import Service, find_service
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
