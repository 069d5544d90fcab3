"""What a person says of a series of their own: it lies beside the file as `columns.json`."""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from sm_platform.errors import UsageError
from sm_platform.formats.series_csv import SeriesColumns
from sm_platform.lake.granules import LandedGranule
from sm_platform.schema.label_sources import LabelType, find_label_type, find_source

COLUMNS = "columns.json"
FORMAT = "series_csv"
BESIDE = ("label_type", "temperature")
"""Said beside the columns that the reader asks for."""


@dataclass(frozen=True, slots=True)
class OwnSeries:
    """How the file is to be read, and what its values are."""

    columns: SeriesColumns
    label_type: LabelType = LabelType.IN_SITU
    temperature: str | None = None
    """Column of air or skin temperature: it tells whether the times are UTC."""

    def __post_init__(self) -> None:
        if self.columns.site_name is not None and not self.columns.site_name.strip():
            raise UsageError("The name of the site is empty: give it one with --site-name.")
        if self.columns.time_format is not None:
            _check_time_format(self.columns.time_format)

    def as_json(self) -> str:
        """The text that lies beside the file."""
        beside = {name: getattr(self, name) for name in BESIDE}
        return json.dumps({**asdict(self.columns), **beside}, sort_keys=True, indent=1)


def said_of(granule: LandedGranule) -> OwnSeries:
    """What was said when the series was brought."""
    said = place_of(granule)
    label_type, temperature = (said.pop(name, None) for name in BESIDE)
    known = find_label_type(label_type or LabelType.IN_SITU)
    return OwnSeries(SeriesColumns(**said), known, temperature)


def place_of(granule: LandedGranule) -> dict[str, Any]:
    """What was said of the granule, as it was written."""
    found: dict[str, Any] = json.loads((granule.folder / COLUMNS).read_text())
    return found


def label_type_of(granule: LandedGranule) -> LabelType:
    """What the person said of a series of their own; of other granules their source's."""
    if granule.format == FORMAT:
        return said_of(granule).label_type
    return find_source(granule.product).label_type


def _check_time_format(form: str) -> None:
    """Ask what will read the times later on."""
    try:
        pd.to_datetime(pd.Series(["no time"]), format=form, errors="coerce")
    except (ValueError, re.error) as error:
        raise UsageError(
            f"'{form}' is no time format ({error}): write it as %d/%m/%Y %H:%M."
        ) from error
