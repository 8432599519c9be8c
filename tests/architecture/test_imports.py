"""Who may import whom, and what only one place may touch."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.checkout import PROTOS, ROOT, imports_of, modules, shipped_modules, tree_of

OURS = ("controlplane", "sandbox", "runtimes", "emberd")

SUPERVISION_POINTS = {
    "protos/emberd/wire/interceptors.py",  # every RPC
    "controlplane/api/aws/application.py",  # every HTTP request
    "controlplane/cli/exits.py",  # the command line
    "controlplane/telemetry.py",  # spans made off the answer's path
    "controlplane/otlp/ticker.py",  # every collection
    "controlplane/otlp/outbox.py",  # every batch that is sent
    "sandbox/agent.py",  # every attempt
    "sandbox/pool.py",  # every sandbox
    "sandbox/process/agent_process.py",  # a forked child on its way to exec
    "sandbox/process/child.py",  # the same
    "sandbox/process/midwife.py",  # the same
    "sandbox/process/parked.py",  # the same
    "sandbox/process/templates.py",  # the same
    "sandbox/process/images.py",  # a forked build
    "runtimes/python/emberd_runtime/loop.py",  # the user's function
    "runtimes/python/emberd_runtime/copying.py",  # a fork on its way behind its walls
    "runtimes/python/emberd_runtime/snapshot.py",  # the user's hooks
    "runtimes/python/emberd_runtime/stream.py",  # the rest of it, when it is a generator
    "runtimes/python/emberd_runtime/marshal.py",  # the user's objects
}
"""Where any failure at all may be caught and not raised again."""

SPEAK_PROTOBUF = {
    "controlplane/api/grpc",
    "controlplane/cli",
    "controlplane/fleet",
    "sandbox/agent.py",
    "sandbox/carrier.py",  # the part of the session that carries a function's connection
    "sandbox/frames.py",
    "sandbox/relay.py",  # the part of the session that carries streamed answers
    "sandbox/session.py",
}
"""Generated messages stay here; everything else speaks our dataclasses."""

READ_ENVIRONMENT = {
    "controlplane/app.py",
    "controlplane/cli",
    "controlplane/start.py",  # what gRPC reads as it is imported
    "controlplane/otlp/sink.py",  # the standard OTEL_* variables
    "controlplane/telemetry.py",
    "sandbox/cli.py",
    "sandbox/process/doctor.py",  # PATH, to find runtimes
    "sandbox/process/launcher.py",
    "runtimes/python",  # inside a sandbox the environment is the interface
    "runtimes/wasm",
    "sandbox/process/template.py",  # which becomes what is inside
}


def within(path: Path, places: set[str]) -> bool:
    """Whether a module is one of these files or in one of these folders."""
    return any(path.is_relative_to(place) for place in places)


def loaded_by(*entries: str) -> set[str]:
    """The top-level modules in a fresh interpreter that has imported some of ours."""
    done = subprocess.run(
        [sys.executable, "-c", f"import {', '.join(entries)}, sys; print(*sys.modules)"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(PROTOS)))},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in done.stdout.split()}


def foreign(loaded: set[str]) -> set[str]:
    """Those that are neither ours nor the standard library's."""
    ours = {name for name in loaded if name in OURS}
    known = sys.stdlib_module_names | {"__main__", "__mp_main__", "sitecustomize"}
    # site may load hooks of an editable install, which no module of ours asked for.
    bare = subprocess.run(
        [sys.executable, "-c", "import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return loaded - ours - known - {name.partition(".")[0] for name in bare.stdout.split()}


def test_the_contracts_between_the_rooms_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-cache"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(PROTOS)))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


KEEPS_ROOT = {
    "the launcher": (("sandbox.cli", "sandbox.process.launcher"), set()),
    # click reads the command line and has nothing to do afterwards.
    "the supervisor": (("controlplane.cli.serve", "controlplane.supervisor"), {"click"}),
}


@pytest.mark.parametrize(("entries", "allowed"), KEEPS_ROOT.values(), ids=KEEPS_ROOT.keys())
def test_a_program_that_keeps_root_loads_little_more_than_the_standard_library(
    entries: tuple[str, ...], allowed: set[str]
) -> None:
    loaded = loaded_by(*entries)
    assert loaded >= {"controlplane"} or loaded >= {"sandbox"}
    assert foreign(loaded) <= allowed
    assert not loaded & {"asyncio", "concurrent", "multiprocessing", "socketserver"}


def test_the_control_plane_listens_before_it_reads_what_only_http_needs() -> None:
    loaded = loaded_by("controlplane.app")
    assert loaded >= {"controlplane", "grpc"}
    assert not loaded & {"aiohttp", "yarl", "multidict"}
    assert "aiohttp" in loaded_by("controlplane.fronts")


def test_what_goes_inside_a_sandbox_imports_the_standard_library_only() -> None:
    inside = modules("runtimes/python")
    beside = {path.stem for path in inside} | {path.parent.name for path in inside}
    allowed = sys.stdlib_module_names | beside
    strangers = {
        f"{path}: {name}"
        for path in inside
        for name in imports_of(path)
        if name.partition(".")[0] not in allowed
    }
    assert inside
    assert not strangers


def test_only_one_module_of_the_sandbox_calls_the_kernel_by_ctypes() -> None:
    users = {str(path) for path in modules("sandbox") if "ctypes" in imports_of(path)}
    assert users == {"sandbox/process/syscalls.py"}


def test_the_opentelemetry_sdk_is_in_one_package_per_plane() -> None:
    users = {
        path.parent
        for path in shipped_modules()
        if any(name.startswith("opentelemetry.") for name in imports_of(path))
        and any(".sdk" in name or ".exporter" in name for name in imports_of(path))
    }
    assert {path.parts[0] for path in users} <= {"controlplane", "sandbox"}
    assert len({path.parts[0] for path in users}) == len(users)


def test_generated_messages_stay_on_the_wire() -> None:
    strays = {
        str(path)
        for path in shipped_modules()
        if not within(path, SPEAK_PROTOBUF)
        and any("_pb2" in name and name.startswith("emberd.") for name in imports_of(path))
        and path != Path("controlplane/api/grpc")
    }
    assert not strays


def test_only_programs_and_their_settings_read_the_environment() -> None:
    readers = set()
    for path in shipped_modules():
        for node in ast.walk(tree_of(path)):
            if (
                isinstance(node, ast.Attribute)
                and node.attr in ("environ", "environb", "getenv")
                and isinstance(node.value, ast.Name)
                and node.value.id == "os"
                and not within(path, READ_ENVIRONMENT)
            ):
                readers.add(f"{path}:{node.lineno}")
    assert not readers


def test_whatever_fails_is_caught_at_the_points_of_supervision_only() -> None:
    swallowed = [
        f"{path}:{node.lineno}"
        for path in shipped_modules()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ExceptHandler)
        and _is_broad(node)
        and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
        and str(path) not in SUPERVISION_POINTS
    ]
    assert not swallowed


def _is_broad(handler: ast.ExceptHandler) -> bool:
    caught = handler.type
    kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException"))
        for kind in kinds
    )


def test_unit_tests_need_no_privilege() -> None:
    needing = [
        str(path)
        for path in modules("tests/unit")
        for node in ast.walk(tree_of(path))
        if (isinstance(node, ast.Attribute) and node.attr in ("geteuid", "getuid"))
        or (isinstance(node, ast.Attribute) and node.attr in ("host", "e2e") and _is_mark(node))
    ]
    assert not needing


def _is_mark(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Attribute) and node.value.attr == "mark"
