"""Areas of Vietnamese map sheets 1:50,000, by their name alone or from a file of sheets."""

import re
from pathlib import Path

import shapely

from sm_platform.errors import UsageError
from sm_platform.sites.area_files import area_from_file
from sm_platform.sites.areas import Area

FIELD = "PhienHieu"
"""Field with the sheet's name in files of sheets."""
NAME = re.compile(r"([A-F])-(4[6-9]|5[01])-([1-9][0-9]?)-([A-D])")
QUARTERS = "ABCD"
"""Quarters of a 1:100,000 sheet: north-west, north-east, south-west, south-east."""
TURNED_QUARTERS = "DBAC"
"""The order in the sheets below."""
TURNED = frozenset({"C-49-25", "D-49-49", "D-49-73", "F-49-49"})
"""1:100,000 sheets along the meridian of 108 degrees whose quarters are named otherwise."""


def area_from_sheet(name: str, sheets_path: Path | None = None) -> Area:
    """The area of a sheet such as D-49-49-A, from a file of sheets or from its name.

    The name: row of 4 degrees (A from the equator) and zone of 6 degrees (48 begins at 102 E) of
    the 1:1,000,000 sheet; 1..96 of its 30' sheets, twelve in a row from the north-west; A..D of
    its 15' quarters. This gives all 604 sheets of the national file of sheets in use within
    0.3 m, nine of them (A, C, D of `TURNED`) only when named as there, where the quarters stand
    in the order D, B over A, C; the notes say so. Degrees are taken as WGS 84, as in that file;
    the lines of a printed VN-2000 sheet lie about 220 m beside.

    Raises:
        UsageError: the name is none, or the file has no such sheet (the nearest are named).
    """
    wanted = name.strip().upper()
    if sheets_path is not None:
        return area_from_file(sheets_path, where=(FIELD, wanted))
    west, south, is_turned = _corner(wanted)
    outline = shapely.box(west, south, west + 0.25, south + 0.25)
    notes: tuple[str, ...] = ()
    if is_turned and not wanted.endswith("B"):
        notes = (
            f"Sheet {wanted}: the quarters of {wanted[:-2]} stand as the national file of sheets "
            "names them (D, B over A, C), not by the rule (A, B over C, D); look at the picture.",
        )
    return Area(outline, f"map sheet {wanted}, from its name", notes)


def _corner(name: str) -> tuple[float, float, bool]:
    """West, south (degrees) of a sheet and whether its quarters are turned."""
    parts = NAME.fullmatch(name)
    number = int(parts[3]) if parts else 0
    if parts is None or number > 96:
        raise UsageError(
            f"'{name}' is no map sheet 1:50,000 of Vietnam: names are like D-49-49-A (row A to F, "
            "zone 46 to 51, number 1 to 96, quarter A to D)."
        )
    row, col = divmod(number - 1, 12)
    is_turned = name[:-2] in TURNED
    down, right = divmod((TURNED_QUARTERS if is_turned else QUARTERS).index(parts[4]), 2)
    west = (int(parts[2]) - 31) * 6 + col * 0.5 + right * 0.25
    south = (ord(parts[1]) - ord("A") + 1) * 4 - row * 0.5 - (down + 1) * 0.25
    return west, south, is_turned
