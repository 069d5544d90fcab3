"""`sm-platform samples radar-at`: radar at sites anywhere, by Earth Engine."""

import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from sm_platform.defs.budget import Purse, Spending
from sm_platform.defs.live_sources import live_budget, open_earth_engine
from sm_platform.defs.resources import settings
from sm_platform.defs.talk import Say, counted
from sm_platform.errors import UsageError
from sm_platform.grid.calendar import days_between, parse_day
from sm_platform.lake.layout import Layout
from sm_platform.sources.earth_engine.sites import Site
from sm_platform.sources.metering import metered
from sm_platform.sources.protocol import Product

IDS = ("site_id", "station")
"""Names of the column that tells sites apart."""


def radar_at_command(file: Path, start: str, end: str, out: Path, say: Say) -> None:
    """Write VV, VH and angle of every pass at the sites of a CSV.

    Raises:
        UsageError: the file lacks a column, or a place or name cannot be.
        SourceError: Earth Engine refuses or does not answer.
    """
    if out.suffix not in (".parquet", ".csv"):
        raise UsageError(f"{out} ends in neither .parquet nor .csv: name such a file.")
    sites, days = read_sites(file), days_between(parse_day(start), parse_day(end))
    rows = pa.concat_tables(
        _blocks(sites, days, say) or [pa.table({"site_id": pa.array([], "str")})]
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix == ".csv":
        pyarrow.csv.write_csv(rows, out)
    else:
        pq.write_table(rows, out)
    say(f"{counted(rows.num_rows, 'row')} of {counted(len(sites), 'site')} are in {out}.")


def _blocks(sites: Sequence[Site], days: Sequence[date], say: Say) -> list[pa.Table]:
    """What Earth Engine has, paid from the month's budget after each block."""
    purse = Purse(Layout(settings().data_lake), live_budget())
    found: list[pa.Table] = []
    what = Spending("earth_engine", Product.S1_GRD.value, "sites")
    blocks = open_earth_engine().radar_at(sites, days)
    while True:
        purse.check()
        began = time.monotonic()
        with metered() as meter:
            try:
                table = next(blocks, None)
            finally:
                purse.note(what, meter, time.monotonic() - began, is_whole=True)
        if table is None:
            return found
        found.append(table)
        say(f"{counted(sum(one.num_rows for one in found), 'row')} so far")


def read_sites(file: Path) -> list[Site]:
    """Sites of a CSV with `lon`, `lat` (degrees) and `site_id` or `station`; as site_info.csv has.

    Raises:
        UsageError: a column is missing, a place is none, or a site is named twice.
    """
    try:
        table = pd.read_csv(file)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{file} cannot be read as CSV ({error}): write one with a header."
        ) from error
    name = next((one for one in IDS if one in table), None)
    lacking = [one for one in ("lon", "lat") if one not in table]
    if name is None or lacking:
        wanted = ", ".join([*lacking, *(["site_id"] if name is None else [])])
        raise UsageError(f"{file} has no column {wanted}: it needs site_id (or station), lon, lat.")
    for row, (lon, lat) in enumerate(zip(table["lon"], table["lat"], strict=True), start=2):
        if not (-180 <= lon <= 180 and -84 <= lat <= 84):
            raise UsageError(
                f"{file}, line {row}: {lon}, {lat} is no place in degrees on the grid."
            )
    if table[name].duplicated().any():
        twice = table[name][table[name].duplicated()].iloc[0]
        raise UsageError(f"{file} names the site '{twice}' twice: name each once.")
    return [
        Site(str(one[name]), float(one["lon"]), float(one["lat"])) for _, one in table.iterrows()
    ]
