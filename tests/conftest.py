"""Rules that hold for every test: it ends, its tasks end with it, and CI does not skip it.

* A test that hangs fails, and its tasks say where they wait.
* A task that a test leaves running fails that test.
* An interrupt interrupts what a test starts, however pytest itself was started.
* No example of a property has a deadline of its own: a busy machine is no counterexample.
* Where CI=true a skipped test is a failure: a missing tool or privilege is then a broken set-up.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from types import FrameType

import pytest
from hypothesis import settings

settings.register_profile("emberd", deadline=None)
settings.load_profile("emberd")

LIMIT_S = 180.0 * float(os.environ.get("EMBERD_TEST_PATIENCE", "1"))
"""How long the set-up, the body and the tear-down of a test may each take."""

GRACE_S = 2.0
"""How long tasks that are ending anyway (a stopped server's, a closed channel's) may still take."""


def pytest_configure() -> None:
    """Undo what a shell does to programs in its background: they inherit that SIGINT is ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _tasks_end(request: pytest.FixtureRequest) -> None:
    # Autouse fixtures are made first, so the check below is undone last: after every fixture of the
    # test has stopped what it started.
    if inspect.iscoroutinefunction(request.function):
        request.getfixturevalue("tasks_end_with_the_test")


@pytest.fixture
async def tasks_end_with_the_test() -> AsyncIterator[None]:
    """Fail an asynchronous test that leaves a task behind, naming the task."""
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    if left:
        _, left = await asyncio.wait(left, timeout=GRACE_S)
    if left:
        names = ", ".join(sorted(str(task.get_coro()) for task in left))
        pytest.fail(f"{len(left)} tasks outlived the test: {names}", pytrace=False)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure in CI; expected failures stay what they are."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file that skips itself."""
    report = yield
    if report.skipped:
        _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, None, None]:
    """Limit the making of fixtures."""
    with _limited("set-up"):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, None, None]:
    """Limit the test itself."""
    with _limited("test"):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None, None, None]:
    """Limit the undoing of fixtures."""
    with _limited("tear-down"):
        yield


@contextmanager
def _limited(what: str) -> Iterator[None]:
    def expire(_number: int, _frame: FrameType | None) -> None:
        pytest.fail(f"the {what} hung for {LIMIT_S:g} s{_waiting()}")

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _waiting() -> str:
    """Where the tasks of the loop that runs now are waiting; nothing when none runs."""
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:
        return ""
    lines = []
    for task in tasks:
        frames = task.get_stack()
        at = f"{frames[-1].f_code.co_filename}:{frames[-1].f_lineno}" if frames else "its end"
        lines.append(f"\n  {task.get_coro()} at {at}")
    return "".join(sorted(lines))
