"""Who dies last when the whole machine runs out of memory: our own daemons, after any sandbox."""

from __future__ import annotations

SPARED_SCORE = -900
"""Not -1000: a daemon that leaks must end at last, and is started again."""

_OWN = "/proc/self/oom_score_adj"


def be_spared() -> bool:
    """Have the kernel take nearly everything else first; False where we may not (CAP_SYS_RESOURCE).

    Whatever this process starts inherits it, and it ends with the process.
    """
    try:
        _set_score(SPARED_SCORE)
    except PermissionError:
        return False
    return True


def be_as_any() -> None:
    """In a child that is none of our daemons: be taken like any other program."""
    with open(_OWN) as file:
        is_spared = int(file.read()) < 0
    if is_spared:
        _set_score(0)


def _set_score(score: int) -> None:
    """What root writes here also is the least that the process can ever set itself to."""
    with open(_OWN, "wb", buffering=0) as file:
        file.write(b"%d" % score)
