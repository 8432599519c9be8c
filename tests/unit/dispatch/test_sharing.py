"""Provisioned concurrency is shared out evenly, completely, and only where it can run."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from controlplane.dispatch.sharing import Candidate, share_out
from controlplane.model.revision import Wanted
from tests.integration.fleet.playing import REVISION

OTHER = replace(REVISION, revision_id="rev-2", runtime_id="python3.13")


def wanted(count, revision=REVISION, qualifier="live"):
    return Wanted(function_name="hello", qualifier=qualifier, revision=revision, count=count)


def candidate(host_id, *runtimes, architecture="x86_64", networks=("db",)):
    return Candidate(
        host_id=host_id,
        architecture=architecture,
        runtimes=runtimes or ("python3.11",),
        networks=networks,
    )


def test_every_host_has_its_part():
    hosts = [candidate("b"), candidate("a"), candidate("c")]
    assert share_out([wanted(5)], hosts) == {
        "a": {"rev-1": 2},
        "b": {"rev-1": 2},
        "c": {"rev-1": 1},
    }


def test_a_host_without_the_runtime_or_the_architecture_has_none():
    hosts = [
        candidate("a", "python3.13"),
        candidate("b", architecture="arm64"),
        candidate("c", "python3.11", "python3.13"),
    ]
    assert share_out([wanted(3), wanted(2, OTHER)], hosts) == {
        "a": {"rev-2": 1},
        "b": {},
        "c": {"rev-1": 3, "rev-2": 1},
    }


def test_a_host_without_the_network_has_none():
    anywhere = replace(REVISION, revision_id="rev-2", network="none")
    hosts = [candidate("a", networks=()), candidate("b")]
    assert share_out([wanted(2), wanted(2, anywhere)], hosts) == {
        "a": {"rev-2": 1},
        "b": {"rev-1": 2, "rev-2": 1},
    }


def test_what_two_qualifiers_want_of_one_revision_adds_up():
    shares = share_out([wanted(1), wanted(2, qualifier="1")], [candidate("a")])
    assert shares == {"a": {"rev-1": 3}}


def test_without_a_host_nothing_is_shared_out():
    assert share_out([wanted(3)], []) == {}


@given(count=st.integers(1, 10_000), hosts=st.integers(1, 50))
def test_nothing_is_lost_and_no_host_has_more_than_one_above_another(count, hosts):
    shares = share_out([wanted(count)], [candidate(f"h{number}") for number in range(hosts)])
    counts = [share.get("rev-1", 0) for share in shares.values()]
    assert sum(counts) == count
    assert max(counts) - min(counts) <= 1
