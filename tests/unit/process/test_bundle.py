"""What lies at /var/runtime of each language."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runtimes.catalog import RUNTIMES
from sandbox.process import bundle


def test_a_runtime_that_shares_anothers_programs_has_them_behind_its_own(tmp_path: Path) -> None:
    target = tmp_path / "runtime"
    bundle.build("wasm", bundle.sources_of("wasm"), target)
    own = (bundle.sources_of("wasm") / "bootstrap.py").read_text()
    assert (target / "bootstrap.py").read_text() == own
    assert (target / "emberd_runtime" / "api.py").exists()
    assert list(target.glob("wasmtime/*/_libwasmtime.so"))


def test_a_bundles_name_changes_with_what_it_shares(tmp_path: Path) -> None:
    names = {bundle.bundle_name(each, bundle.sources_of(each)) for each in ("wasm", "python")}
    (tmp_path / "more.py").write_text("")
    names.add(bundle.bundle_name("wasm", tmp_path))
    assert len(names) == 3


def test_a_runtime_is_not_offered_without_what_it_needs() -> None:
    wasm = RUNTIMES["wasm"]
    assert bundle.is_complete(wasm)
    assert not bundle.is_complete(replace(wasm, bundle=("no-such-distribution",)))
    assert bundle.is_complete(replace(wasm, bundle=("no-such-distribution",), needs_bundle=False))
