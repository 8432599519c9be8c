"""Every bad input gets a clear error, and the next good one works."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.system import EMBERD, Emberd

HANDLER = "def handler(event, context): return event"


@pytest.fixture(scope="module")
def faults(emberd: Emberd, functions: Path) -> str:
    emberd.deploy(functions / "faults", "faults", timeout=10)
    return "faults"


@pytest.fixture
def works_after(emberd: Emberd, faults: str) -> Iterator[None]:
    yield
    assert emberd.answer(faults, {"how": "nothing"}) == "well"


def refused(emberd: Emberd, *arguments: str | Path) -> str:
    """Run a command that the service must refuse; return what was told."""
    done = emberd.run(*arguments)
    assert done.returncode == 254, f"{done.returncode}: {done.stderr.decode()}"
    assert done.stdout == b""
    return done.stderr.decode()


def zip_with(path: Path, name: str, content: bytes = b"x", mode: int = 0o644) -> Path:
    """A package with a good handler and one odd entry."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("app.py", HANDLER)
        entry = zipfile.ZipInfo(name)
        entry.external_attr = mode << 16
        entry.create_system = 3
        archive.writestr(entry, content)
    return path


class TestPackages:
    OPTIONS = ("--handler", "app.handler")

    @pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut off"])
    def test_what_is_no_zip_gets_lambdas_words(
        self, emberd: Emberd, folder: Path, content: bytes
    ) -> None:
        (folder / "bad.zip").write_bytes(content)
        told = refused(emberd, "deploy", folder / "bad.zip", *self.OPTIONS)
        assert "Could not unzip uploaded file" in told

    @pytest.mark.parametrize("name", ["../outside.py", "/etc/outside.py", "a/../../outside.py"])
    def test_a_name_that_leaves_the_package_is_refused(
        self, emberd: Emberd, folder: Path, name: str
    ) -> None:
        told = refused(emberd, "deploy", zip_with(folder / "bad.zip", name), *self.OPTIONS)
        assert "outside.py" in told

    def test_a_link_that_leaves_the_package_is_refused(self, emberd: Emberd, folder: Path) -> None:
        archive = zip_with(folder / "bad.zip", "link", b"/etc/shadow", stat.S_IFLNK | 0o777)
        assert "link" in refused(emberd, "deploy", archive, *self.OPTIONS)

    def test_the_same_name_twice_is_refused(self, emberd: Emberd, folder: Path) -> None:
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive = zip_with(folder / "bad.zip", "app.py")
        assert "app.py" in refused(emberd, "deploy", archive, *self.OPTIONS)

    def test_a_bomb_is_refused(self, emberd: Emberd, folder: Path) -> None:
        with zipfile.ZipFile(folder / "bad.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("app.py", HANDLER)
            with archive.open("zeros", "w", force_zip64=True) as zeros:
                for _ in range(260):
                    zeros.write(bytes(1 << 20))
        told = refused(emberd, "deploy", folder / "bad.zip", *self.OPTIONS)
        assert "262144000 bytes" in told

    def test_nothing_of_a_refused_package_becomes_a_function(
        self, emberd: Emberd, folder: Path
    ) -> None:
        (folder / "bad.zip").write_bytes(b"not a zip")
        emberd.run("deploy", folder / "bad.zip", "--name", "never", *self.OPTIONS)
        assert "Function not found" in refused(emberd, "functions", "never")

    @pytest.mark.parametrize(
        ("files", "told"),
        [
            ({}, "no handler found"),
            ({"readme.txt": "hello"}, "no handler found"),
            ({"app.py": "def handler(:"}, "no handler found"),
        ],
    )
    def test_a_folder_without_a_handler_is_a_bad_parameter(
        self, emberd: Emberd, folder: Path, files: dict[str, str], told: str
    ) -> None:
        for name, text in files.items():
            (folder / name).write_text(text)
        done = emberd.run("deploy", folder, "--name", "nothing")
        assert (done.returncode, done.stdout) == (252, b"")
        assert told in done.stderr.decode()

    def test_an_empty_folder_is_a_bad_parameter(self, emberd: Emberd, folder: Path) -> None:
        done = emberd.run("deploy", folder, "--name", "nothing", *self.OPTIONS)
        assert done.returncode == 252
        assert "nothing in the folder" in done.stderr.decode()

    def test_requirements_that_do_not_exist_are_told_with_pips_words(
        self, emberd: Emberd, folder: Path
    ) -> None:
        (folder / "app.py").write_text(HANDLER)
        (folder / "requirements.txt").write_text("--no-index\nno-such-package-of-emberd==1\n")
        done = emberd.run("deploy", folder, "--name", "nothing")
        assert done.returncode == 255
        assert "no-such-package-of-emberd" in done.stderr.decode()


class TestConfiguration:
    def test_an_unknown_runtime_is_named_with_those_there_are(
        self, emberd: Emberd, functions: Path
    ) -> None:
        told = refused(
            *(emberd, "deploy", functions / "echo", "--name", "cobol"),
            *("--runtime", "cobol85", "--handler", "app.handler"),
        )
        assert "cobol85" in told
        assert "python3." in told

    @pytest.mark.parametrize(
        ("option", "value", "told"),
        [
            ("--memory", "64", "128"),
            ("--memory", "20000", "10240"),
            ("--timeout", "0", "1"),
            ("--timeout", "901", "900"),
            ("--ephemeral-storage", "100", "512"),
            ("--role", "nobody", "role"),
            ("--env", "AWS_REGION=x", "AWS_REGION"),
            ("--env", "LARGE=" + "x" * 5000, "4KB limit"),
        ],
    )
    def test_a_limit_of_lambda_is_kept_and_told(
        self, emberd: Emberd, functions: Path, option: str, value: str, told: str
    ) -> None:
        said = refused(emberd, "deploy", functions / "echo", "--name", "limits", option, value)
        assert told in said

    def test_a_name_that_lambda_would_not_take_is_refused(
        self, emberd: Emberd, functions: Path
    ) -> None:
        assert refused(emberd, "deploy", functions / "echo", "--name", "no spaces")

    @pytest.mark.parametrize("name", ["nobody", "faults:7", "faults:nobody"])
    def test_what_does_not_exist_is_not_found(self, emberd: Emberd, faults: str, name: str) -> None:
        assert "Function not found" in refused(emberd, "invoke", name)


class TestPayloads:
    @pytest.mark.parametrize(
        "garbage", [b"\x87\x00\xff\xfe", b"{", b"nonsense", b'{"a": 1} x', b"\x1b[2J", b'"\xff"']
    )
    @pytest.mark.usefixtures("works_after")
    def test_garbage_is_refused_before_anything_runs(
        self, emberd: Emberd, faults: str, garbage: bytes
    ) -> None:
        done = emberd.run("invoke", faults, "--payload", "-", payload=garbage)
        assert (done.returncode, done.stdout) == (254, b"")
        assert "Could not parse" in done.stderr.decode()
        assert b"\x1b" not in done.stderr

    def test_a_client_context_that_is_no_json_is_refused(self, emberd: Emberd, faults: str) -> None:
        assert refused(emberd, "invoke", faults, "--client-context", "nonsense")


@pytest.mark.usefixtures("works_after")
class TestFunctions:
    def test_an_exception_is_reported_with_its_stack(self, emberd: Emberd, faults: str) -> None:
        failed = emberd.failure(faults, {"how": "raise"})
        assert failed["errorType"] == "OutOfStock"
        assert failed["errorMessage"] == "no more umbrellas"
        assert "app.py" in json.dumps(failed["stackTrace"])

    @pytest.mark.parametrize("how", ["hang", "spin"])
    def test_a_handler_that_never_returns_is_timed_out(
        self, emberd: Emberd, functions: Path, how: str
    ) -> None:
        emberd.deploy(functions / "faults", "endless", timeout=1)
        begun = time.monotonic()
        failed = emberd.failure("endless", {"how": how})
        assert time.monotonic() - begun < 10
        assert failed["errorType"] == "Sandbox.Timedout"
        assert str(failed["errorMessage"]).endswith("Task timed out after 1.00 seconds")

    def test_a_function_that_eats_memory_is_ended(self, emberd: Emberd, faults: str) -> None:
        failed = emberd.failure(faults, {"how": "eat memory"})
        assert failed["errorType"] in ("Runtime.ExitError", "Runtime.OutOfMemory")
        assert "signal: killed" in str(failed["errorMessage"])

    @pytest.mark.parametrize(
        ("status", "told"),
        [(0, "Runtime exited without providing a reason"), (3, "exit status 3")],
    )
    def test_a_function_that_exits_has_failed(
        self, emberd: Emberd, faults: str, status: int, told: str
    ) -> None:
        failed = emberd.failure(faults, {"how": "exit", "status": status})
        assert failed["errorType"] == "Runtime.ExitError"
        assert told in str(failed["errorMessage"])

    def test_a_function_that_kills_itself_has_failed(self, emberd: Emberd, faults: str) -> None:
        failed = emberd.failure(faults, {"how": "kill"})
        assert failed["errorType"] == "Runtime.ExitError"

    def test_an_answer_too_large_is_an_error(self, emberd: Emberd, faults: str) -> None:
        failed = emberd.failure(faults, {"how": "too much"})
        assert failed["errorType"] == "Function.ResponseSizeTooLarge"
        assert "6291556 bytes" in str(failed["errorMessage"])

    def test_an_answer_that_is_no_json_is_an_error(self, emberd: Emberd, faults: str) -> None:
        assert emberd.failure(faults, {"how": "no json"})["errorType"] == "Runtime.MarshalError"

    def test_an_import_that_fails_names_the_module(self, emberd: Emberd, functions: Path) -> None:
        emberd.deploy(functions / "broken_import", "broken")
        failed = emberd.failure("broken")
        assert failed["errorType"] == "Runtime.ImportModuleError"
        assert "a_module_that_nobody_has" in str(failed["errorMessage"])

    @pytest.mark.parametrize(
        ("handler", "error", "told"),
        [
            ("app.nobody", "Runtime.HandlerNotFound", "Handler 'nobody' missing on module 'app'"),
            ("nowhere.handler", "Runtime.ImportModuleError", "No module named 'nowhere'"),
        ],
    )
    def test_a_missing_handler_is_named(
        self, emberd: Emberd, functions: Path, handler: str, error: str, told: str
    ) -> None:
        emberd.deploy(functions / "no_handler", "missing", handler=handler)
        failed = emberd.failure("missing")
        assert failed["errorType"] == error
        assert told in str(failed["errorMessage"])


def test_env_of_a_folder_that_nothing_runs_on_is_not_configured(folder: Path) -> None:
    done = subprocess.run([EMBERD, "env", "--data", folder], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (253, b"")
    assert "emberd serve --data" in done.stderr.decode()


def test_an_address_in_use_is_refused_with_the_remedy(emberd: Emberd, folder: Path) -> None:
    done = subprocess.run(
        [
            *(EMBERD, "serve", "--data", folder / "data"),
            *("--grpc", emberd.address, "--http", "127.0.0.1:0"),
        ],
        capture_output=True,
        check=False,
        timeout=30,
        env={**os.environ},
    )
    assert done.returncode == 255
    assert emberd.address in done.stderr.decode()
    assert "--grpc" in done.stderr.decode()
