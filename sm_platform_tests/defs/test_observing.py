"""Observations of a day: read at the sites, judged, kept near a radar pass or counted."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from sm_platform.defs.assets.labels import sm_observations
from sm_platform.defs.assets.sites import station_readings
from sm_platform.defs.bring_labels import bring_csv, bring_fields, bring_ismn
from sm_platform.defs.label_readers import FIELD_READERS
from sm_platform.defs.own_series import OwnSeries
from sm_platform.formats.series_csv import SeriesColumns
from sm_platform.grid.calendar import days_between
from sm_platform.lake import store
from sm_platform.lake.granules import landed
from sm_platform.lake.layout import Layout
from sm_platform.schema.label_sources import LabelType
from sm_platform.schema.label_tables import SITE_CATALOG, SM_OBSERVATIONS
from sm_platform.schema.region import Region
from sm_platform_tests.defs.label_files import write_l4, write_stm
from sm_platform_tests.defs.label_lake import (
    DAY,
    FARM,
    LAT,
    LON,
    STATION,
    at,
    farm,
    materialized,
    of_day,
    rows_of,
    told,
    why,
    write_passes,
    write_sites,
)
from sm_platform_tests.formats.smap_files import CORNER, write_spl3

AROUND = days_between(DAY - timedelta(1), DAY + timedelta(1))
HOURLY = [(at(n), 0.3 - 0.001 * n, "G") for n in range(24)]
Row = dict[str, object]


@pytest.fixture
def region(layout: Layout) -> Region:
    """The farm with its sites; passes are up to the test."""
    write_sites(layout)
    return farm(layout)


def bring_station(
    layout: Layout, region: Region, folder: Path, rows: Sequence[tuple[datetime, float, str]]
) -> None:
    bring_ismn(layout, region, write_stm(folder / "a.stm", rows))
    assert materialized(layout, [station_readings], FARM).success


def bring_l4(layout: Layout, region: Region, folder: Path, *hours: int) -> None:
    """Fields whose moisture tells their hour: 0.1 m3/m3 and the hour in hundredths."""
    for hour in hours:
        bring_fields(layout, region, [write_l4(folder, hour, 0.1 + hour / 100)])


def observed(layout: Layout, **config: object) -> tuple[list[Row], Row]:
    """Rows of the day, and what the asset tells of it, but for the seconds that it took."""
    result = materialized(layout, [sm_observations], of_day(), config)
    assert result.success, why(result)
    found = {name: value for name, value in told(result).items() if name != "seconds"}
    return rows_of(layout, SM_OBSERVATIONS, DAY), found


def near(row: Row) -> tuple[object, ...]:
    return row["site_id"], row["source"], row["scene_id"], round(float(str(row[APART])), 3)


APART = "time_difference_h"


def test_of_each_series_the_reading_nearest_to_the_pass_is_kept(
    layout: Layout, region: Region, tmp_path: Path
) -> None:
    write_passes(layout, {"noon": at(11.25)}, AROUND)
    bring_l4(layout, region, tmp_path, 1, 10, 13)
    bring_station(layout, region, tmp_path, HOURLY)
    rows, found = observed(layout)
    assert sorted(map(near, rows)) == [
        ("9km-a", "spl4smgp", "noon", -0.75),
        ("st-a", "ismn", "noon", -0.25),
        ("st-a", "spl4smgp", "noon", -0.75),
    ]
    station, field = (
        next(row for row in rows if row["source"] == name) for name in ("ismn", "spl4smgp")
    )
    assert (station["sm_m3m3"], station["support_m"]) == (np.float32(0.289), 0)
    assert (station["station_id"], station["sensor"]) == (STATION, "probe")
    assert (field["sm_m3m3"], field["support_m"]) == (np.float32(0.2), 9000)
    assert (station["label_type"], field["label_type"]) == ("in_situ", "model")
    assert [station["depth_to_m"], field["depth_to_m"]] == [np.float32(0.05)] * 2
    assert field["sensed_utc"] == at(10.5)
    # 23 hours and two fields at two sites are farther away than the kept ones.
    assert (found["rows"], found["good"], found["not_nearest"]) == (3, 3, 27)
    assert "without_pass" not in found


def test_readings_beyond_the_limit_are_left_out_and_counted(
    layout: Layout, region: Region, tmp_path: Path
) -> None:
    write_passes(layout, {"noon": at(11)}, AROUND)
    bring_l4(layout, region, tmp_path, 1, 10, 13)
    bring_station(layout, region, tmp_path, HOURLY)
    rows, found = observed(layout, max_hours=2.0)
    # Hours 9 to 13 of the station are within, and of the fields 10:30.
    assert len(rows) == 3
    assert (found["without_pass"], found["not_nearest"]) == (19 + 2 * 2, 4)


def test_without_a_pass_nothing_is_kept_and_all_are_counted(
    layout: Layout, region: Region, tmp_path: Path
) -> None:
    write_passes(layout, {}, AROUND)
    bring_station(layout, region, tmp_path, HOURLY)
    rows, found = observed(layout)
    assert (rows, found["status"], found["without_pass"]) == ([], "none", 24)


def test_each_pass_has_its_own_reading_and_the_next_day_counts(
    layout: Layout, region: Region, tmp_path: Path
) -> None:
    write_passes(layout, {"dawn": at(4), "late": at(16), "next": at(26)}, AROUND)
    bring_station(layout, region, tmp_path, HOURLY)
    rows, _ = observed(layout)
    assert {(row["scene_id"], row[APART]) for row in rows} == {
        ("dawn", 0.0),
        ("late", 0.0),
        ("next", -3.0),
    }


def test_rejected_readings_near_a_pass_are_rows_with_their_reason(
    layout: Layout, region: Region, tmp_path: Path
) -> None:
    write_passes(layout, {"noon": at(11)}, AROUND)
    flagged = [(at(10), 0.2, "D03"), (at(11), -9999, "M"), (at(12), 0.2, "G"), (at(13), 0.9, "G")]
    bring_station(layout, region, tmp_path, flagged)
    fields = [write_l4(tmp_path, 10, 0.8), write_l4(tmp_path, 13, -9999)]
    bring_fields(layout, region, fields)
    rows, found = observed(layout)
    told_of = {(row["source"], row["sensed_utc"], row["reason"]) for row in rows}
    assert told_of == {
        ("ismn", at(10), "provider_flag"),
        ("ismn", at(11), "missing"),
        ("ismn", at(12), None),
        ("ismn", at(13), "out_of_range"),
        ("spl4smgp", at(10.5), "out_of_range"),
        ("spl4smgp", at(13.5), "missing"),
    }
    counts = {name: found[name] for name in ("good", "missing", "out_of_range", "provider_flag")}
    assert counts == {"good": 1, "missing": 3, "out_of_range": 3, "provider_flag": 1}


def test_a_site_that_the_file_does_not_reach_does_not_take_its_neighbours_value(
    layout: Layout, region: Region, tmp_path: Path
) -> None:
    write_passes(layout, {"noon": at(11)}, AROUND)
    write_sites(layout, lon=LON + 1)
    bring_l4(layout, region, tmp_path, 10)
    rows, _ = observed(layout)
    assert {(row["reason"], row["sm_m3m3"]) for row in rows} == {("out_of_bounds", None)}
    assert len(rows) == 2


def test_a_site_outside_the_region_is_not_looked_at(
    layout: Layout, region: Region, tmp_path: Path
) -> None:
    write_passes(layout, {"noon": at(11)}, AROUND)
    catalog = store.read(layout, SITE_CATALOG, FARM)
    assert catalog is not None
    elsewhere = pc.if_else(pc.equal(catalog.rows["site_id"], "9km-a"), -1, catalog.rows["cell_id"])
    place = catalog.rows.column_names.index("cell_id")
    rows = catalog.rows.set_column(place, "cell_id", elsewhere.cast(pa.int32()))
    store.write(layout, SITE_CATALOG, rows, region=FARM, note={"inputs": "moved"})
    bring_l4(layout, region, tmp_path, 10)
    assert [row["site_id"] for row in observed(layout)[0]] == ["st-a"]


@pytest.mark.parametrize("label_type", [LabelType.SIMULATED, LabelType.MODEL])
def test_what_a_person_says_the_values_are_stands_in_the_observations(
    label_type: LabelType, layout: Layout, region: Region, tmp_path: Path
) -> None:
    write_passes(layout, {"noon": at(11)}, AROUND)
    path = tmp_path / "a.csv"
    path.write_text(f"time,theta\n{at(10):%Y-%m-%d %H:%M},0.2\n")
    columns = SeriesColumns(
        "time", "theta", "m3/m3", site_name=STATION, lon_deg=LON, lat_deg=LAT, depth_m=0.05
    )
    bring_csv(layout, region, path, OwnSeries(columns, label_type))
    materialized(layout, [station_readings], FARM)
    (row,) = observed(layout)[0]
    assert row["source"] == "user_csv"
    assert row["label_type"] == label_type.value
    assert row["is_simulated"] == (label_type is LabelType.SIMULATED)


def test_only_the_sources_asked_for_are_read(
    layout: Layout, region: Region, tmp_path: Path
) -> None:
    write_passes(layout, {"noon": at(11)}, AROUND)
    bring_l4(layout, region, tmp_path, 10)
    bring_station(layout, region, tmp_path, HOURLY)
    assert {row["source"] for row in observed(layout, sources=["ismn"])[0]} == {"ismn"}
    assert {row["source"] for row in observed(layout, sources=["spl4smgp"])[0]} == {"spl4smgp"}
    assert {row["source"] for row in observed(layout)[0]} == {"ismn", "spl4smgp"}
    result = materialized(layout, [sm_observations], of_day(), {"sources": ["planet"]})
    assert "no label source 'planet': choose of planet_swc" in why(result)


def test_a_day_whose_passes_are_not_known_fails_with_the_next_step(
    layout: Layout, region: Region
) -> None:
    result = materialized(layout, [sm_observations], of_day())
    assert "are not in the lake: run --download and --extract" in why(result)


def test_a_damaged_granule_is_named_and_the_others_are_read(
    layout: Layout, region: Region, tmp_path: Path
) -> None:
    write_passes(layout, {"noon": at(11)}, AROUND)
    bring_l4(layout, region, tmp_path, 1, 10)
    spoil(layout, 0)
    for _ in range(2):
        rows, found = observed(layout)
        assert [row["sensed_utc"] for row in rows] == [at(10.5)] * 2
        assert found["status"] == "made"
        assert "SMAP_L4_SM_gph_20250110T013000" in str(found["damaged"])
        assert "quarantine" in str(found["damaged"])
    bring_l4(layout, region, tmp_path, 1)
    assert "damaged" not in observed(layout)[1]


def test_a_day_whose_only_granule_is_damaged_fails_until_it_is_whole(
    layout: Layout, region: Region, tmp_path: Path
) -> None:
    write_passes(layout, {"noon": at(11)}, AROUND)
    bring_l4(layout, region, tmp_path, 10)
    spoil(layout, 0)
    for _ in range(2):
        result = materialized(layout, [sm_observations], of_day())
        assert "T103000" in why(result)
        assert rows_of(layout, SM_OBSERVATIONS, DAY) == []
    bring_l4(layout, region, tmp_path, 10)
    rows, found = observed(layout)
    assert len(rows) == 2
    assert "damaged" not in found


def spoil(layout: Layout, number: int) -> None:
    """Cut a landed granule in half, as a failing disk does."""
    granule = landed(layout, "spl4smgp", FARM, DAY)[number]
    path = granule.folder / granule.files[0]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_a_day_is_written_anew_only_when_something_changed(
    layout: Layout, region: Region, tmp_path: Path
) -> None:
    write_passes(layout, {"noon": at(11)}, AROUND)
    bring_l4(layout, region, tmp_path, 10)
    part = layout.part(SM_OBSERVATIONS.name, FARM, DAY)
    first = observed(layout)
    before = part.stat().st_mtime_ns
    assert observed(layout) == first
    assert part.stat().st_mtime_ns == before
    changes = [
        lambda: bring_l4(layout, region, tmp_path, 13),
        lambda: write_passes(layout, {"noon": at(11.5)}, AROUND),
        lambda: write_sites(layout, lon=LON + 0.001),
        lambda: bring_station(layout, region, tmp_path, HOURLY),
    ]
    for change in changes:
        change()
        observed(layout)
        assert part.stat().st_mtime_ns > before
        before = part.stat().st_mtime_ns


def test_the_overpasses_of_one_file_are_told_apart(
    layout: Layout, region: Region, tmp_path: Path
) -> None:
    sm = {"am": np.full((4, 4), 0.2, np.float32), "pm": np.full((4, 4), 0.3, np.float32)}
    corner = (CORNER[0] - 1, CORNER[1] - 1)
    path = tmp_path / "SMAP_L3_SM_P_E_20250110_R19240_001.h5"
    bring_fields(layout, region, [write_spl3(path, sm, corner=corner)])
    (granule,) = landed(layout, "spl3smp_e", FARM, DAY)
    moments = [one.sensed_utc for one in FIELD_READERS[granule.format](granule, region.window)]
    starts = {f"pass-{n}": moment for n, moment in enumerate(moments)}
    write_passes(layout, starts, days_between(DAY - timedelta(2), DAY + timedelta(2)))
    rows, _ = observed(layout)
    keys = [tuple(row[key] for key in SM_OBSERVATIONS.keys) for row in rows]
    assert len(set(keys)) == len(rows) == 4
    assert {row["pass_name"] for row in rows} == {"am", "pm"}
