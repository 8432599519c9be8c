"""The command line as a whole: exit codes, help, and options that every command has."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import click
import pytest

from controlplane.cli import SECTIONS, group
from controlplane.cli.alias import command as alias
from controlplane.cli.env import exports, provider_block, shell_text
from controlplane.cli.exits import (
    BAD_PARAMETER,
    FUNCTION_FAILED,
    INTERRUPTED,
    NOT_CONFIGURED,
    OTHER,
    SERVICE_ERROR,
    FailedError,
    code_of,
)
from controlplane.cli.invoke import read_payload
from controlplane.cli.keys import command as keys
from controlplane.config import DataFolder, Endpoint, RootKey
from controlplane.secret_files import new_root_key
from emberd.wire import PAYLOAD_BYTES_MAX
from emberd.wire.errors import InvalidArgumentError, NotFoundError

COMMANDS = [name for section in SECTIONS.values() for name in section]
LISTING = ["functions", "hosts", "publish", "deploy", "trace"]


def failing(error: BaseException) -> click.Command:
    @click.command()
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (click.exceptions.Exit(FUNCTION_FAILED), 1),
        (KeyboardInterrupt(), INTERRUPTED),
        (click.UsageError("wrong"), BAD_PARAMETER),
        (click.ClickException("wrong"), BAD_PARAMETER),
        (NotFoundError("Function not found", reason="RESOURCE_NOT_FOUND"), SERVICE_ERROR),
        (FailedError("no emberd answers"), OTHER),
        (RuntimeError("a surprise"), OTHER),
    ],
)
def test_every_error_has_its_exit_code(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of(failing(error), []) == code
    assert capsys.readouterr().out == ""


def test_an_error_of_the_service_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    error = NotFoundError("Function not found: \x1b[2Jx", reason="RESOURCE_NOT_FOUND")
    code_of(failing(error), [])
    assert capsys.readouterr().err == (
        "emberd: Function not found: \\x1b[2Jx (RESOURCE_NOT_FOUND)\n"
    )


@pytest.mark.parametrize("arguments", [["no-such"], ["invoke"], ["serve", "--memory-mb", "x"]])
def test_bad_parameters_exit_with_252(arguments: list[str]) -> None:
    assert code_of(group, arguments) == BAD_PARAMETER


@pytest.mark.parametrize("address", ["4600", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", ":1"])
def test_a_malformed_address_is_a_bad_parameter(address: str, tmp_path: Path) -> None:
    assert code_of(group, ["serve", "--data", str(tmp_path), "--grpc", address]) == BAD_PARAMETER


def test_a_region_that_no_arn_can_name_is_a_bad_parameter(tmp_path: Path) -> None:
    assert (
        code_of(group, ["serve", "--data", str(tmp_path), "--region", "my place"]) == BAD_PARAMETER
    )


def test_nothing_configured_exits_with_253(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of(group, ["functions", "--data", str(tmp_path)]) == NOT_CONFIGURED
    assert "emberd serve" in capsys.readouterr().err


def test_an_address_nobody_listens_on_exits_with_255(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint = Endpoint(grpc=f"unix:{tmp_path}/nobody.sock", http="h", region="r")
    DataFolder(tmp_path).write_endpoint(endpoint)
    (tmp_path / "token").write_text("t")
    assert code_of(group, ["functions", "--data", str(tmp_path)]) == OTHER
    assert "no emberd answers" in capsys.readouterr().err


@pytest.mark.parametrize("http", ["0.0.0.0:4600", "192.168.1.1:4600", "[::]:4600", "host:4600"])
def test_no_auth_is_refused_off_loopback(http: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(group, ["serve", "--no-auth", "--http", http]) == BAD_PARAMETER
    assert "--no-auth is for loopback only" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_help_exists_and_has_an_example_or_options(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code_of(group, [name, "--help"]) == 0
    assert name in capsys.readouterr().out


@pytest.mark.parametrize("name", LISTING)
def test_commands_that_print_an_answer_take_output_and_query(name: str) -> None:
    command = importlib.import_module(f"controlplane.cli.{name}").command
    assert {"--output", "--query"} <= set(_options(command))


@pytest.mark.parametrize("name", ["create", "update", "get", "list"])
def test_alias_commands_take_output_and_query(name: str) -> None:
    assert {"--output", "--query"} <= set(_options(alias.commands[name]))


@pytest.mark.parametrize("name", ["create", "list"])
def test_keys_commands_that_print_take_output_and_query(name: str) -> None:
    assert {"--output", "--query"} <= set(_options(keys.commands[name]))


def _options(command: click.Command) -> list[str]:
    return [option for parameter in command.params for option in parameter.opts]


def test_help_imports_neither_grpc_nor_rich() -> None:
    probe = (
        "import sys; from controlplane.cli import group; from controlplane.cli.exits import code_of"
        "; assert code_of(group, ['--help']) == 0;"
        "assert not {'grpc', 'rich', 'google.protobuf', 'asyncio'} & set(sys.modules), sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_the_supervisor_loads_nothing_but_the_standard_library_and_ours() -> None:
    probe = (
        "import sys; import controlplane.supervisor;"
        "foreign = {name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names);"
        "assert foreign <= {'controlplane', 'emberd', '__main__', '_virtualenv'}, foreign"
    )
    done = subprocess.run([sys.executable, "-S", "-c", _with_path(probe)], check=False)
    assert done.returncode == 0


def _with_path(probe: str) -> str:
    root = Path(__file__).parents[3]
    return f"import sys; sys.path[:0] = [{str(root)!r}, {str(root / 'protos')!r}]; {probe}"


def test_a_payload_is_text_a_file_or_stdin_byte_for_byte(tmp_path: Path) -> None:
    file = tmp_path / "event"
    file.write_bytes(b"\x00\xff no json")
    assert read_payload(f"@{file}") == b"\x00\xff no json"
    assert read_payload('{"a": "ä"}') == '{"a": "ä"}'.encode()
    assert read_payload("") == b""


def test_a_payload_above_6_mb_gets_lambdas_words(tmp_path: Path) -> None:
    file = tmp_path / "event"
    file.write_bytes(b"x" * PAYLOAD_BYTES_MAX)
    assert len(read_payload(f"@{file}")) == PAYLOAD_BYTES_MAX
    file.write_bytes(b"x" * (PAYLOAD_BYTES_MAX + 1))
    with pytest.raises(InvalidArgumentError, match="must be smaller than 6291456 bytes"):
        read_payload(f"@{file}")


ENDPOINT = Endpoint(grpc="127.0.0.1:1", http="127.0.0.1:2", region="eu-west-1")
ROOT_KEY = RootKey(access_key_id="AKIA-id", secret_access_key="a secret")


def test_exports_hold_what_our_clients_and_aws_tools_read() -> None:
    assert exports(ENDPOINT, "token", ROOT_KEY) == {
        "EMBERD_ENDPOINT": "127.0.0.1:1",
        "EMBERD_TOKEN": "token",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:2",
        "AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:2",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKIA-id",
        "AWS_SECRET_ACCESS_KEY": "a secret",
        "AWS_SESSION_TOKEN": "",
    }


def test_a_shell_takes_the_exports_whatever_is_in_them() -> None:
    text = shell_text({"A": "it's", "B": "$(no)"})
    done = subprocess.run(
        ["sh", "-c", 'eval "$1"; printf %s "$A|$B"', "sh", text],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "it's|$(no)"


def test_the_provider_block_names_every_service_and_holds_no_key() -> None:
    block = provider_block(ENDPOINT)
    assert 'region                  = "eu-west-1"' in block
    for service in ("iam", "lambda", "logs", "sts"):
        assert f'    {service:<6} = "http://127.0.0.1:2"' in block
    assert "_key " not in block


def test_a_root_key_shows_no_secret() -> None:
    assert "a secret" not in repr(ROOT_KEY)


def test_new_root_keys_have_awss_form_and_differ() -> None:
    one, other = new_root_key(), new_root_key()
    assert (len(one.access_key_id), len(one.secret_access_key)) == (20, 40)
    assert one.access_key_id.startswith("AKIA")
    assert one != other
