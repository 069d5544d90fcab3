"""What a region's labels look like: counts, and agreement where two sources meet."""

import numpy as np
import pytest

from sm_platform.defs.assets.reports import label_report
from sm_platform.defs.label_report import FEWEST_PAIRS, counts_of, label_report_of
from sm_platform.errors import MissingInputError
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import Region
from sm_platform_tests.defs.label_lake import (
    DAY,
    FARM,
    materialized,
    told,
    write_observations,
)

Row = dict[str, object]
PNG = b"\x89PNG"


def labels(source: str, sm: list[float], **more: object) -> list[Row]:
    """A label of each site, all on one pass."""
    rows = [{"source": source, "site_id": f"s{n:02}", "sm_m3m3": one} for n, one in enumerate(sm)]
    return [row | more for row in rows]


def test_readings_are_counted_by_source_and_reason(layout: Layout, region: Region) -> None:
    rows = labels("ismn", [0.2, 0.3, 0.4]) + labels("ismn", [0.9], reason="out_of_range")
    rows += labels("planet_swc", [0.1, 0.1], reason="provider_flag")
    write_observations(layout, DAY, rows)
    found = {"ismn": {"good": 3, "out_of_range": 1}, "planet_swc": {"provider_flag": 2}}
    assert counts_of(layout, FARM) == found
    report = label_report_of(layout, region)
    assert (report.n_readings, report.counts, report.agreement) == (6, found, [])
    assert set(report.pictures) == {"histograms", "rejections"}
    assert all(picture.startswith(PNG) for picture in report.pictures.values())


def test_where_two_sources_meet_their_agreement_is_that_of_the_pairs(
    layout: Layout, region: Region
) -> None:
    rng = np.random.default_rng(4)
    a = rng.uniform(0.1, 0.4, 12).astype(np.float32)
    b = (a + 0.05 + rng.normal(0, 0.02, 12)).astype(np.float32)
    rows = labels("planet_swc", a.tolist()) + labels("spl4smgp", b.tolist())
    # None of these meets: another pass, another site, a deep layer, a rejected reading.
    rows += labels("ismn", a.tolist(), scene_id="other")
    rows += labels("user_csv", a.tolist(), depth_to_m=0.3)
    rows += labels("nsidc_0779", a.tolist(), reason="provider_flag")
    rows += [{"source": "planet_swc", "site_id": "lonely", "sm_m3m3": 0.6}]
    write_observations(layout, DAY, rows)
    (found,) = label_report_of(layout, region).agreement
    difference = a.astype(float) - b.astype(float)
    assert (found["first"], found["second"], found["n"]) == ("planet_swc", "spl4smgp", 12)
    assert found["bias_m3m3"] == pytest.approx(difference.mean())
    assert found["rmsd_m3m3"] == pytest.approx(np.sqrt((difference**2).mean()))
    assert found["ubrmsd_m3m3"] == pytest.approx(difference.std())
    assert found["r"] == pytest.approx(np.corrcoef(a, b)[0, 1])
    assert found["errors_in_common"] == ["smap_radiometer"]
    assert "agreement" in label_report_of(layout, region).pictures


def test_several_readings_of_a_source_on_a_pass_count_as_their_mean(
    layout: Layout, region: Region
) -> None:
    """Two sensors of a station: the site meets the other source once."""
    n = FEWEST_PAIRS
    rows = labels("ismn", [0.1] * n, sensor="a") + labels("ismn", [0.3] * n, sensor="b")
    write_observations(layout, DAY, rows + labels("spl4smgp", [0.25] * n))
    (found,) = label_report_of(layout, region).agreement
    assert found["n"] == n
    assert found["bias_m3m3"] == pytest.approx(-0.05)
    assert found["r"] is None, "a constant has no correlation"
    assert found["errors_in_common"] == []


def test_of_few_pairs_nothing_is_said(layout: Layout, region: Region) -> None:
    n = FEWEST_PAIRS - 1
    write_observations(layout, DAY, labels("ismn", [0.1] * n) + labels("spl4smgp", [0.2] * n))
    assert label_report_of(layout, region).agreement == []


def test_without_observations_the_next_step_is_said(layout: Layout, region: Region) -> None:
    with pytest.raises(MissingInputError, match="materialize `sm_observations` first"):
        label_report_of(layout, region)
    write_observations(layout, DAY, [])
    with pytest.raises(MissingInputError, match="farm has no observations"):
        counts_of(layout, FARM)


def test_all_rejected_is_a_report_too(layout: Layout, region: Region) -> None:
    write_observations(layout, DAY, labels("ismn", [0.9], reason="out_of_range"))
    report = label_report_of(layout, region)
    assert report.counts == {"ismn": {"out_of_range": 1}}
    assert report.pictures["histograms"].startswith(PNG)


def test_the_asset_shows_counts_and_stores_the_pictures(layout: Layout, region: Region) -> None:
    n = FEWEST_PAIRS
    write_observations(layout, DAY, labels("ismn", [0.1] * n) + labels("spl4smgp", [0.2] * n))
    result = materialized(layout, [label_report], FARM)
    found = told(result)
    assert found["readings"] == 2 * n
    assert found["counts"] == {"ismn": {"good": n}, "spl4smgp": {"good": n}}
    (row,) = found["agreement_table"]
    assert (row["first"], row["second"], row["n"]) == ("ismn", "spl4smgp", n)
    for name in ("histograms", "rejections", "agreement"):
        assert "data:image/png;base64," in str(found[name])
        assert layout.report(FARM, f"{name}.png").read_bytes().startswith(PNG)
