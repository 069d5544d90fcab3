"""Labels read back from files agree with the truth within the errors that were put in.

The numbers are those of the error models: e_L has sd .025 (r .5 between overpasses) and the
retrieval .010, so .027 for every L-band product; the 1 km product adds .030 a day, the 100 m one
.022; both show a part of the contrast only, over a fixed pattern of sd .018. A station errs by
.025 (r .7) and .012, so .0277 (r .57), around a bias of sd .02.
"""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from sm_platform.grid.window import cell_index, reproject_points
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.period import WHOLE
from sm_platform.sources.simulated.world import TRUTH_DAY
from sm_platform_tests.sources.archive_files.full_labels import FullLabels, Values

SWC, L3, NSIDC, L4 = Product.SWC, Product.SPL3SMP_E, Product.NSIDC_0779, Product.SPL4SMGP
L_BAND = (L3, NSIDC, SWC)
END_OF_DAY_UTC_H = 17


def of_place(error: Values) -> np.ndarray:
    """The part of an error that all pixels share, a number a day."""
    known = np.isfinite(error).mean(axis=1) > 0.3
    found = np.full(len(error), np.nan)
    found[known] = np.nanmean(error[known], axis=1)
    return found


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    both = np.isfinite(a) & np.isfinite(b)
    assert both.sum() > 100
    return float(np.corrcoef(a[both], b[both])[0, 1])


def median_correlation(a: Values, b: Values) -> float:
    """Of the columns of two fields."""
    return float(np.median([correlation(*pair) for pair in zip(a.T, b.T, strict=True)]))


@pytest.fixture(scope="module")
def stations(highland: FullLabels) -> tuple[Values, np.ndarray]:
    """Good values of the upper sensors at the end of each day, and the station's pixel.

    The station that was moved is not among them.
    """
    told = highland.stations
    at_end = told[
        told.provider_reason.isna()
        & (told.depth_to_m < 0.1)
        & (told.sensed_utc.dt.hour == END_OF_DAY_UTC_H)
        & told.groupby("station_id").lat_deg.transform("nunique").eq(1)
    ]
    first = pd.Timestamp(TRUTH_DAY, tz="UTC")
    day = (at_end.sensed_utc - first).dt.days
    values = at_end.assign(day=day).pivot(index="day", columns="station_id", values="sm_m3m3")
    values = values.reindex(range(len(WHOLE.radar_days)))
    places = at_end.groupby("station_id")[["lon_deg", "lat_deg"]].first().loc[values.columns]
    window = highland.world.window
    x, y = reproject_points(*places.to_numpy().T, "EPSG:4326", window.crs)
    return values.to_numpy(float), cell_index(window, x, y)


@pytest.mark.parametrize(
    ("product", "bias", "within", "spread"),
    [
        (L3, 0.0, 0.008, (0.030, 0.045)),
        (NSIDC, 0.0, 0.008, (0.040, 0.055)),
        (SWC, 0.012, 0.008, (0.035, 0.050)),
        (L4, 0.015, 0.003, (0.035, 0.060)),
    ],
)
def test_a_product_errs_as_much_as_was_put_in(
    highland: FullLabels,
    product: Product,
    bias: float,
    within: float,
    spread: tuple[float, float],
) -> None:
    error = highland.error(product)
    drained = highland.error(product, is_drained_only=True)
    assert np.nanmean(error) == pytest.approx(bias, abs=within)
    assert spread[0] < np.median(np.nanstd(drained, axis=0)) < spread[1]
    assert (np.abs(error) < 1e-4).mean() < 0.01


def test_every_overpass_of_the_l_band_has_all_three_products(highland: FullLabels) -> None:
    days = {product: {one.day for one in highland.entries[product]} for product in L_BAND}
    assert days[L3] == days[NSIDC] == days[SWC]
    assert 455 / 3 < len(days[L3]) < 455 / 1.5


def test_the_day_error_of_the_l_band_has_its_spread_and_memory(highland: FullLabels) -> None:
    shared = of_place(highland.error(SWC))
    series = shared[np.isfinite(shared)]
    assert series.std() == pytest.approx(0.027, rel=0.25)
    assert np.corrcoef(series[1:], series[:-1])[0, 1] == pytest.approx(0.43, abs=0.17)


@pytest.mark.parametrize("pair", combinations(L_BAND, 2))
def test_products_of_the_l_band_share_the_error_of_the_day(
    highland: FullLabels, pair: tuple[Product, Product]
) -> None:
    one, other = (of_place(highland.error(product)) for product in pair)
    assert correlation(one, other) > 0.85
    assert np.nanstd(one - other) < 0.015


@pytest.mark.parametrize("product", L_BAND)
def test_the_land_model_errs_on_its_own(highland: FullLabels, product: Product) -> None:
    assert abs(correlation(of_place(highland.error(L4)), of_place(highland.error(product)))) < 0.3


def test_the_land_model_follows_the_rain(highland: FullLabels) -> None:
    error, truth = highland.error(L4), highland.truth(np.arange(0, 22500, 7))
    place = truth.mean(axis=1)
    assert correlation(place + of_place(error), place) > 0.75


def test_sharpened_products_share_a_fixed_pattern_and_no_daily_noise(highland: FullLabels) -> None:
    coarse = highland.error(L3, is_drained_only=True)
    sharp = (highland.error(product, is_drained_only=True) for product in (SWC, NSIDC))
    fine, middle = (one - coarse for one in sharp)
    fixed = [np.nanmean(part, axis=0) for part in (fine, middle)]
    assert np.corrcoef(*fixed)[0, 1] > 0.4
    daily = [part - mean for part, mean in zip((fine, middle), fixed, strict=True)]
    assert np.median(np.nanstd(daily[0], axis=0)) == pytest.approx(0.024, rel=0.2)
    assert np.median(np.nanstd(daily[1], axis=0)) == pytest.approx(0.033, rel=0.2)


def test_a_station_errs_as_much_as_was_put_in(
    highland: FullLabels, stations: tuple[Values, np.ndarray]
) -> None:
    values, pixels = stations
    error = values - highland.truth(pixels)
    bias, rest = np.nanmean(error, axis=0), error - np.nanmean(error, axis=0)
    assert len(pixels) == 9
    assert 0.010 < np.sqrt(np.mean(bias**2)) < 0.032
    assert np.nanstd(rest, axis=0) == pytest.approx(np.full(9, 0.0277), rel=0.15)
    assert median_correlation(rest[1:], rest[:-1]) == pytest.approx(0.57, abs=0.07)


def test_stations_err_apart_from_each_other_but_for_the_two_neighbours(
    highland: FullLabels, stations: tuple[Values, np.ndarray]
) -> None:
    values, pixels = stations
    error = values - highland.truth(pixels)
    pairs = {pair: correlation(*error[:, pair].T) for pair in combinations(range(9), 2)}
    assert pairs.pop((0, 1)) == pytest.approx(0.81, abs=0.06)
    assert np.abs(list(pairs.values())).max() < 0.3


@pytest.mark.parametrize("product", [*L_BAND, L4])
def test_stations_err_apart_from_every_product(
    highland: FullLabels, stations: tuple[Values, np.ndarray], product: Product
) -> None:
    values, pixels = stations
    truth = highland.truth(pixels)
    assert abs(median_correlation(values - truth, highland.at(product, pixels) - truth)) < 0.15


def triple_collocation(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> list[float]:
    """Error variances of three series, each judged by the two others (covariance notation)."""
    known = np.isfinite(a) & np.isfinite(b) & np.isfinite(c)
    assert known.sum() > 100
    s = np.cov(np.stack([a[known], b[known], c[known]]))
    turns = ((0, 1, 2), (1, 0, 2), (2, 0, 1))
    return [s[i, i] - s[i, j] * s[i, k] / s[j, k] for i, j, k in turns]


def test_triple_collocation_finds_the_errors_and_is_misled_by_two_l_band_products(
    highland: FullLabels, stations: tuple[Values, np.ndarray]
) -> None:
    station, pixels = stations
    fields = {product: highland.at(product, pixels) for product in (SWC, NSIDC, L4)}

    def sd_of_errors(third: Product) -> np.ndarray:
        columns = zip(station.T, fields[SWC].T, fields[third].T, strict=True)
        return np.sqrt(np.median([triple_collocation(*one) for one in columns], axis=0))

    fair, misled = sd_of_errors(L4), sd_of_errors(NSIDC)
    assert fair[0] == pytest.approx(0.034, abs=0.007)
    assert fair[1] == pytest.approx(0.033, abs=0.007)
    assert fair[2] == pytest.approx(0.041, abs=0.012)
    # What the two share is blamed on the station.
    assert misled[0] > fair[0] + 0.004
    assert misled[1] < fair[1] - 0.004
