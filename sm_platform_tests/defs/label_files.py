"""Files of labels as a person has them, and what is said of them."""

import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

import numpy as np

from sm_platform.defs.bring_labels import Brought
from sm_platform.formats.series_csv import SeriesColumns
from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow
from sm_platform_tests.defs.label_lake import DAY, LAT, LON, at
from sm_platform_tests.formats.smap_files import CORNER, L4_ATTRIBUTES, write_spl4

COLUMNS = SeriesColumns(
    time="time", value="theta", unit="m3/m3", site_name="plot", lon_deg=LON, lat_deg=LAT
)
HOURS = [at(n) for n in range(24 * 8)]
WET = [(moment, 0.3 - 0.001 * n, "G") for n, moment in enumerate(HOURS)]


def write_l4(folder: Path, hour: int, sm: float, day: date = DAY, **changed: object) -> Path:
    """SPL4SMGP of a 3-hour mean over 4 x 4 cells, the farm's the one at row 1, column 1."""
    path = folder / f"SMAP_L4_SM_gph_{at(hour + 0.5, day):%Y%m%dT%H%M%S}_Vv8011_001.h5"
    corner = (CORNER[0] - 1, CORNER[1] - 1)
    values = np.full((4, 4), sm, np.float32)
    return write_spl4(path, values, corner=corner, attributes=L4_ATTRIBUTES | changed)


def write_stm(path: Path, rows: Sequence[tuple[datetime, float, str]], place: str = "") -> Path:
    """An ISMN series of the station, header and values."""
    head = f"NET NET field {place or f'{LAT:.5f} {LON:.5f}'} 3.0 0.0000 0.0500 probe"
    body = [f"{when:%Y/%m/%d %H:%M} {sm:.3f} {flag} M" for when, sm, flag in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([head, *body]) + "\n")
    return path


def write_zip(path: Path, members: Mapping[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def write_csv(path: Path, values: list[object], shift_h: int = 0, **columns: list[float]) -> Path:
    """Hours from the day on, with more columns beside the value."""
    head = ",".join(["time", "theta", *columns])
    rows = [
        ",".join(map(str, [f"{at(n + shift_h):%Y-%m-%dT%H:%M:%SZ}", value, *more]))
        for n, (value, *more) in enumerate(zip(values, *columns.values(), strict=True))
    ]
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def columns_of(columns: SeriesColumns) -> dict[str, object]:
    return {name: getattr(columns, name) for name in columns.__slots__}


def window_at(lon_deg: float, lat_deg: float, cells: int = 10) -> GridWindow:
    """So many cells of 100 m along each side, around a place."""
    level, half = ease2.LEVEL_100M, cells // 2
    row, col = ease2.cells(level, *ease2.project(np.array([lon_deg]), np.array([lat_deg])))
    return ease2.window(level, int(row[0]) - half, int(col[0]) - half, (cells, cells))


def only(brought: Brought, start: str) -> str:
    """The sentence told that begins so."""
    (sentence,) = [one for one in brought.told if one.startswith(start)]
    return sentence
