"""What a person says to name an area, from the command line or the UI."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sm_platform.errors import UsageError
from sm_platform.sites.area_files import area_from_file
from sm_platform.sites.areas import Area, area_from_bbox
from sm_platform.sites.boundaries import area_from_country
from sm_platform.sites.map_sheets import area_from_sheet


@dataclass(frozen=True, slots=True)
class AreaChoice:
    """Where an area comes from: exactly one of file, bbox, sheet, country."""

    file: Path | None = None
    layer: str | None = None
    """Of that file."""
    bbox: Sequence[float] | None = None
    """West, south, east, north in degrees."""
    sheet: str | None = None
    sheets: Path | None = None
    """File in which that sheet is looked up; without it the name alone tells its place."""
    country: str | None = None

    def area(self) -> Area:
        """The area.

        Raises:
            UsageError: none or several are named, or an option stands beside one that it says
                nothing of; and what the kind of area raises.
            DataError: as the kind of area raises.
        """
        self._check()
        if self.file:
            return area_from_file(self.file, layer=self.layer)
        if self.sheet:
            return area_from_sheet(self.sheet, self.sheets)
        if self.country:
            return area_from_country(self.country)
        west, south, east, north = _four(self.bbox or ())
        return area_from_bbox(west, south, east, north)

    def _check(self) -> None:
        named = {
            "--file": self.file,
            "--bbox": self.bbox,
            "--sheet": self.sheet,
            "--country": self.country,
        }
        given = [name for name, value in named.items() if value]
        if len(given) != 1:
            said = f"{' and '.join(given)} were" if given else "none was"
            raise UsageError(f"An area is one of {', '.join(named)}: {said} given.")
        for option, value, owner in (
            ("--layer", self.layer, "--file"),
            ("--sheets", self.sheets, "--sheet"),
        ):
            if value and given != [owner]:
                raise UsageError(
                    f"{option} goes with {owner}, but {given[0]} was given: leave {option} out."
                )


def _four(numbers: Sequence[float]) -> Sequence[float]:
    if len(numbers) != 4:
        raise UsageError(
            f"A bbox is four numbers, west south east north in degrees; {len(numbers)} were given."
        )
    return numbers
