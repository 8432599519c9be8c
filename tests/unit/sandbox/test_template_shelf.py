"""Which revisions have a template: made when asked for, within a budget, the oldest go first."""

from __future__ import annotations

import pytest

from sandbox.template_shelf import (
    AGE_MAX_S,
    LOSSES_MAX,
    LOST_TOO_OFTEN,
    OFF,
    PAUSE_S,
    Stage,
    TemplateShelf,
)

MIB = 1024 * 1024


@pytest.fixture
def shelf():
    return TemplateShelf(memory_bytes=100 * MIB)


def put(shelf, revision_id, template, *, mib=10, now_s=0.0):
    assert shelf.begin(revision_id, now_s)
    return shelf.put(revision_id, template, mib * MIB, now_s)


def test_a_template_is_made_once_and_then_taken(shelf):
    assert shelf.take("r", 0.0) is None
    assert shelf.stage("r") is Stage.ABSENT
    assert shelf.begin("r", 0.0)
    assert shelf.stage("r") is Stage.MAKING
    assert not shelf.begin("r", 1.0), "one is being made already"
    assert shelf.put("r", "one", MIB, 2.0) == []
    assert shelf.stage("r") is Stage.READY
    assert shelf.take("r", 3.0) == "one"
    assert not shelf.begin("r", 3.0)


def test_a_template_of_one_revision_is_no_template_of_another(shelf):
    put(shelf, "r", "one")
    assert shelf.take("other", 0.0) is None


def test_an_old_template_serves_until_its_successor_is_ready(shelf):
    put(shelf, "r", "old")
    assert not shelf.begin("r", AGE_MAX_S - 1)
    assert shelf.begin("r", AGE_MAX_S)
    assert shelf.take("r", AGE_MAX_S) == "old"
    assert shelf.put("r", "new", MIB, AGE_MAX_S) == ["old"]
    assert shelf.take("r", AGE_MAX_S) == "new"


def test_what_was_used_longest_ago_goes_when_all_do_not_fit(shelf):
    put(shelf, "a", "A", mib=40)
    put(shelf, "b", "B", mib=40)
    shelf.take("a", 1.0)
    assert put(shelf, "c", "C", mib=40, now_s=2.0) == ["B"]
    assert shelf.stage("b") is Stage.ABSENT
    assert shelf.held_bytes == 80 * MIB
    assert not shelf.begin("b", 3.0), "starts alone would only drive the others out again"
    assert shelf.begin("b", 3.0, urgent=True)
    shelf.give_up("b", 3.0)
    assert shelf.begin("b", 3.0 + PAUSE_S)


def test_as_many_go_as_a_large_one_needs(shelf):
    put(shelf, "a", "A", mib=40)
    put(shelf, "b", "B", mib=40, now_s=1.0)
    assert put(shelf, "c", "C", mib=90, now_s=2.0) == ["A", "B"]


def test_one_larger_than_the_budget_is_refused_with_the_numbers(shelf):
    put(shelf, "a", "A")
    assert put(shelf, "big", "BIG", mib=101) == ["BIG"]
    assert shelf.refusal("big") == (
        "it holds 101 MB, and the templates of this host together may hold 100 MB"
    )
    assert shelf.take("a", 1.0) == "A"


def test_a_refused_revision_is_not_made_again_before_it_is_gone(shelf):
    shelf.begin("r", 0.0)
    assert shelf.refuse("r", "a thread runs") == []
    assert (shelf.stage("r"), shelf.refusal("r")) == (Stage.REFUSED, "a thread runs")
    assert not shelf.begin("r", AGE_MAX_S)
    shelf.drop("r")
    assert shelf.begin("r", 0.0)


def test_a_renewal_that_is_refused_ends_the_old_one_too(shelf):
    put(shelf, "r", "old")
    assert shelf.begin("r", AGE_MAX_S)
    assert shelf.refuse("r", "a thread runs") == ["old"]
    assert shelf.take("r", AGE_MAX_S) is None


def test_one_that_could_not_be_made_may_be_made_later(shelf):
    shelf.begin("r", 0.0)
    shelf.give_up("r", 1.0)
    assert shelf.stage("r") is Stage.ABSENT
    assert not shelf.begin("r", PAUSE_S)
    assert shelf.begin("r", 1.0 + PAUSE_S)


def test_one_of_a_revision_that_is_gone_by_then_goes_itself(shelf):
    shelf.begin("r", 0.0)
    assert shelf.drop("r") == []
    assert shelf.put("r", "late", MIB, 1.0) == ["late"]
    assert shelf.refuse("r", "too late to matter") == []
    assert shelf.stage("r") is Stage.ABSENT


def test_a_revision_whose_templates_are_lost_time_and_again_has_no_more(shelf):
    for turn in range(LOSSES_MAX):
        template = f"template {turn}"
        put(shelf, "r", template)
        assert shelf.lost("r", template) == [template]
    assert shelf.refusal("r") == LOST_TOO_OFTEN


def test_a_copy_that_went_well_forgives_the_losses_before_it(shelf):
    for turn in range(3 * LOSSES_MAX):
        put(shelf, "r", turn)
        shelf.copied("r")
        shelf.lost("r", turn)
    assert shelf.stage("r") is Stage.ABSENT


def test_news_of_an_older_template_change_nothing(shelf):
    put(shelf, "r", "old")
    shelf.begin("r", AGE_MAX_S)
    shelf.put("r", "new", MIB, AGE_MAX_S)
    assert shelf.lost("r", "old") == []
    assert shelf.take("r", AGE_MAX_S) == "new"


def test_everything_goes_one_after_another_when_room_is_needed_elsewhere(shelf):
    put(shelf, "a", "A")
    put(shelf, "b", "B", now_s=1.0)
    assert [shelf.evict(2.0) for _ in range(3)] == [["A"], ["B"], []]
    put(shelf, "c", "C")
    assert shelf.clear() == ["C"]
    assert shelf.stage("c") is Stage.ABSENT


def test_a_renewal_that_could_not_be_made_leaves_the_old_one_and_is_tried_again(shelf):
    put(shelf, "r", "old")
    assert shelf.begin("r", AGE_MAX_S)
    shelf.give_up("r", AGE_MAX_S)
    assert shelf.take("r", AGE_MAX_S) == "old"
    assert not shelf.begin("r", AGE_MAX_S + 1)
    assert shelf.begin("r", AGE_MAX_S + PAUSE_S)
    shelf.put("r", "new", MIB, AGE_MAX_S + PAUSE_S)
    shelf.give_up("r", AGE_MAX_S + PAUSE_S)
    assert shelf.begin("r", 2 * AGE_MAX_S + PAUSE_S), "giving up nothing pauses nothing"


def test_a_shelf_without_room_has_no_place_for_any():
    shelf = TemplateShelf(memory_bytes=0)
    assert not shelf.begin("r", 0.0, urgent=True)
    assert (shelf.stage("r"), shelf.refusal("r")) == (Stage.REFUSED, OFF)
    assert shelf.take("r", 0.0) is None
