"""The gate: which figures it reads, what it decides, and that it decides once."""

from datetime import timedelta

import dagster as dg
import pytest

from sm_platform.defs.gate_check import gate
from sm_platform.defs.judging import Judged, judge_cut_off
from sm_platform.defs.launch_tags import ONE
from sm_platform.defs.promotion import promote, retire
from sm_platform.defs.registry import entries, find_entry, history
from sm_platform.defs.resources import LakeResource
from sm_platform.defs.stored_scores import ground_of, scores_of
from sm_platform.lake.layout import Layout
from sm_platform_tests.defs.registry_lake import (
    BAD,
    CUT_OFF,
    GOOD,
    NOW,
    REGION,
    Rows,
    accept,
    compared,
    register,
    scores,
    write_scores,
)

EARLIER = CUT_OFF - timedelta(60)


def judged(layout: Layout) -> list[Judged]:
    return judge_cut_off(layout, REGION, CUT_OFF, NOW)


def stages(layout: Layout) -> dict[str, str]:
    return {one.checkpoint_id: one.stage.value for one in entries(layout, REGION)}


def test_good_figures_are_accepted_and_bad_ones_name_figure_and_threshold(layout: Layout) -> None:
    register(layout, "bad")
    register(layout, "good")
    write_scores(layout, scores("bad", BAD) + scores("good", GOOD))
    bad, good = judged(layout)
    assert (bad.is_passed, good.is_passed) == (False, True)
    assert stages(layout) == {"bad": "candidate", "good": "accepted"}
    assert "rmse 0.0700 m3/m3 is not within 0.045" in bad.text
    assert "bias +0.0300 m3/m3 is not within 0.020" in bad.text
    assert "source planet_swc, test rows of split block, per site, then averaged" in good.text
    decision = find_entry(layout, REGION, "good").decision
    assert decision is not None
    assert (decision.by.value, decision.reason) == ("gate", good.text)


def test_judging_again_changes_nothing(layout: Layout) -> None:
    """Three of one cut-off: the second that passes waits until it is compared with the first."""
    register(layout, "old", EARLIER)
    accept(layout, "old", EARLIER)
    names = ("bad", "first", "second")
    for name in names:
        register(layout, name)
    rows = scores("bad", BAD) + scores("first", GOOD) + scores("second", GOOD)
    write_scores(layout, rows + [one for name in names for one in compared(name, "old", -0.01)])
    texts = [one.text for one in judged(layout)]
    before = history(layout, REGION, CUT_OFF)
    assert [one.text for one in judged(layout)] == texts
    assert history(layout, REGION, CUT_OFF) == before
    told = {"old": "accepted", "bad": "candidate", "first": "accepted", "second": "candidate"}
    assert stages(layout) == told
    write_scores(layout, rows + compared("second", "first", -0.01))
    judged(layout)
    assert stages(layout) == told | {"first": "retired", "second": "accepted"}


@pytest.mark.parametrize(
    ("difference", "is_passed"), [(-0.01, True), (0.003, True), (0.0041, False)]
)
def test_one_that_is_worse_than_the_accepted_beyond_doubt_fails(
    difference: float, is_passed: bool, layout: Layout
) -> None:
    """The interval reaches 0.004 either way."""
    register(layout, "old", EARLIER)
    register(layout, "new")
    accept(layout, "old", EARLIER)
    write_scores(layout, scores("new", GOOD) + compared("new", "old", difference))
    (found,) = judged(layout)
    assert found.is_passed == is_passed
    assert ("rmse minus that of the accepted checkpoint is" in found.text) != is_passed


def test_one_that_was_not_compared_with_the_accepted_waits(layout: Layout) -> None:
    register(layout, "old", EARLIER)
    register(layout, "new")
    accept(layout, "old", EARLIER)
    write_scores(layout, scores("new", GOOD))
    (found,) = judged(layout)
    assert not found.is_passed
    assert "not compared with old, which is accepted: materialize `evaluations`" in found.text


@pytest.mark.parametrize(
    ("order", "difference", "is_passed"),
    [
        (("used", "other"), 0.002, True),
        (("other", "used"), 0.002, False),
        (("other", "used"), 0.0, True),
    ],
)
def test_of_one_cut_off_the_later_succeeds_and_the_earlier_only_when_no_worse(
    order: tuple[str, str], difference: float, is_passed: bool, layout: Layout
) -> None:
    for name in order:
        register(layout, name)
    write_scores(layout, scores("used", GOOD))
    assert [one.is_passed for one in judged(layout)] == [True]
    rows = scores("used", GOOD) + scores("other", GOOD) + compared("other", "used", difference)
    write_scores(layout, rows)
    found = {one.entry.checkpoint_id: one for one in judged(layout)}
    assert found["other"].is_passed == is_passed
    if not is_passed:
        assert found["other"].text.startswith("Within all limits")
        assert "used was made later and is better by 0.0020" in found["other"].text
        assert stages(layout)["used"] == "accepted"


def test_what_a_person_accepted_keeps_its_place(layout: Layout) -> None:
    register(layout, "used")
    promote(layout, find_entry(layout, REGION, "used"), "checked in the field", NOW)
    register(layout, "other")
    write_scores(layout, scores("other", GOOD) + compared("other", "used", -0.01))
    (found,) = judged(layout)
    assert not found.is_passed
    assert "a person accepted used for this cut-off" in found.text
    assert stages(layout) == {"used": "accepted", "other": "candidate"}


def test_a_better_baseline_is_named_and_does_not_fail(layout: Layout) -> None:
    register(layout, "one")
    rivals = {"boosted_trees": 0.035, "climatology": 0.06, "label:planet_swc": 0.01, "start": 0.039}
    rows = scores("one", GOOD)
    for name, rmse in rivals.items():
        rows += scores("one", {"rmse": rmse}, estimator=name)
    write_scores(layout, rows)
    (found,) = judged(layout)
    assert found.is_passed
    assert "Baseline boosted_trees is better: rmse 0.0350" in found.text
    assert "Baseline start is better" in found.text
    assert "climatology" not in found.text
    assert "label:" not in found.text


def test_a_baseline_of_fewer_rows_is_compared_on_those_rows_alone(layout: Layout) -> None:
    """Of two products with a smaller figure one is better on the rows that both know."""
    register(layout, "one")
    rows = scores("one", GOOD)
    for name, gap in {"product:spl4smgp": 0.003, "product:spl3smp_e": -0.002}.items():
        rows += scores("one", {"rmse": 0.02, "rmse_difference": gap}, estimator=name, n=90)
    write_scores(layout, rows)
    (found,) = judged(layout)
    assert "Baseline product:spl4smgp is better where it has a value: by 0.0030" in found.text
    assert "spl3smp_e" not in found.text
    assert found.figures is not None
    assert found.figures.baselines == {}


def test_pairs_and_sites_are_those_that_the_figures_rest_on(layout: Layout) -> None:
    """Per site over time, sites with few pairs do not count."""
    register(layout, "one")
    by_site = scores("one", GOOD, pooling=("site",), n=300, n_sites=7)
    write_scores(layout, by_site + scores("one", GOOD, pooling=("pooled",)))
    (found,) = judged(layout)
    assert "with 300 pairs of 7 sites: rmse" in found.text


REFERENCES = [
    ({"in_situ": (20, 3), "product": (900, 40)}, "in_situ"),
    ({"in_situ": (19, 3), "product": (900, 40)}, "product"),
    ({"in_situ": (400, 2), "product": (900, 40)}, "product"),
    ({"in_situ": (400, 2), "model": (30, 5), "simulated": (900, 40)}, "model"),
    ({"simulated": (900, 40)}, "simulated"),
]


@pytest.mark.parametrize(("counts", "name"), REFERENCES)
def test_stations_count_where_there_are_enough_then_products_models_truth(
    counts: dict[str, tuple[int, int]], name: str, layout: Layout
) -> None:
    rows: Rows = []
    for reference, (n, n_sites) in counts.items():
        rows += scores("one", GOOD, reference=reference, n=n, n_sites=n_sites)
    register(layout, "one")
    ground = ground_of(rows, find_entry(layout, REGION, "one"))
    assert ground is not None
    assert ground.reference == name


def test_few_pairs_are_no_ground_to_judge_on(layout: Layout) -> None:
    register(layout, "one")
    write_scores(layout, scores("one", GOOD, n=19))
    (found,) = judged(layout)
    assert not found.is_passed
    assert found.figures is None
    assert "no reference has 20 pairs at 3 sites" in found.text
    assert stages(layout) == {"one": "candidate"}


def test_the_own_split_counts_and_the_random_one_never(layout: Layout) -> None:
    register(layout, "one", scheme="time")
    rows = scores("one", BAD, scheme="time", pooling=("pooled",))
    rows += scores("one", GOOD) + scores("one", GOOD, scheme="random")
    write_scores(layout, rows)
    (found,) = judged(layout)
    assert not found.is_passed
    assert "split time, all pairs pooled" in found.text


def test_good_figures_at_sites_that_were_seen_are_not_enough(layout: Layout) -> None:
    register(layout, "one", scheme="time")
    write_scores(layout, scores("one", GOOD, scheme="time"))
    (found,) = judged(layout)
    assert not found.is_passed
    assert "under split time its sites were seen in training" in found.text


def test_of_two_sources_the_one_with_most_pairs_counts(layout: Layout) -> None:
    register(layout, "one")
    few = scores("one", BAD, source="nsidc_0779", n=300)
    write_scores(layout, few + scores("one", GOOD))
    (found,) = judged(layout)
    assert found.is_passed


def test_an_imported_one_is_judged_by_blocks(layout: Layout) -> None:
    register(layout, "one", scheme=None, n_samples=None)
    found = ground_of(scores_of(scores("one", GOOD), "one"), find_entry(layout, REGION, "one"))
    assert found is not None
    assert found.scheme == "block"


def test_new_figures_change_what_the_gate_gave_but_not_what_a_person_did(layout: Layout) -> None:
    for name in ("own", "other"):
        register(layout, name)
    write_scores(layout, scores("own", GOOD) + scores("other", BAD))
    judged(layout)
    promote(layout, find_entry(layout, REGION, "other"), "the labels were wrong", NOW)
    assert stages(layout) == {"own": "retired", "other": "accepted"}
    write_scores(layout, scores("own", GOOD) + scores("other", BAD))
    (found,) = judged(layout)
    assert not found.is_passed
    assert found.is_usable
    retire(layout, find_entry(layout, REGION, "other"), "no use", NOW)
    assert judged(layout) == []


def test_an_accepted_one_whose_new_figures_are_bad_is_a_candidate_again(layout: Layout) -> None:
    register(layout, "one")
    write_scores(layout, scores("one", GOOD))
    judged(layout)
    write_scores(layout, scores("one", BAD))
    judged(layout)
    assert stages(layout) == {"one": "candidate"}
    assert len(history(layout, REGION, CUT_OFF)) == 2


def run_gate(layout: Layout, key: str | None = None) -> dg.AssetCheckEvaluation:
    """The check as Dagster runs it, of one partition or of all."""
    job = dg.define_asset_job("gate_alone", dg.AssetSelection.all_asset_checks())
    defs = dg.Definitions(
        assets=[dg.AssetSpec("evaluations")],
        asset_checks=[gate],
        jobs=[job],
        resources={"lake": LakeResource(root=str(layout.root))},
        executor=dg.in_process_executor,
    )
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        result = defs.resolve_job_def("gate_alone").execute_in_process(
            instance=instance,
            tags={ONE: key} if key else {},
            run_config=quiet,
            raise_on_error=False,
        )
    (found,) = result.get_asset_check_evaluations()
    assert found.passed == result.success, "a failed gate stops what comes after it"
    return found


def test_the_check_blocks_tells_the_verdict_and_records_the_stage(layout: Layout) -> None:
    register(layout, "one")
    write_scores(layout, scores("one", BAD))
    found = run_gate(layout, f"{CUT_OFF}|{REGION}")
    assert not found.passed
    assert found.blocking
    assert found.severity == dg.AssetCheckSeverity.ERROR
    assert found.description is not None
    assert "one (delta, cut-off 2026-03-01): Failed" in found.description
    assert found.metadata["rmse_m3m3"].value == pytest.approx(0.07)
    assert "| one | candidate | rmse | 0.0700 | 0.045 |" in str(found.metadata["figures"].value)
    assert len(history(layout, REGION, CUT_OFF)) == 1


def test_the_newest_of_a_cut_off_counts_and_other_partitions_are_left_alone(
    layout: Layout,
) -> None:
    for name in ("bad", "good"):
        register(layout, name)
    register(layout, "elsewhere", EARLIER)
    write_scores(layout, scores("bad", BAD) + scores("good", GOOD))
    write_scores(layout, scores("elsewhere", BAD), EARLIER)
    found = run_gate(layout, f"{CUT_OFF}|{REGION}")
    assert found.passed
    assert (found.metadata["judged"].value, found.metadata["accepted"].value) == (2, 1)
    assert history(layout, REGION, EARLIER) == []
    assert not run_gate(layout).passed, "without a partition every cut-off is judged"


def test_an_override_lets_the_check_pass_and_is_told(layout: Layout) -> None:
    register(layout, "one")
    write_scores(layout, scores("one", BAD))
    run_gate(layout)
    promote(layout, find_entry(layout, REGION, "one"), "to see the path only", NOW)
    found = run_gate(layout)
    assert found.passed
    assert found.description is not None
    assert "It is accepted by person: to see the path only" in found.description


def test_nothing_evaluated_is_nothing_wrong(layout: Layout) -> None:
    register(layout, "one")
    found = run_gate(layout)
    assert (found.passed, found.description) == (True, "Nothing was evaluated.")
