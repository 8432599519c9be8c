"""Which packages are worth compiling, and what tells their bytecode apart."""

from __future__ import annotations

from pathlib import Path

from sandbox.bytecode import source_bytes


def test_only_sources_count_and_links_do_not(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.py").write_bytes(b"x" * 10)
    (tmp_path / "deep" / "b.py").write_bytes(b"x" * 5)
    (tmp_path / "data.bin").write_bytes(b"x" * 1_000)
    (tmp_path / "again.py").symlink_to(tmp_path / "a.py")
    (tmp_path / "main.wasm").write_bytes(b"x" * 7)
    assert source_bytes(tmp_path, ".py") == 15
    assert source_bytes(tmp_path, ".wasm") == 7
