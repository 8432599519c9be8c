"""What a copy's status must say before anybody is told of it."""

from __future__ import annotations

import pytest

from sandbox.process.verification import flaw_of, parse_status

FIRST_ID = 0x7000_0000
STATUS = f"""Name:\tpython3.13
State:\tS (sleeping)
Uid:\t{FIRST_ID + 993}\t{FIRST_ID + 993}\t{FIRST_ID + 993}\t{FIRST_ID + 993}
Gid:\t{FIRST_ID + 990}\t{FIRST_ID + 990}\t{FIRST_ID + 990}\t{FIRST_ID + 990}
Groups:\t
NSpid:\t4711\t12\t2
Threads:\t1
CapInh:\t0000000000000000
CapPrm:\t0000000000000000
CapEff:\t0000000000000000
CapBnd:\t0000000000000000
CapAmb:\t0000000000000000
NoNewPrivs:\t1
Seccomp:\t2
Seccomp_filters:\t2
"""


def test_a_copy_that_is_locked_in_is_believed() -> None:
    assert flaw_of(parse_status(STATUS), FIRST_ID, filters=2) == ""


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (f"{FIRST_ID + 993}\nGid", f"{FIRST_ID}\nGid", "Uid is"),
        (f"Gid:\t{FIRST_ID + 990}", f"Gid:\t{FIRST_ID}", "Gid is"),
        ("Groups:\t", f"Groups:\t{FIRST_ID}", "Groups is"),
        ("CapInh:\t0", "CapInh:\t1", "CapInh is"),
        ("CapPrm:\t0", "CapPrm:\t1", "CapPrm is"),
        ("CapEff:\t0", "CapEff:\t1", "CapEff is"),
        ("CapBnd:\t0", "CapBnd:\t1", "CapBnd is"),
        ("CapAmb:\t0", "CapAmb:\t1", "CapAmb is"),
        ("CapAmb:\t0000000000000000\n", "", "CapAmb is None"),
        ("NoNewPrivs:\t1", "NoNewPrivs:\t0", "NoNewPrivs is"),
        ("Threads:\t1", "Threads:\t2", "Threads is"),
        ("Seccomp_filters:\t2", "Seccomp_filters:\t1", "1 system call filters lie on it, not 2"),
        ("Seccomp:\t2", "Seccomp:\t0", "2 system call filters lie on it, not 2"),
    ],
)
def test_any_other_is_not(before: str, after: str, why: str) -> None:
    assert before in STATUS
    assert why in flaw_of(parse_status(STATUS.replace(before, after)), FIRST_ID, filters=2)


def test_without_the_wall_no_filter_is_demanded() -> None:
    status = STATUS.replace("Seccomp:\t2", "Seccomp:\t0").replace("filters:\t2", "filters:\t0")
    assert flaw_of(parse_status(status), FIRST_ID, filters=0) == ""
