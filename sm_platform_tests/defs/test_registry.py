"""Stages of checkpoints: who is accepted, what that retires, what maps of a day use."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from sm_platform.defs.promotion import decide, promote, retire
from sm_platform.defs.registry import (
    Decision,
    Entry,
    Judge,
    Stage,
    accepted,
    entries,
    find_entry,
    history,
    registrations,
    rival,
)
from sm_platform.errors import UsageError
from sm_platform.lake.layout import Layout
from sm_platform.schema.recipes import EOV_2025, SM_100M_V1
from sm_platform_tests.defs.registry_lake import CUT_OFF, NOW, REGION, accept, register

EARLIER, LATER = CUT_OFF - timedelta(60), CUT_OFF + timedelta(30)


def stages(layout: Layout) -> dict[str, str]:
    return {one.checkpoint_id: one.stage.value for one in entries(layout, REGION)}


def used(layout: Layout, day: date, recipe: str | None = None) -> str | None:
    found = accepted(layout, REGION, day, recipe)
    return found.checkpoint_id if found else None


def entry(layout: Layout, name: str) -> Entry:
    return find_entry(layout, REGION, name)


def test_a_new_checkpoint_is_a_candidate_that_maps_do_not_use(layout: Layout) -> None:
    register(layout, "new")
    assert stages(layout) == {"new": "candidate"}
    assert entry(layout, "new").decision is None
    assert used(layout, CUT_OFF) is None
    assert rival(layout, entry(layout, "new")) is None


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (EARLIER - timedelta(90), "early"),
        (EARLIER, "early"),
        (CUT_OFF - timedelta(1), "early"),
        (CUT_OFF, "late"),
        (LATER + timedelta(400), "late"),
    ],
)
def test_a_day_uses_the_newest_accepted_cut_off_by_it_else_the_oldest(
    day: date, name: str, layout: Layout
) -> None:
    for one, cut_off in (("early", EARLIER), ("late", CUT_OFF), ("unjudged", LATER)):
        register(layout, one, cut_off)
    accept(layout, "early", EARLIER)
    accept(layout, "late")
    assert stages(layout) == {"early": "accepted", "late": "accepted", "unjudged": "candidate"}
    assert used(layout, day) == name


def test_one_of_the_same_cut_off_and_recipe_is_succeeded_by_name(layout: Layout) -> None:
    for name in ("one", "two"):
        register(layout, name)
    register(layout, "theirs", recipe=EOV_2025)
    for name in ("one", "theirs", "two"):
        accept(layout, name)
    assert stages(layout) == {"one": "retired", "two": "accepted", "theirs": "accepted"}
    decision = entry(layout, "one").decision
    assert decision is not None
    assert (decision.by, decision.reason) == (Judge.GATE, "succeeded by two")
    assert used(layout, CUT_OFF, SM_100M_V1.fingerprint) == "two"
    assert used(layout, CUT_OFF, EOV_2025.fingerprint) == "theirs"
    assert used(layout, CUT_OFF, "another") == "two", "of one cut-off the last accepted"


def test_every_decision_is_kept_and_the_newest_counts(layout: Layout) -> None:
    register(layout, "one")
    for stage in (Stage.ACCEPTED, Stage.CANDIDATE, Stage.RETIRED):
        decide(layout, entry(layout, "one"), Decision(stage, Judge.GATE, stage.value, NOW))
    told = [decision for _, decision in history(layout, REGION, CUT_OFF)]
    assert [one.stage.value for one in told] == ["accepted", "candidate", "retired"]
    assert [one.changed_utc - NOW for one in told] == [timedelta(microseconds=n) for n in range(3)]
    assert entry(layout, "one").stage is Stage.RETIRED


def test_the_rival_is_what_maps_of_the_cut_off_use_now(layout: Layout) -> None:
    register(layout, "early", EARLIER)
    register(layout, "theirs", EARLIER, recipe=EOV_2025)
    register(layout, "new")
    register(layout, "later", LATER)
    for name, cut_off in (("early", EARLIER), ("theirs", EARLIER), ("later", LATER)):
        accept(layout, name, cut_off)
    found = rival(layout, entry(layout, "new"))
    assert found is not None
    assert found.checkpoint_id == "early", "of the same recipe, and not of a later cut-off"
    assert rival(layout, entry(layout, "early")) is None, "not its own"


def test_a_person_accepts_what_the_gate_did_not(layout: Layout) -> None:
    register(layout, "one")
    register(layout, "two")
    accept(layout, "one")
    beaten = promote(layout, entry(layout, "two"), "  stations are on a slope  ", NOW)
    assert [one.checkpoint_id for one in beaten] == ["one"]
    decision = entry(layout, "two").decision
    assert decision is not None
    assert (decision.stage, decision.by) == (Stage.ACCEPTED, Judge.PERSON)
    assert decision.reason == "stations are on a slope"


@pytest.mark.parametrize("reason", ["", "   ", "too short", "         too short         "])
def test_overriding_the_gate_needs_a_reason(reason: str, layout: Layout) -> None:
    register(layout, "one")
    failed = Decision(Stage.CANDIDATE, Judge.GATE, "rmse 0.0700 m3/m3 is not within 0.045.", NOW)
    decide(layout, entry(layout, "one"), failed)
    with pytest.raises(UsageError, match=r"at least 10 characters .*0\.0700 .* --reason"):
        promote(layout, entry(layout, "one"), reason, NOW)
    assert stages(layout) == {"one": "candidate"}


def test_one_that_was_accepted_once_comes_back_with_any_reason(layout: Layout) -> None:
    register(layout, "one")
    register(layout, "two")
    accept(layout, "one")
    accept(layout, "two")
    with pytest.raises(UsageError, match=r"at least 1 character \(the gate: succeeded by two\)"):
        promote(layout, entry(layout, "one"), " ", NOW)
    promote(layout, entry(layout, "one"), "again", NOW)
    assert stages(layout) == {"one": "accepted", "two": "retired"}


def test_retiring_one_that_failed_is_no_way_around_the_reason(layout: Layout) -> None:
    register(layout, "one")
    retire(layout, entry(layout, "one"), "bad", NOW)
    with pytest.raises(UsageError, match=r"at least 10 characters \(the person: bad\)"):
        promote(layout, entry(layout, "one"), "again", NOW)
    assert stages(layout) == {"one": "retired"}


def test_retired_is_not_used_and_older_ones_step_in(layout: Layout) -> None:
    register(layout, "early", EARLIER)
    register(layout, "late")
    accept(layout, "early", EARLIER)
    accept(layout, "late")
    retire(layout, entry(layout, "late"), "wrong labels", NOW)
    assert used(layout, LATER) == "early"
    with pytest.raises(UsageError, match="retired already"):
        retire(layout, entry(layout, "late"), "wrong labels", NOW)
    with pytest.raises(UsageError, match="accepted already"):
        promote(layout, entry(layout, "early"), "it is the best there is", NOW)


def test_an_unknown_name_is_refused_with_those_there_are(layout: Layout) -> None:
    with pytest.raises(UsageError, match="there: none yet"):
        find_entry(layout, REGION, "ghost")
    register(layout, "one")
    register(layout, "one", LATER)
    with pytest.raises(UsageError, match=r"'ghost' is no .* region delta \(there: one\)"):
        find_entry(layout, REGION, "ghost")
    assert find_entry(layout, REGION, "one").cut_off == LATER
    assert find_entry(layout, REGION, "one", CUT_OFF).cut_off == CUT_OFF


def test_a_checkpoint_is_found_in_every_region(layout: Layout) -> None:
    register(layout, "one")
    register(layout, "one", LATER, region="hills")
    register(layout, "two", region="hills")
    found = [(one.region_id, one.cut_off) for one in registrations(layout, "one")]
    assert found == [(REGION, CUT_OFF), ("hills", LATER)]


def test_stages_of_one_region_are_not_those_of_another(layout: Layout) -> None:
    register(layout, "one")
    register(layout, "one", region="hills")
    accept(layout, "one")
    assert accepted(layout, "hills", LATER) is None
    here = find_entry(layout, REGION, "one")
    assert replace(here, region_id="hills", decision=None) == find_entry(layout, "hills", "one")
