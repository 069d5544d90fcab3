import numpy as np
import pytest

from sm_platform.errors import DataError
from sm_platform.trust.baselines import KnownLabels, climatology, day_of_circle, site_mean


def days(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[D]")


def labels(values: list[float], sites: list[str], when: np.ndarray) -> KnownLabels:
    return KnownLabels(np.array(values), np.array(sites), when)


def winter_and_summer() -> KnownLabels:
    """Site a: .5 around New Year in five labels of two winters, .1 in July; site b: .3, .2."""
    return labels(
        [0.5, 0.5, 0.5, 0.5, 0.5, 0.1, 0.3, 0.2],
        ["a"] * 6 + ["b"] * 2,
        days(
            "2023-12-20",
            "2023-12-31",
            "2024-01-10",
            "2024-12-28",
            "2025-01-05",
            "2024-07-01",
            "2024-01-01",
            "2024-07-04",
        ),
    )


def test_a_site_has_the_mean_of_its_labels_and_a_new_one_that_of_all() -> None:
    found = site_mean(winter_and_summer(), site_id=np.array(["b", "new", "a"]))
    assert found == pytest.approx([0.25, 3.1 / 8, 2.6 / 6])


def test_climatology_sees_fifteen_days_either_way_over_the_turn_of_the_year() -> None:
    learn = winter_and_summer()
    asked = days("2025-12-31", "2025-12-31", "2025-07-16", "2025-07-19", "2025-04-01")
    sites = np.array(["a", "b", "a", "new", "a"])
    found = climatology(learn, site_id=sites, day=asked)
    winter = (5 * 0.5 + 0.3) / 6  # b has one label there: all six count
    summer = (0.1 + 0.2) / 2  # 16 July sees both, 19 July the one of 4 July alone
    assert found == pytest.approx([0.5, winter, summer, 0.2, 3.1 / 8])


def test_the_last_day_within_reach_counts_and_the_next_does_not() -> None:
    learn = labels([0.5] + [0.1] * 5, ["a"] * 6, days("2024-05-01", *["2024-05-10"] * 5))
    at = np.array(["a"] * 2)
    found = climatology(learn, site_id=at, day=days("2024-05-16", "2024-05-17"))
    assert found == pytest.approx([1.0 / 6, 0.1])


def test_a_day_has_one_place_on_the_circle_in_every_year() -> None:
    found = day_of_circle(
        days("2023-01-01", "2024-02-29", "2023-03-01", "2024-03-01", "2023-12-31", "1969-12-31")
    )
    assert found.tolist() == [0, 59, 60, 60, 365, 365]


def test_names_of_either_kind_are_found() -> None:
    learn = KnownLabels(
        np.array([0.1, 0.3], dtype=np.float32),
        np.array(["b", "a"], dtype=object),
        days("2024-05-01", "2024-05-01"),
    )
    assert site_mean(learn, site_id=np.array(["a", "b"])) == pytest.approx([0.3, 0.1])
    found = site_mean(learn, site_id=np.array(["zz", "0"], dtype=object))
    assert found == pytest.approx([0.2, 0.2])


def test_labels_that_cannot_teach_are_refused() -> None:
    with pytest.raises(DataError, match=r"labels of \[0, 0, 0\] rows"):
        labels([], [], days())
    with pytest.raises(DataError, match=r"labels of \[2, 1, 1\] rows"):
        labels([0.1, 0.2], ["a"], days("2024-05-01"))
    with pytest.raises(DataError, match="label is missing"):
        labels([np.nan], ["a"], days("2024-05-01"))


def test_reach_is_as_long_over_the_turn_of_the_year() -> None:
    """20 December is 15 days before 4 January; nothing is within 15 days of the 5th."""
    learn = labels([0.5] + [0.1] * 9, ["a"] * 10, days("2024-12-20", *["2024-06-10"] * 9))
    found = climatology(learn, site_id=np.array(["a"] * 2), day=days("2025-01-04", "2025-01-05"))
    assert found == pytest.approx([0.5, 0.14])
