import re

import numpy as np
import pyarrow as pa
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st

from sm_platform.errors import DataError, GridError
from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow, lonlat, pad
from sm_platform.lake import store
from sm_platform.schema.label_tables import SITE_CATALOG
from sm_platform.sites.stations import station_site_id, station_sites
from sm_platform_tests.sites.land import REGION, mixed

LON, LAT = (part.ravel() for part in lonlat(REGION))


def stations(**places: tuple[float | None, float | None]) -> pa.Table:
    lon, lat = zip(*places.values(), strict=True)
    columns = {"station_id": list(places), "lon_deg": lon, "lat_deg": lat}
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def test_station_is_a_site_of_the_pixel_it_stands_in() -> None:
    land_cover = mixed(1)
    texture = (np.arange(REGION.size) % 3 + 1).astype(np.int8).reshape(REGION.shape)
    mean_sm = np.full(REGION.shape, 0.25, np.float32)
    place = LON[4000] + 0.0003, LAT[4000] - 0.0003  # 30 m from the centre of the pixel
    table = stations(VDS_Kinda=place, far=(100.0, 20.0), unknown=(None, 20.0), wrong=(20.0, 106.0))
    found = station_sites(REGION, table, land_cover=land_cover, texture=texture, mean_sm=mean_sm)
    assert found.rejected == {"far": "outside_region", "unknown": "no_place", "wrong": "no_place"}
    (row,) = store.check(SITE_CATALOG, found.rows).to_pylist()
    cell = ease2.cells(ease2.LEVEL_100M, *ease2.project(*place))
    assert re.fullmatch("st-vds-kinda-[0-9a-f]{6}", row.pop("site_id"))
    assert row.pop("purity") == pytest.approx(
        max(v.ravel()[4000] for n, v in land_cover.values.items() if n.endswith("_share"))
    )
    assert row == {
        "site_kind": "station",
        "level": "100m",
        "cell_row": int(cell[0]),
        "cell_col": int(cell[1]),
        "cell_id": 4000,
        "lon_deg": place[0],
        "lat_deg": place[1],
        "land_cover_code": land_cover.values["land_cover_code"].ravel()[4000],
        "texture_code": 4000 % 3 + 1,
        "mean_sm_m3m3": 0.25,
        "block_id": int(cell[0]) // 30 * ease2.LEVEL_3KM.shape[1] + int(cell[1]) // 30,
        "station_id": "VDS_Kinda",
    }


def test_station_outside_the_outline_is_named() -> None:
    inside = np.zeros(REGION.shape, bool)
    inside.ravel()[7] = True
    table = stations(a=(LON[7], LAT[7]), b=(LON[8], LAT[8]), c=(LON[-1], LAT[-1]))
    found = station_sites(REGION, table, inside=inside)
    assert found.rows["station_id"].to_pylist() == ["a"]
    assert found.rejected == {"b": "outside_region", "c": "outside_region"}
    assert found.rows["land_cover_code"].to_pylist() == [0]
    assert found.rows["purity"].null_count == found.rows["mean_sm_m3m3"].null_count == 1


def test_last_pixel_is_not_mistaken_for_outside() -> None:
    table = stations(last=(LON[-1], LAT[-1]), away=(0.0, 0.0))
    found = station_sites(REGION, table)
    assert found.rows["cell_id"].to_pylist() == [REGION.size - 1]
    assert found.rejected == {"away": "outside_region"}


def test_first_row_of_a_station_gives_its_place_and_order_is_irrelevant() -> None:
    rows = stations(b=(LON[1], LAT[1]), a=(LON[2], LAT[2]))
    again = pa.concat_tables([rows, stations(b=(LON[9], LAT[9]))])
    found = station_sites(REGION, again)
    assert found.rows.sort_by("station_id")["cell_id"].to_pylist() == [2, 1]
    assert found.rows.equals(station_sites(REGION, rows.take([1, 0])).rows)
    assert found.rows["site_id"].to_pylist() == sorted(found.rows["site_id"].to_pylist())


def test_no_station_at_all_gives_no_rows() -> None:
    found = station_sites(REGION, stations(a=(0.0, 0.0)).slice(0, 0), land_cover=mixed(1))
    assert (found.rows.num_rows, dict(found.rejected)) == (0, {})
    assert found.rows.schema == SITE_CATALOG.arrow_schema


def test_station_in_a_window_of_degrees() -> None:
    window = GridWindow("EPSG:4326", Affine(0.01, 0, 106, 0, -0.01, 21), (20, 20))
    found = station_sites(window, stations(a=(106.025, 20.965)))
    assert found.rows["cell_id"].to_pylist() == [3 * 20 + 2]


@given(st.text(min_size=1), st.text(min_size=1))
def test_ids_are_safe_in_a_path_and_differ(one: str, two: str) -> None:
    ids = [station_site_id(name) for name in (one, two)]
    assert all(re.fullmatch("st(-[a-z0-9]+)+", name) and len(name) <= 50 for name in ids)
    assert (ids[0] == ids[1]) == (one == two)


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("SMOSMANIA/Narbonne", "st-smosmania-narbonne-"),
        ("Cần Thơ Đồng 1", "st-can-tho-dong-1-"),
        ("../..", "st-"),
        ("水站", "st-"),
    ],
)
def test_names_stay_readable(name: str, begins: str) -> None:
    assert re.fullmatch(begins + "[0-9a-f]{6}", station_site_id(name))


def test_lists_that_cannot_be_used_are_refused() -> None:
    with pytest.raises(DataError, match="no column lon_deg, lat_deg"):
        station_sites(REGION, pa.table({"station_id": ["a"]}))
    with pytest.raises(DataError, match="no station_id"):
        station_sites(REGION, pa.table({"station_id": [""], "lon_deg": [1.0], "lat_deg": [1.0]}))
    with pytest.raises(GridError, match="different windows"):
        station_sites(pad(REGION, 1), stations(a=(1.0, 1.0)), land_cover=mixed(1))
