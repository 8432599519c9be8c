"""The alarm by which the watch over guests sleeps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from runtimes.wasm.emberd_wasm.alarm import Alarm

LONG_S = 30.0


def in_a_thread(check: Callable[[Alarm], float]) -> float:
    """What it gives back, with an alarm of a thread that ends."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: check(Alarm(0.01))).result()


def waited_s(alarm: Alarm, most_s: float) -> float:
    begun_s = time.monotonic()
    alarm.wait(most_s)
    return time.monotonic() - begun_s


def test_it_sleeps_through_idleness_for_as_long_as_it_may() -> None:
    assert in_a_thread(lambda alarm: waited_s(alarm, 0.1)) >= 0.09


def test_work_of_another_thread_wakes_it_time_after_time() -> None:
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            sum(range(1_000))

    def check(alarm: Alarm) -> float:
        try:
            return max(waited_s(alarm, LONG_S) for _ in range(3))
        finally:
            done.set()

    worker = threading.Thread(target=work)
    worker.start()
    assert in_a_thread(check) < LONG_S / 2
    worker.join()
