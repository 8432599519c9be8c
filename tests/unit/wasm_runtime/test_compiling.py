"""Modules compiled ahead: what the host gets, and who takes it."""

from __future__ import annotations

import io
import time
import zipfile
from functools import partial
from pathlib import Path

import pytest
import wasmtime

from runtimes.wasm.emberd_wasm import Event, compiling, guests, limits
from runtimes.wasm.emberd_wasm.streams import Streams
from tests.fakes import guests as made


def compiled_ahead(root: Path, ahead: Path, engine: wasmtime.Engine) -> list[str]:
    """What the host does with the answer of its compiling sandbox."""
    whole = b"".join(compiling.pieces(str(root), partial(guests.compile_ahead, engine)))
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        archive.extractall(ahead)
        return archive.namelist()


def answer(root: Path, ahead: Path, body: bytes) -> bytes:
    guest = guests.load(limits.engine(), str(root), "main.wasm", ahead=str(ahead))
    event = Event(body=body, deadline_ms=int((time.time() + 20) * 1000))
    return guest.run(event, limits.Limits(64 * limits.MIB), [], Streams())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "task"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("content", [made.ECHO, made.COMPONENT_ECHO])
def test_a_guest_runs_what_was_compiled_ahead(root: Path, tmp_path: Path, content: bytes) -> None:
    (root / "main.wasm").write_bytes(content)
    ahead = tmp_path / "ahead"
    names = compiled_ahead(root, ahead, limits.engine())
    assert names == ["compiled", f"{root}/main.wasm.compiled"[1:]]
    # Only the header is still read of the module, so what runs is what lies ahead.
    (root / "main.wasm").write_bytes(content[:8])
    assert answer(root, ahead, b"an event") == b"an event"


def test_what_another_engine_compiled_is_compiled_anew(root: Path, tmp_path: Path) -> None:
    (root / "main.wasm").write_bytes(made.ECHO)
    compiled_ahead(root, tmp_path / "ahead", wasmtime.Engine())
    assert answer(root, tmp_path / "ahead", b"an event") == b"an event"


def test_damaged_code_is_compiled_anew(root: Path, tmp_path: Path) -> None:
    (root / "main.wasm").write_bytes(made.ECHO)
    place = tmp_path / "ahead" / f"{root}/main.wasm.compiled"[1:]
    place.parent.mkdir(parents=True)
    place.write_bytes(b"no machine code")
    assert answer(root, tmp_path / "ahead", b"an event") == b"an event"


def test_what_cannot_be_compiled_is_left_to_the_function(root: Path, tmp_path: Path) -> None:
    (root / "broken.wasm").write_bytes(made.ECHO[:200])
    (root / "other.wasm").write_text("no module")
    (root / "deep").mkdir()
    (root / "deep" / "good.wasm").write_bytes(made.ECHO)
    names = compiled_ahead(root, tmp_path / "ahead", limits.engine())
    assert names == ["compiled", f"{root}/deep/good.wasm.compiled"[1:]]


def test_machine_code_in_a_package_is_no_module(root: Path, tmp_path: Path) -> None:
    code = guests.compile_ahead(limits.engine(), made.ECHO)
    (root / "main.wasm").write_bytes(bytes(code))
    with pytest.raises(guests.GuestError, match="neither"):
        answer(root, tmp_path / "ahead", b"")
