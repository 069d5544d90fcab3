from dataclasses import replace

import pytest

from sm_platform.errors import UsageError
from sm_platform.trust.comparison import Difference
from sm_platform.trust.gate import LIMITS, GateFigures, judge

NAN = float("nan")


def figures(reference: str = "product", **changes: object) -> GateFigures:
    good = GateFigures(
        reference=reference,
        rmse=0.040,
        bias=0.01,
        ubrmse=0.0387,
        n=4000,
        n_sites=30,
        difference=None,
        baselines={},
    )
    return replace(good, **changes)


def difference(low: float, value: float, high: float, note: str = "") -> Difference:
    return Difference(value, low, high, n=4000, n_sites=30, n_blocks=8, note=note)


@pytest.mark.parametrize("reference", ["product", "model", "simulated"])
def test_products_models_and_simulations_ask_for_rmse_and_bias(reference: str) -> None:
    assert judge(figures(reference)).is_passed
    assert judge(figures(reference, rmse=0.045, ubrmse=0.0447, bias=-0.02)).is_passed
    failed = judge(figures(reference, rmse=0.0451, ubrmse=0.9))
    assert not failed.is_passed
    assert failed.failures == ("rmse 0.0451 m3/m3 is not within 0.045.",)


def test_stations_ask_for_ubrmse_as_well() -> None:
    assert judge(figures("in_situ", rmse=0.080, ubrmse=0.055)).is_passed
    failed = judge(figures("in_situ", rmse=0.0805, ubrmse=0.0601, bias=0.021))
    assert failed.failures == (
        "rmse 0.0805 m3/m3 is not within 0.080.",
        "ubrmse 0.0601 m3/m3 is not within 0.055.",
        "bias +0.0210 m3/m3 is not within 0.020 either way.",
    )


def test_a_bias_fails_either_way() -> None:
    for bias in (0.0201, -0.0201):
        (failure,) = judge(figures(bias=bias)).failures
        assert f"{bias:+.4f}" in failure


@pytest.mark.parametrize("name", ["rmse", "bias"])
def test_a_figure_that_is_not_known_fails(name: str) -> None:
    (failure,) = judge(figures(**{name: NAN})).failures
    assert failure.startswith(name)


def test_an_unknown_ubrmse_fails_where_it_is_asked_for() -> None:
    assert not judge(figures("in_situ", ubrmse=NAN)).is_passed
    assert judge(figures("product", ubrmse=NAN)).is_passed


def test_worse_than_the_accepted_one_beyond_doubt_fails() -> None:
    assert judge(figures(difference=difference(-0.001, 0.003, 0.006))).is_passed
    assert judge(figures(difference=difference(-0.006, -0.003, -0.001))).is_passed
    (failure,) = judge(figures(difference=difference(0.001, 0.003, 0.006))).failures
    assert failure == (
        "rmse minus that of the accepted checkpoint is +0.0030 m3/m3 "
        "(95 % interval +0.0010 to +0.0060), the threshold is 0."
    )


def test_without_an_interval_the_difference_itself_decides() -> None:
    why = "2 blocks: an interval needs at least 3"
    assert judge(figures(difference=difference(NAN, -0.001, NAN, why))).is_passed
    (failure,) = judge(figures(difference=difference(NAN, 0.001, NAN, why))).failures
    assert why in failure
    assert not judge(figures(difference=difference(NAN, NAN, NAN, why))).is_passed


def test_a_better_baseline_is_named_and_does_not_fail() -> None:
    verdict = judge(
        figures(baselines={"site_mean": 0.06, "boosted_trees": 0.035, "start": 0.038, "x": NAN})
    )
    assert verdict.is_passed
    assert verdict.better_baselines == ("boosted_trees", "start")
    assert "Baseline boosted_trees is better: rmse 0.0350 m3/m3." in verdict.text


def test_the_text_tells_figures_reference_and_all_failures() -> None:
    verdict = judge(figures("in_situ", rmse=0.09, bias=-0.03))
    assert verdict.text.startswith(
        "Failed against reference=in_situ with 4000 pairs of 30 sites: rmse 0.0900, bias -0.0300"
    )
    assert all(failure in verdict.text for failure in verdict.failures)
    assert judge(figures()).text.startswith("Passed against reference=product")


def test_an_unknown_reference_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="'satellite'.*product, model, simulated, in_situ"):
        judge(figures("satellite"))
    assert set(LIMITS) == {"product", "model", "in_situ", "simulated"}
