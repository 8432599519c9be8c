"""An alarm by the processor's clock: a thread that sleeps until this process has worked.

Guests that sleep use no processor, so nobody need look at them. The kernel counts, and wakes one
thread with a signal that no other gets (timer_create(2), SIGEV_THREAD_ID).
"""

from __future__ import annotations

import ctypes
import os
import signal
import threading

_CLOCK_PROCESS_CPUTIME_ID = 2
_SIGEV_THREAD_ID = 4
"""Of time.h and signal.h."""
_SIGNAL = signal.SIGPROF


class _Event(ctypes.Structure):
    """struct sigevent."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("thread", ctypes.c_int),
        ("rest", ctypes.c_char * 44),
    )


class _Time(ctypes.Structure):
    """struct itimerspec."""

    _fields_ = (
        ("again_s", ctypes.c_long),
        ("again_ns", ctypes.c_long),
        ("first_s", ctypes.c_long),
        ("first_ns", ctypes.c_long),
    )


class Alarm:
    """Of the thread that makes it, which alone may use it, and has it until its end."""

    def __init__(self, cpu_s: float) -> None:
        """cpu_s is how much of the processor all threads together may use in a wait, below 1."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {_SIGNAL})
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._timer = ctypes.c_void_p()
        self._limit = ctypes.byref(_Time(first_ns=int(cpu_s * 1e9)))
        event = _Event(signal=_SIGNAL, notify=_SIGEV_THREAD_ID, thread=threading.get_native_id())
        self._check(
            self._libc.timer_create(
                _CLOCK_PROCESS_CPUTIME_ID, ctypes.byref(event), ctypes.byref(self._timer)
            )
        )

    def wait(self, most_s: float) -> None:
        """Return once the processor was used so much from now on, or after so many seconds."""
        self._check(self._libc.timer_settime(self._timer, 0, self._limit, None))
        signal.sigtimedwait({_SIGNAL}, most_s)

    def _check(self, result: int) -> None:
        if result != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
