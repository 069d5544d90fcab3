"""Labels of one's own: what becomes of a file and what is said of it."""

import json
import os
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from sm_platform.defs.assets.sites import station_readings
from sm_platform.defs.bring_labels import (
    bring_csv,
    bring_fields,
    bring_ismn,
    bring_planet_csv,
)
from sm_platform.defs.own_series import OwnSeries
from sm_platform.errors import DataError, GranuleError, UsageError
from sm_platform.formats.series_csv import SeriesColumns
from sm_platform.lake.granules import landed
from sm_platform.lake.layout import Layout
from sm_platform.schema.label_sources import LabelType, find_label_type
from sm_platform.schema.label_tables import STATION_READINGS
from sm_platform.schema.region import Region
from sm_platform_tests.defs.label_files import (
    COLUMNS,
    WET,
    columns_of,
    only,
    window_at,
    write_csv,
    write_l4,
    write_stm,
    write_zip,
)
from sm_platform_tests.defs.label_lake import (
    DAY,
    FARM,
    LAT,
    LON,
    at,
    farm,
    materialized,
    rows_of,
    told,
)
from sm_platform_tests.formats.provider_files import write_tiff


def ids(layout: Layout, product: str, day: date | None = None) -> list[str]:
    return [one.granule_id for one in landed(layout, product, FARM, day)]


def test_a_folder_its_zip_and_one_file_of_it_are_read_alike(
    layout: Layout, region: Region, tmp_path: Path
) -> None:
    file = write_stm(tmp_path / "NET" / "field" / "a_sm_0.0_0.05_p_20250110_20250117.stm", WET)
    packed = write_zip(tmp_path / "packed.zip", {file.name: file.read_text()})
    for path in (tmp_path / "NET", packed, file):
        brought = bring_ismn(layout, region, path)
        assert brought.n_new == 1
        assert only(brought, "192 readings of 1 site, 192 good")
    assert len(ids(layout, "ismn")) == 3


def test_what_is_brought_twice_is_one_granule(
    layout: Layout, region: Region, tmp_path: Path
) -> None:
    file = write_stm(tmp_path / "NET" / "a.stm", WET)
    os.utime(file, (0, 0))  # zip knows no year before 1980
    write_l4(tmp_path, 1, 0.3)
    table = write_csv(tmp_path / "a.csv", [0.1, 0.2])

    def bring() -> list[int]:
        found = [bring_ismn(layout, region, tmp_path / "NET")]
        found.append(bring_fields(layout, region, [next(tmp_path.glob("*.h5"))]))
        found.append(bring_csv(layout, region, table, OwnSeries(COLUMNS)))
        return [one.n_new for one in found]

    assert bring() == [1, 1, 1]
    os.utime(file, (1e9, 1e9))
    assert bring() == [0, 0, 0]


def test_a_slip_is_put_right_in_place_and_another_column_is_another_series(
    layout: Layout, region: Region, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "a.csv", [0.2, 0.3], deep=[0.25, 0.35])
    bring_csv(layout, region, path, OwnSeries(COLUMNS))
    deep = SeriesColumns(**{**columns_of(COLUMNS), "value": "deep", "depth_m": 0.2})
    assert bring_csv(layout, region, path, OwnSeries(deep)).told[-1].startswith("2 readings")
    zoned = SeriesColumns(**{**columns_of(COLUMNS), "depth_m": 0.05})
    assert only(bring_csv(layout, region, path, OwnSeries(zoned)), "a.csv takes the place of")
    write_csv(path, [0.2, 0.4], deep=[0.25, 0.35])
    assert only(bring_csv(layout, region, path, OwnSeries(zoned)), "a.csv takes the place of")
    assert len(ids(layout, "user_csv")) == 2
    materialized(layout, [station_readings], FARM)
    rows = rows_of(layout, STATION_READINGS)
    found = {(row["depth_to_m"], row["sm_m3m3"]) for row in rows}
    expected = [(0.05, 0.2), (0.05, 0.4), (0.2, 0.25), (0.2, 0.35)]
    assert found == {(np.float32(depth), np.float32(sm)) for depth, sm in expected}


@pytest.mark.parametrize("label_type", LabelType)
def test_what_the_values_are_goes_with_them(
    label_type: LabelType, layout: Layout, region: Region, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "a.csv", [0.2])
    bring_csv(layout, region, path, OwnSeries(COLUMNS, label_type))
    assert materialized(layout, [station_readings], FARM).success
    (row,) = rows_of(layout, STATION_READINGS)
    assert row["label_type"] == label_type.value
    assert row["is_simulated"] == (label_type == LabelType.SIMULATED)


def test_a_granule_without_a_label_type_is_of_a_sensor(
    layout: Layout, region: Region, tmp_path: Path
) -> None:
    bring_csv(layout, region, write_csv(tmp_path / "a.csv", [0.2]), OwnSeries(COLUMNS))
    (granule,) = landed(layout, "user_csv", FARM, None)
    beside = granule.folder / "columns.json"
    said = json.loads(beside.read_text())
    beside.write_text(json.dumps({n: v for n, v in said.items() if n in COLUMNS.__slots__}))
    materialized(layout, [station_readings], FARM)
    assert rows_of(layout, STATION_READINGS)[0]["label_type"] == "in_situ"


def test_an_unknown_label_type_is_refused_naming_the_four() -> None:
    with pytest.raises(UsageError, match="product, model, in_situ, simulated"):
        find_label_type("guess")


@pytest.mark.parametrize(
    ("values", "changed", "said"),
    [
        ([25.0, 30.0, 28.0], {}, "3 unit_percent. The values are in percent"),
        ([0.25, 0.30, 0.28], {"unit": "percent"}, "3 unit_fraction. The values are said to be"),
        ([0.2, 65535, 0.3], {}, "1 fill_value. The value is a number that stands for none"),
        ([0.2, 0.9, 0.3], {}, "1 out_of_range."),
        ([0.2, ""], {}, "1 missing. The file has no value there"),
        ([0.2], {"lon_deg": LON + 1}, "1 out_of_bounds. The file does not reach the site"),
    ],
)
def test_readings_that_are_no_labels_are_counted_with_their_reason(
    values: list[object],
    changed: dict[str, object],
    said: str,
    layout: Layout,
    region: Region,
    tmp_path: Path,
) -> None:
    columns = SeriesColumns(**{**columns_of(COLUMNS), **changed})
    path = write_csv(tmp_path / "a.csv", values)
    brought = bring_csv(layout, region, path, OwnSeries(columns))
    assert said in only(brought, "Rejected, kept with the reason")
    assert brought.told[0].startswith(f"{len(values)} readings of 1 site")
    materialized(layout, [station_readings], FARM)
    reasons = [row["reason"] for row in rows_of(layout, STATION_READINGS)]
    assert len(reasons) == len(values)
    assert f"{len([one for one in reasons if one])} {next(filter(None, reasons))}" in said


def test_one_file_with_all_that_can_be_wrong_does_not_stop_the_others(
    layout: Layout, region: Region, tmp_path: Path
) -> None:
    """A sensor above the ground, a station without a name, a station that moved, a hole."""
    moved = [(at(500 + n), 0.2 + 0.001 * n, "G") for n in range(5)]
    write_stm(tmp_path / "NET" / "a.stm", WET)
    write_stm(tmp_path / "NET" / "b.stm", moved, f"{LAT:.5f} {LON + 0.01:.5f}")
    twice = [(at(0), 0.5, "G"), (at(-1), 0.31, "D03"), (at(-2), -9999, "M")]
    write_stm(tmp_path / "NET" / "c.stm", twice)
    write_stm(tmp_path / "NET" / "d.stm", [(at(1), 0.2, "G")], "nowhere")
    bring_ismn(layout, region, tmp_path / "NET")
    high = tmp_path / "high.stm"
    high.write_text(
        f"NET NET mast {LAT:.5f} {LON:.5f} 3.0 -2.0000 -2.0000 probe\n2025/01/10 00:00 0.2 G M\n"
    )
    bring_ismn(layout, region, high)
    result = materialized(layout, [station_readings], FARM)
    assert result.success
    found = told(result)
    counts = {n: v for n, v in found.items() if n.startswith("readings_")}
    assert counts == {
        "readings_good": 191,
        "readings_station_moved": 5,
        "readings_duplicate_time": 2,
        "readings_provider_flag": 1,
        "readings_missing": 1,
        "readings_impossible_depth": 1,
    }
    assert "d.stm" in str(found["skipped"])
    (mast,) = [r for r in rows_of(layout, STATION_READINGS) if r["station_id"] == "NET/mast"]
    assert mast["depth_to_m"] is None


def test_readings_without_the_name_of_a_site_are_left_out_and_told(
    layout: Layout, region: Region, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("plot,time,theta\np1,2025-01-10 06:00,0.2\n ,2025-01-10 07:00,0.3\n")
    named = SeriesColumns(**{**columns_of(COLUMNS), "site": "plot", "site_name": None})
    brought = bring_csv(layout, region, path, OwnSeries(named))
    assert only(brought, "1 readings of 1 site, 1 good")
    assert only(brought, "Left out: a.csv")
    with pytest.raises(UsageError, match="site"):
        OwnSeries(SeriesColumns(**{**columns_of(COLUMNS), "site_name": "  "}))
    series = tmp_path / "planet.csv"
    series.write_text("# Unit m3/m3\ndate,SM\n2025-01-10,0.2\n")
    with pytest.raises(GranuleError, match="name of a site"):
        bring_planet_csv(layout, region, series, {"lon": LON, "lat": LAT, "station_id": " "})


@pytest.mark.parametrize("form", ["%Q", "%", "%Y %Y"])
def test_a_time_format_that_is_none_is_wrong_use(form: str) -> None:
    with pytest.raises(UsageError, match="is no time format"):
        OwnSeries(SeriesColumns(**{**columns_of(COLUMNS), "time_format": form}))
    OwnSeries(SeriesColumns(**{**columns_of(COLUMNS), "time_format": "%d/%m/%Y %H:%M"}))


def test_a_bad_file_is_named_and_the_good_ones_are_landed(
    layout: Layout, region: Region, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    good = write_l4(folder, 1, 0.3)
    content = write_l4(folder, 4, 0.3).read_bytes()
    (folder / "SMAP_L4_SM_gph_20250110T043000_Vv8011_001.h5").write_bytes(content[:2000])
    shutil.copy(good, folder / "renamed.h5")
    (folder / "paper.pdf").write_text("%PDF-1.4")
    (folder / "nothing.h5").touch()
    write_stm(folder / "a.stm", WET)
    lone = folder / "SWC-SMAP-L_V2.0_100-20250110T0130_swc.tiff"
    grid = window_at(LON, LAT)
    write_tiff(lone, [np.full((4, 4), 300, np.uint16)], affine=grid.affine, crs=grid.crs)
    brought = bring_fields(layout, region, [folder])
    assert [one.granule_id for one in brought.granules] == [good.stem]
    assert brought.days == [DAY]
    refused = dict(one.split(":", 1) for one in brought.refused if ":" in one)
    assert "is damaged or cut off" in refused["SMAP_L4_SM_gph_20250110T043000_Vv8011_001.h5"]
    assert "its name tells no time" in refused["renamed.h5"]
    assert "is no file of a gridded" in refused["paper.pdf"]
    assert "`labels add-ismn`" in refused["a.stm"]
    assert "nothing.h5" in refused
    assert any("comes without its quality file" in one for one in brought.refused)
    assert ids(layout, "spl4smgp", DAY) == [good.stem]


def test_a_field_beside_the_region_is_no_label_of_it(
    layout: Layout, region: Region, tmp_path: Path
) -> None:
    away = farm(layout, window_at(LON + 20, LAT), "away")
    with pytest.raises(DataError, match=r"No label was brought.*outside"):
        bring_fields(layout, away, [write_l4(tmp_path, 1, 0.3)])


def test_nothing_at_all_is_said_to_be_nothing(
    layout: Layout, region: Region, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="There is no file"):
        bring_fields(layout, region, [tmp_path / "empty"])
    for path in (tmp_path / "empty", write_zip(tmp_path / "e.zip", {})):
        with pytest.raises(GranuleError, match="zip is empty"):
            bring_ismn(layout, region, path)
    for path in (tmp_path / "gone", tmp_path / "empty"):
        with pytest.raises(UsageError, match=r"does not exist|is a folder"):
            bring_csv(layout, region, path, OwnSeries(COLUMNS))
    with pytest.raises(GranuleError, match="leads out of its folder"):
        bring_ismn(layout, region, write_zip(tmp_path / "x.zip", {"../a_sm_.stm": "x"}))
    paper = tmp_path / "paper.pdf"
    paper.write_text("%PDF-1.4")
    with pytest.raises(GranuleError, match=r"^paper.pdf: holds no series"):
        bring_ismn(layout, region, paper)
    assert not (layout.root / "granules").exists()


def test_a_damaged_series_stays_named_until_it_is_whole_and_the_rest_is_read(
    layout: Layout, region: Region, tmp_path: Path
) -> None:
    bring_ismn(layout, region, write_stm(tmp_path / "a.stm", WET))
    bring_ismn(layout, region, write_stm(tmp_path / "b.stm", WET[:3]))
    (damaged,) = [one for one in landed(layout, "ismn", FARM, None) if one.granule_id == "b"]
    (damaged.folder / "b.stm").write_bytes(b"")
    for _ in range(2):
        found = told(materialized(layout, [station_readings], FARM))
        assert "b" in str(found["skipped"])
        assert "quarantine" in str(found["skipped"])
        assert found["readings_good"] == len(WET)
    bring_ismn(layout, region, tmp_path / "b.stm")
    assert "skipped" not in told(materialized(layout, [station_readings], FARM))


def test_a_file_of_another_place_is_told_where_a_region_would_hold_it(
    layout: Layout, region: Region, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "a.csv", [0.2, 0.3])
    away = SeriesColumns(**{**columns_of(COLUMNS), "lon_deg": 96.5302, "lat_deg": 17.4661})
    said = only(bring_csv(layout, region, path, OwnSeries(away)), "None lies in the region")
    assert "lies at 96.5302 17.4661" in said
    assert "--bbox 96.48 17.42 96.58 17.52`" in said
    assert not any(
        line.startswith("None lies")
        for line in bring_csv(
            layout, region, path, OwnSeries(SeriesColumns(**columns_of(COLUMNS)))
        ).told
    )


def test_real_stations_are_counted_as_they_are_brought(
    shared: Callable[..., Path], layout: Layout
) -> None:
    home = farm(layout, window_at(96.55, 17.38, cells=400))
    brought = bring_ismn(layout, home, shared("realdata", "ismn", "VDS"))
    assert only(brought, "14728 readings of 2 sites, 9642 good")
    assert "5086 provider_flag" in only(brought, "Rejected")
