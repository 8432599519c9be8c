"""`emberd deploy --preinit`: a C program that Wizer has initialised."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.e2e.system import Emberd

SOURCE = r"""
#include <stdio.h>
#include <stdlib.h>

static int prices[1000], calls;

__attribute__((export_name("wizer-initialize"))) void prepare(void) {
  for (int i = 0; i < 1000; i++) prices[i] = 3 * i;
}

int main(void) {
  calls += 1;
  printf("[%d, %d]", prices[7], calls);
  return 0;
}
"""


@pytest.fixture
def module(tmp_path: Path) -> Path:
    (tmp_path / "prices.c").write_text(SOURCE)
    path = tmp_path / "prices.wasm"
    argv = ["clang", "--target=wasm32-wasi", "-Os", "-s", "-o", path, tmp_path / "prices.c"]
    subprocess.run(argv, check=True, timeout=60)
    return path


def test_every_instance_begins_where_initialisation_ended(emberd: Emberd, module: Path) -> None:
    emberd.ok("deploy", module, "--name", "plain")
    emberd.ok("deploy", module, "--name", "ahead", "--preinit")
    assert emberd.answer("plain") == [0, 1]
    for _ in range(2):
        assert emberd.answer("ahead") == [21, 1], "and nothing is left of the event before"
    shown = json.loads(emberd.ok("functions", "ahead", "--output", "json"))
    assert "prices.wasm" in json.dumps(shown)


def test_a_module_without_an_initialisation_is_told_so(emberd: Emberd, tmp_path: Path) -> None:
    (tmp_path / "none.c").write_text("int main(void) { return 0; }")
    argv = ["clang", "--target=wasm32-wasi", "-o", tmp_path / "none.wasm", tmp_path / "none.c"]
    subprocess.run(argv, check=True, timeout=60)
    done = emberd.run("deploy", tmp_path / "none.wasm", "--preinit")
    assert done.returncode == 255
    assert b"wizer-initialize" in done.stderr
