import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from sm_platform.errors import DataError, RecipeError, UsageError
from sm_platform.grid import ease2
from sm_platform.samples.seed_files import read_seed_files, write_seed_files
from sm_platform.samples.seed_rows import SAMPLES_SCHEMA
from sm_platform.schema.label_tables import SITE_CATALOG
from sm_platform.schema.recipes import EOV_2025
from sm_platform_tests.samples.seed_folders import (
    samples,
    seed_merged,
    seed_site_info,
    sites,
    write_seed_folder,
)

RECIPE = {"recipe_id": "sm-100m-v1", "recipe_fingerprint": "0123456789abcdef"}
AWKWARD = [
    "Trạm Thái Bình",
    'a "b", c',
    "two\nlines",
    "..",
    "../up",
    " space ",
    "",
    "NA",
    "x.csv",
    "",
    "a b",
]


def with_column(table: pa.Table, name: str, values: list[object] | pa.Array) -> pa.Table:
    place = table.column_names.index(name)
    return table.set_column(place, name, pa.array(values, table.schema.field(name).type))


@pytest.mark.parametrize("seed", range(3))
def test_what_is_written_comes_back_to_the_last_bit(tmp_path: Path, seed: int) -> None:
    catalog = sites(20, seed)
    rows = samples(catalog, 4, seed)
    write_seed_files(tmp_path / "out", catalog, rows, **RECIPE)
    found = read_seed_files(tmp_path / "out")
    assert found.sites.equals(catalog)
    assert found.samples.equals(rows)
    assert (found.recipe_id, found.recipe_fingerprint) == tuple(RECIPE.values())


def test_missing_inputs_stay_as_they_are(tmp_path: Path) -> None:
    catalog = sites(1, 0)
    rows = samples(catalog, 1, 0)
    inputs = rows["inputs"].to_pylist()
    inputs[0][3], inputs[1][152] = None, float("nan")
    write_seed_files(tmp_path / "out", catalog, with_column(rows, "inputs", inputs), **RECIPE)
    found = read_seed_files(tmp_path / "out").samples["inputs"].to_pylist()
    assert found[0][3] is None
    assert np.isnan(found[1][152])
    assert found[0][4:] == inputs[0][4:]


def test_awkward_names_come_back_and_stay_in_the_folder(tmp_path: Path) -> None:
    catalog = sites(len(AWKWARD), 1)
    names = [f"net {name}" for name in AWKWARD[:-2]] + [".. up", "net/two\nlines"]
    catalog = with_column(catalog, "station_id", names)
    rows = samples(catalog, 1, 1)
    files = write_seed_files(tmp_path / "out", catalog, rows, **RECIPE)
    assert all((tmp_path / "out" / "sm") in path.resolve().parents for path in files[2:])
    assert len(set(files)) == len(files) == len(AWKWARD) + 2
    found = read_seed_files(tmp_path / "out")
    assert found.sites.equals(catalog)
    assert found.samples.equals(rows)


def test_the_seed_scripts_find_their_columns_and_files(tmp_path: Path) -> None:
    catalog = sites(6, 2)
    rows = samples(catalog, 3, 2)
    files = write_seed_files(tmp_path / "out", catalog, rows, **RECIPE)
    assert all(path.is_file() for path in files)
    info = pd.read_csv(tmp_path / "out/site_info.csv")
    assert info.columns[:6].tolist() == ["network", "station", "lat", "lon", "s_depth", "e_depth"]
    assert not info[["network", "station"]].duplicated().any()
    merged = pd.read_csv(tmp_path / "out/merged.csv", parse_dates=["date"])
    assert merged.columns[:3].tolist() == ["s_index", "network", "station"]
    assert merged.columns[-154:].tolist() == ["sm", *map(str, range(153))]
    for site in info.itertuples():
        series = pd.read_csv(
            tmp_path / f"out/sm/{site.network}/{site.station}.csv", parse_dates=["time"]
        )
        own = merged[(merged["network"] == site.network) & (merged["station"] == site.station)]
        assert len(series) == len(own) == 6
        assert series["time"].is_monotonic_increasing
        assert set(series["time"].dt.date) == set(own["date"].dt.date)
        np.testing.assert_array_equal(np.sort(series["sm"]), np.sort(own["sm"]))
    assert set(info["network"]) == {"cell", "VDS"}


def test_a_hundred_thousand_values_a_second_are_exceeded(tmp_path: Path) -> None:
    catalog = sites(500, 3)
    rows = samples(catalog, 10, 3)  # 10,000 rows: a tenth of 100,000 in a tenth of 30 s
    started = time.perf_counter()
    write_seed_files(tmp_path / "out", catalog, rows, **RECIPE)
    read_seed_files(tmp_path / "out")
    assert time.perf_counter() - started < 3


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    catalog = sites(2, 0)
    rows = samples(catalog, 1, 0)
    (tmp_path / "empty").mkdir()
    assert write_seed_files(tmp_path / "empty", catalog, rows, **RECIPE)
    before = sorted(path.name for path in tmp_path.rglob("*"))
    with pytest.raises(UsageError, match="empty is not empty"):
        write_seed_files(tmp_path / "empty", catalog, rows, **RECIPE)
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    catalog = sites(2, 0)
    rows = samples(catalog, 1, 0)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        write_seed_files(tmp_path / "file", catalog, rows, **RECIPE)
    with pytest.raises(UsageError, match="below cannot be written"):
        write_seed_files(tmp_path / "file" / "below", catalog, rows, **RECIPE)
    long = with_column(catalog, "station_id", ["VDS " + 300 * "x", None])
    with pytest.raises(UsageError, match="out cannot be written"):  # after the first files
        write_seed_files(tmp_path / "out", long, rows, **RECIPE)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_samples_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    catalog, out = sites(3, 0), tmp_path / "out"
    rows = samples(catalog, 2, 0)
    inputs = rows["inputs"].to_pylist()
    inputs[4][17] = 1.5
    for wrong, of, match in (
        (rows.slice(0, 0), catalog, "no samples to write"),
        (rows.drop_columns(["sample_day", "qa"]), catalog, "samples have no column qa, sample_day"),
        (rows, catalog.drop_columns(["block_id"]), "sites have no column block_id"),
        (rows, catalog.slice(1), "Site st-VDS-0 has samples but is not among the sites"),
        (pa.concat_tables([rows, rows.slice(3, 1)]), catalog, "rows 4 and 13 are both"),
        (rows, pa.concat_tables([catalog, catalog.slice(0, 1)]), "rows 1 and 4 are both st-VDS-0"),
        (with_column(rows, "inputs", inputs), catalog, "row 5, column 17 is 1.5, outside 0..1"),
    ):
        with pytest.raises((DataError, UsageError), match=match):
            write_seed_files(out, of, wrong, **RECIPE)
        assert not list(tmp_path.iterdir())


def test_a_folder_of_the_seed_system_is_read(tmp_path: Path) -> None:
    merged = seed_merged()
    folder = write_seed_folder(tmp_path / "seed", merged=merged)
    sources = {"VN": "planet_swc", "CHINA_1km": "nsidc_0779"}
    found = read_seed_files(folder, recipe_id="eov-2025", source=sources)
    assert found.recipe_fingerprint == EOV_2025.fingerprint
    assert found.sites.schema.equals(SITE_CATALOG.arrow_schema)
    assert found.samples.schema.equals(SAMPLES_SCHEMA)
    site = found.sites.to_pylist()
    assert [row["site_id"] for row in site] == ["st-VN-17", "st-VN-18", "st-CHINA_1km-a-b"]
    assert [row["level"] for row in site] == ["100m", "100m", "1km"]
    assert {row["cell_id"] for row in site} == {row["land_cover_code"] for row in site} == {None}
    row, col = ease2.cells(ease2.LEVEL_3KM, *ease2.project(106.43, 20.45))
    assert site[0]["block_id"] == row * 11568 + col
    first, third = found.samples.to_pylist()[0], found.samples.to_pylist()[2]
    assert first["site_id"] == "st-VN-17"
    assert first["block_id"] == site[0]["block_id"]
    assert (first["scene_id"], third["scene_id"]) == ("seed-2024-03-01-91",) * 2
    assert (first["source"], first["support_m"]) == ("planet_swc", 100)
    assert (third["source"], third["support_m"]) == ("nsidc_0779", 1000)
    assert first["sensed_utc"].isoformat() == "2024-03-01T00:00:00+00:00"
    assert (first["time_difference_h"], first["footprint_share"], first["qa"]) == (None, None, 0)
    assert first["sm_m3m3"] == np.float32(merged["sm"][0])
    inputs = np.array(found.samples["inputs"].to_pylist(), np.float32)
    np.testing.assert_array_equal(inputs, merged[list(map(str, range(153)))].astype(np.float32))


def test_what_the_seed_system_wrote_comes_back_from_our_export(tmp_path: Path) -> None:
    folder = write_seed_folder(tmp_path / "seed")
    first = read_seed_files(folder, recipe_id="eov-2025", source="planet_swc")
    told = {"recipe_id": first.recipe_id, "recipe_fingerprint": first.recipe_fingerprint}
    write_seed_files(tmp_path / "ours", first.sites, first.samples, **told)
    assert read_seed_files(tmp_path / "ours") == first


def test_recipe_and_source_have_to_be_named(tmp_path: Path) -> None:
    folder = write_seed_folder(tmp_path / "seed")
    for told, error, match in (
        ({}, UsageError, "by which recipe its inputs were made"),
        ({"recipe_id": "eov"}, RecipeError, "no recipe 'eov'"),
        ({"recipe_id": "eov-2025"}, UsageError, "name the source"),
        ({"recipe_id": "eov-2025", "source": {"VN": "ismn"}}, UsageError, "network CHINA_1km"),
        ({"recipe_id": "eov-2025", "source": "planet"}, UsageError, "no label source 'planet'"),
    ):
        with pytest.raises(error, match=match):
            read_seed_files(folder, **told)


def test_what_exceeds_one_by_rounding_alone_is_one(tmp_path: Path) -> None:
    merged = seed_merged().assign(**{"5": 1.0000004, "6": -0.0000004})
    folder = write_seed_folder(tmp_path / "seed", merged=merged)
    found = read_seed_files(folder, recipe_id="eov-2025", source="ismn").samples
    assert {tuple(row[5:7]) for row in found["inputs"].to_pylist()} == {(1.0, 0.0)}


def test_files_of_another_recipe_are_refused(tmp_path: Path) -> None:
    catalog = sites(2, 0)
    write_seed_files(tmp_path / "out", catalog, samples(catalog, 1, 0), **RECIPE)
    with pytest.raises(RecipeError, match="is of recipe sm-100m-v1, not of eov-2025"):
        read_seed_files(tmp_path / "out", recipe_id="eov-2025")
    path = tmp_path / "out/merged.csv"
    path.write_text(path.read_text().replace('"sm-100m-v1"', '"eov-2025"', 1))
    with pytest.raises(RecipeError, match="rows of 2 recipes"):
        read_seed_files(tmp_path / "out")


Change = Callable[[pd.DataFrame], pd.DataFrame]
BAD_MERGED: list[tuple[Change, str]] = [
    (lambda m: m.drop(columns=["sm", "7"]), "fusion.csv has no column sm, 7"),
    (lambda m: m.assign(sm=[0.1, 0.2, "wet", 0.1, 0.1, 0.1]), "row 3, column sm holds 'wet'"),
    (lambda m: m.assign(sm=[0.1, 23.4, 0.1, 0.1, 0.1, 0.1]), "row 2, column sm is 23.4.*percent"),
    (lambda m: m.assign(**{"3": -0.5}), "row 1, column 3 is -0.5, outside 0..1"),
    (lambda m: m.assign(**{"9": [0, 0, np.nan, np.inf, 0, 0]}), "row 4, column 9 is inf"),
    (lambda m: pd.concat([m, m.iloc[[1]]]), "rows 2 and 7 are both st-VN-18, seed-2024-03-01-91"),
    (lambda m: m.assign(date="01/03/2024"), "column date must hold days"),
    (lambda m: m.assign(date=["", *["2024-03-01"] * 5]), "row 1 lacks its date"),
    (lambda m: m.assign(station="VN_99"), "row 1 is of site VN VN_99, which site_info.csv has not"),
]


@pytest.mark.parametrize(("change", "match"), BAD_MERGED)
def test_bad_merged_tables_are_refused_by_place(tmp_path: Path, change: Change, match: str) -> None:
    folder = write_seed_folder(tmp_path / "seed", merged=change(seed_merged()))
    with pytest.raises(DataError, match=match):
        read_seed_files(folder, recipe_id="eov-2025", source="planet_swc")


BAD_SITES: list[tuple[Change, str]] = [
    (lambda s: s.drop(columns="lat"), "site_info.csv has no column lat"),
    (lambda s: s.assign(lat=[20, 91, 20]), "row 2, column lat is 91, not within -85..85"),
    (lambda s: s.assign(lon=[106, 106, np.nan]), "row 3, column lon is nan"),
    (lambda s: s.assign(station=17, network="VN"), "rows 1 and 2 are both st-VN-17"),
    (lambda s: s.assign(lat=["20,4", 20, 20]), "row 1, column lat holds '20,4'"),
]


@pytest.mark.parametrize(("change", "match"), BAD_SITES)
def test_bad_sites_are_refused_by_place(tmp_path: Path, change: Change, match: str) -> None:
    folder = write_seed_folder(tmp_path / "seed", site_info=change(seed_site_info()))
    with pytest.raises(DataError, match=match):
        read_seed_files(folder, recipe_id="eov-2025", source="planet_swc")


def test_folders_without_the_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no folder"):
        read_seed_files(tmp_path / "absent")
    with pytest.raises(DataError, match="no file site_info.csv"):
        read_seed_files(tmp_path)
    folder = write_seed_folder(tmp_path / "seed")
    (folder / "balanced.csv").write_bytes((folder / "fusion.csv").read_bytes())
    with pytest.raises(DataError, match="several merged tables: balanced.csv, fusion.csv"):
        read_seed_files(folder)
    (folder / "balanced.csv").unlink()
    (folder / "fusion.csv").write_text("time,sm\n2024-03-01,0.2\n")
    with pytest.raises(DataError, match="no merged table"):
        read_seed_files(folder)


def test_the_real_labelled_sample_is_read_once_it_has_a_site(
    tmp_path: Path, shared: Callable[..., Path]
) -> None:
    real = pd.read_csv(shared("realdata", "densesm", "result_1x162.csv")).copy()
    folder = write_seed_folder(tmp_path / "seed", merged=real)
    with pytest.raises(DataError, match="fusion.csv has no column network, station, sm:"):
        read_seed_files(folder, recipe_id="eov-2025", source="planet_swc")
    first = pd.DataFrame({"s_index": [1], "network": "VN", "station": 17})
    named = pd.concat([first, real.rename(columns={"sm_25": "sm"})], axis=1)
    write_seed_folder(folder, merged=named)
    row = read_seed_files(folder, recipe_id="eov-2025", source="ismn").samples.to_pylist()[0]
    assert row["scene_id"] == "seed-2017-12-21-174"
    assert row["sm_m3m3"] == np.float32(0.2645)
    expected = real[list(map(str, range(153)))].to_numpy(np.float32)[0]
    np.testing.assert_array_equal(np.array(row["inputs"], np.float32), expected)


def test_the_real_unscaled_rows_are_refused_by_row_and_column(
    tmp_path: Path, shared: Callable[..., Path]
) -> None:
    real = pd.read_csv(shared("realdata", "densesm", "samples_107x153.csv"))
    days = pd.date_range("2024-01-01", periods=len(real)).strftime("%Y-%m-%d")
    first = pd.DataFrame({"network": "VN", "station": 17, "date": days, "sm": 0.2})
    merged = pd.concat([first, real], axis=1)
    folder = write_seed_folder(tmp_path / "seed", merged=merged)
    with pytest.raises(DataError, match="row 1, column 0 is -10.1347, outside 0..1: scale"):
        read_seed_files(folder, recipe_id="eov-2025", source="ismn")
