"""What only our Python runtime promises: lean starts, a clean import path, no threads."""

from __future__ import annotations

import re
from pathlib import Path

from sandbox.runtimeapi import (
    OversizedResponse,
)
from tests.integration.python_runtime.process import (
    OURS,
    PYTHONS,
    RUNTIME,
    Start,
)


@OURS
async def test_neither_json_nor_logging_is_loaded_for_a_function_that_uses_neither(
    start: Start, kind: str
):
    code = (
        "import sys\n"
        "def handler(event, context):\n"
        "    return sorted({'json', 'logging', 're', 'socket', 'traceback'} & set(sys.modules))"
    )
    function = await start(kind, "lean.handler", {"lean.py": code})
    assert await function.invoke() == []


@OURS
async def test_logging_imported_inside_the_handler_is_set_up_all_the_same(start: Start, kind: str):
    code = "def handler(event, context):\n    import logging\n    logging.warning('late')\n"
    function = await start(kind, "late.handler", {"late.py": code})
    await function.invoke()
    await function.settled()
    assert re.fullmatch(r"\[WARNING\]\t\S+Z\treq-1\tlate\n", function.output())


@OURS
async def test_the_trace_of_a_logged_exception_ends_its_line(start: Start, kind: str):
    code = (
        "import logging\n"
        "def handler(event, context):\n"
        "    try:\n        1 / 0\n"
        "    except ZeroDivisionError:\n        logging.exception('caught')\n"
        "    print('next')\n"
    )
    function = await start(kind, "caught.handler", {"caught.py": code})
    await function.invoke()
    await function.settled()
    assert function.output().endswith("\nZeroDivisionError: division by zero\nnext\n")


@OURS
async def test_a_packages_own_modules_win_over_ours_and_over_the_librarys(start: Start, kind: str):
    files = {
        "own.py": "import api, bootstrap, logging\n"
        "def handler(event, context): return [api.x, bootstrap.x, logging.x]",
        "api.py": "x = 1",
        "bootstrap.py": "x = 2",
        "logging.py": "x = 3",
    }
    function = await start(kind, "own.handler", files)
    assert await function.invoke() == [1, 2, 3]


@OURS
async def test_the_import_path_starts_with_the_package_and_honours_pythonpath(
    start: Start, kind: str, tmp_path: Path
):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "extra.py").write_text("x = 'found'")
    code = "import sys, extra\ndef handler(event, context): return [extra.x, sys.path]"
    function = await start(
        kind, "paths.handler", {"paths.py": code}, {"PYTHONPATH": f"{mine}:{RUNTIME}"}
    )
    found, path = await function.invoke()
    assert found == "found"
    version = kind if kind in PYTHONS else ""
    assert path[:5] == [
        str(tmp_path / "task"),
        f"/opt/python/lib/{version}/site-packages",
        "/opt/python",
        str(mine),
        str(RUNTIME),
    ]
    assert len(set(path)) == len(path)


@OURS
async def test_a_w3c_trace_context_reaches_the_function(start: Start, kind: str):
    code = (
        "import os\n"
        "def handler(event, context): return [context.w3c(), os.environ.get('TRACEPARENT')]"
    )
    function = await start(kind, "trace.handler", {"trace.py": code})
    assert await function.invoke(traceparent="00-a-b-01") == [
        {"traceparent": "00-a-b-01"},
        "00-a-b-01",
    ]
    await function.settled()
    assert await function.invoke() == [{}, None]


@OURS
async def test_an_answer_over_the_limit_leaves_the_function_warm(start: Start, kind: str):
    function = await start(kind, "sized.handler")
    assert isinstance(await function.send(b'{"characters": 7000000}'), OversizedResponse)
    await function.settled()
    assert await function.invoke({"characters": 3}) == "xxx"


@OURS
async def test_a_function_that_breaks_its_streams_still_answers(start: Start, kind: str):
    code = "import sys\ndef handler(event, context):\n    sys.stdout = None\n    return 1\n"
    function = await start(kind, "mute.handler", {"mute.py": code})
    assert await function.invoke() == 1
    await function.settled()
    assert await function.invoke() == 1


@OURS
async def test_the_process_ends_when_the_runtime_api_goes(start: Start, kind: str):
    function = await start(kind, "echo.handler")
    await function.initialised()
    await function.api.close()
    assert await function.exit_status() == 1


@OURS
async def test_starting_has_no_threads_so_that_it_may_be_forked(start: Start, kind: str):
    code = "import os\ndef handler(event, context): return len(os.listdir('/proc/self/task'))"
    function = await start(kind, "threads.handler", {"threads.py": code})
    assert await function.invoke() == 1
