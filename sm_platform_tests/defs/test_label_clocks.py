"""Local time labelled UTC: told from the temperature that stands beside the moisture."""

import re
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from rasterio.io import MemoryFile

from sm_platform.defs.assets.sites import station_readings
from sm_platform.defs.bring_labels import (
    bring_csv,
)
from sm_platform.defs.own_series import OwnSeries
from sm_platform.errors import UsageError
from sm_platform.formats.series_csv import SeriesColumns
from sm_platform.lake.granules import landed
from sm_platform.lake.layout import Layout
from sm_platform.schema.region import Region
from sm_platform_tests.defs.label_files import (
    COLUMNS,
    HOURS,
    columns_of,
    only,
    window_at,
    write_csv,
)
from sm_platform_tests.defs.label_lake import FARM, LON, farm, materialized, told


def course() -> list[float]:
    """Air that is warmest at 14 hours of local solar time, degrees Celsius."""
    solar = np.arange(len(HOURS)) + LON / 15
    return [round(float(one), 2) for one in 25 + 6 * np.cos(2 * np.pi * (solar - 14) / 24)]


@pytest.mark.parametrize(("shift", "expected"), [(7, "7 h ahead of UTC"), (-5, "5 h behind UTC")])
def test_local_time_labelled_utc_is_told_from_the_temperature(
    shift: int, expected: str, layout: Layout, region: Region, tmp_path: Path
) -> None:
    values: list[object] = [0.3 - 0.0001 * n for n in range(len(HOURS))]
    path = write_csv(tmp_path / "a.csv", values, shift, air=course())
    said = OwnSeries(COLUMNS, temperature="air")
    assert expected in only(bring_csv(layout, region, path, said), "Warning: plot")
    assert expected in str(told(materialized(layout, [station_readings], FARM))["clocks"])
    write_csv(path, values, 0, air=course())
    assert not any("Warning" in one for one in bring_csv(layout, region, path, said).told)
    assert "clocks" not in told(materialized(layout, [station_readings], FARM))


def test_a_clock_that_cannot_be_told_is_said_to_be_so(
    layout: Layout, region: Region, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "a.csv", [0.2, 0.3], air=[20.0, 21.0])
    brought = bring_csv(layout, region, path, OwnSeries(COLUMNS, temperature="air"))
    assert only(brought, "Whether the times are UTC cannot be told from the temperature of plot")
    with pytest.raises(UsageError, match="no column 'sky'"):
        bring_csv(layout, region, path, OwnSeries(COLUMNS, temperature="sky"))


def test_real_air_temperature_tells_the_clock_of_a_series(
    shared: Callable[..., Path], layout: Layout, tmp_path: Path
) -> None:
    """Hours of a sheet in Vietnam: labelled Z, they are UTC+7."""
    place = {"lon_deg": 108.1, "lat_deg": 15.1}
    home = farm(layout, window_at(**place))
    moments, kelvin = real_hours(next(shared("realdata", "vietnam").glob("era5_*.zip")))
    path = tmp_path / "a.csv"
    rows = [f"{m:%Y-%m-%dT%H:%M:%SZ},0.3,{k}" for m, k in zip(moments, kelvin, strict=True)]
    path.write_text("\n".join(["time,theta,t2m", *rows]))
    columns = SeriesColumns(**{**columns_of(COLUMNS), **place})
    brought = bring_csv(layout, home, path, OwnSeries(columns, temperature="t2m"))
    assert "7 h ahead of UTC, as a clock of UTC+7 does" in only(brought, "Warning")
    path.write_text("\n".join(["time,theta,t2m", *rows]).replace("Z,", ","))
    local = SeriesColumns(**{**columns_of(columns), "timezone": "Asia/Ho_Chi_Minh"})
    brought = bring_csv(layout, home, path, OwnSeries(local, temperature="t2m"))
    assert not any("Warning" in one for one in brought.told)
    assert len(landed(layout, "user_csv", FARM, None)) == 1, "the wrong hours are gone"


def real_hours(path: Path) -> tuple[list[datetime], list[float]]:
    moments, kelvin = [], []
    with zipfile.ZipFile(path) as bundle:
        for name in sorted(bundle.namelist()):
            if name.startswith("temperature_2m"):
                moments.append(
                    datetime.strptime(re.findall(r"\d{8}_\d{6}", name)[0], "%Y%m%d_%H%M%S")
                )
                with MemoryFile(bundle.read(name)) as memory, memory.open() as file:
                    kelvin.append(float(file.read(1).mean()))
    return moments, kelvin
