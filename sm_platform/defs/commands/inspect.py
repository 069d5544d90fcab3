"""`sm-platform inspect`: what a provider's file is, for a person or as JSON."""

import json
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sm_platform.defs.talk import Say
from sm_platform.formats.inspected import Inspection, Place, Variable
from sm_platform.formats.inspection import inspect_file

LONGEST_CRS = 100


def inspect_command(path: Path, place: Place | None, *, as_json: bool, say: Say) -> None:
    """Print the file's product, time, grid, variables and values; notes go to stderr."""
    found = inspect_file(path, place)
    if as_json:
        print(json.dumps(_json(found, place), ensure_ascii=False, allow_nan=False))
    else:
        _print(found, place)
    for note in found.notes:
        say(note)


def _json(found: Inspection, place: Place | None) -> dict[str, object]:
    return {
        "product": found.product,
        "time_utc": _iso(found.time_utc),
        "crs": found.crs,
        "shape": list(found.shape) if found.shape else None,
        "variables": {
            one.name: {"unit": one.unit, "valid_share": one.valid_share} for one in found.variables
        },
        "at": {one.name: one.at for one in found.variables} if place else {},
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def _print(found: Inspection, place: Place | None) -> None:
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"product   {found.product}", markup=False)
    console.print(f"time UTC  {_iso(found.time_utc) or 'not told'}", markup=False)
    console.print(f"CRS       {_short(found.crs) or 'none'}", markup=False)
    if found.affine:
        console.print(f"affine    {' '.join(f'{one:.12g}' for one in found.affine)}", markup=False)
    shape = " x ".join(str(n) for n in found.shape) if found.shape else "none"
    console.print(f"shape     {shape}", markup=False)
    if not found.variables:
        console.print("no data variables", markup=False)
        return
    table = Table("variable", "unit", box=None, pad_edge=False)
    table.add_column("valid", justify="right")
    if place:
        table.add_column(f"at {place[0]:g} {place[1]:g}", justify="right")
    for one in found.variables:
        table.add_row(one.name, one.unit, _percent(one), *([_value(one)] if place else []))
    console.print(table)


def _short(crs: str | None) -> str | None:
    return crs if crs is None or len(crs) <= LONGEST_CRS else f"{crs[:LONGEST_CRS]}..."


def _percent(one: Variable) -> str:
    return "-" if one.valid_share is None else f"{100 * one.valid_share:.2f} %"


def _value(one: Variable) -> str:
    return "missing" if one.at is None else f"{one.at:.7g}"
