"""What is wrong in the rows of a seed system's file, said by row (from 1) and column."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sm_platform.errors import DataError
from sm_platform.grid import ease2
from sm_platform.schema.label_sources import LABEL_SOURCES, LabelType

_LON_DEG, _LAT_DEG = 180.0, 85.0
_KNOWN: Mapping[str, Collection[str]] = {
    "level": [level.name for level in ease2.LEVELS],
    "site_kind": ("cell", "station"),
    "source": LABEL_SOURCES,
    "label_type": list(LabelType),
}
"""What a column of texts may say."""
_NAMES_THERE = {"sample_day": "date", "scene_id": "date (or orbit)"}
"""Names of columns in files of the seed system, which has no pass."""


def check_places(rows: pa.Table, told: str) -> None:
    """Raise DataError when a place (`lon_deg`, `lat_deg`) is missing or not on the globe."""
    for name, limit in (("lon_deg", _LON_DEG), ("lat_deg", _LAT_DEG)):
        values = rows[name].to_numpy()
        bad = np.flatnonzero(~(np.abs(values) <= limit))
        if len(bad):
            raise DataError(
                f"{told}: row {bad[0] + 1}, column {name.removesuffix('_deg')} is "
                f"{values[bad[0]]:g}, not within {-limit:g}..{limit:g} degrees: correct the place."
            )


def check_labels(rows: pa.Table, told: str) -> None:
    """Raise DataError when a label lies outside 0..1 m3/m3; a missing one may be."""
    sm = rows["sm_m3m3"].to_numpy()
    bad = np.flatnonzero((sm < 0) | (sm > 1))
    if len(bad):
        raise DataError(
            f"{told}: row {bad[0] + 1}, column sm is {sm[bad[0]]:g} m3/m3, outside 0..1: divide "
            "percent by 100, leave a missing label empty."
        )


def check_blocks(rows: pa.Table, of_site: pa.ChunkedArray, told: str) -> None:
    """Raise DataError when a row has another block than its site: splits would leak."""
    bad = np.flatnonzero(rows["block_id"].to_numpy() != of_site.to_numpy())
    if len(bad):
        raise DataError(
            f"{told}: row {bad[0] + 1}, column block_id is {rows['block_id'][bad[0]]}, that of its "
            f"site is {of_site[bad[0]]}: leave the column out."
        )


def refuse_unknown(rows: pa.Table, told: str) -> None:
    """Raise DataError when a level, kind, source or label type is not one of the platform."""
    for name in [name for name in _KNOWN if name in rows.column_names]:
        is_known = pc.is_in(rows[name], value_set=pa.array(list(_KNOWN[name]), pa.string()))
        bad = np.flatnonzero(~is_known.to_numpy(zero_copy_only=False))
        if len(bad):
            raise DataError(
                f"{told}: row {bad[0] + 1}, column {name} is '{rows[name][bad[0]]}': use one of "
                f"{', '.join(_KNOWN[name])}."
            )


def refuse_null(rows: pa.Table, told: str, but: Sequence[str] = ()) -> None:
    """Raise DataError when a column that needs a value lacks one, those in `but` apart."""
    for field in rows.schema:
        if not field.nullable and field.name not in but and rows[field.name].null_count:
            row = int(np.flatnonzero(rows[field.name].is_null().to_numpy())[0])
            name = _NAMES_THERE.get(field.name, field.name)
            raise DataError(f"{told}: row {row + 1} lacks its {name}: fill it in.")


def refuse_twice(rows: pa.Table, keys: Sequence[str], told: str) -> None:
    """Raise DataError when two rows have the same keys."""
    frame = rows.select(list(keys)).to_pandas()
    twice = frame.duplicated().to_numpy()
    if twice.any():
        row = int(np.flatnonzero(twice)[0])
        first = int(np.flatnonzero((frame == frame.iloc[row]).all(axis=1))[0])
        name = ", ".join(map(str, frame.iloc[row]))
        raise DataError(f"{told}: rows {first + 1} and {row + 1} are both {name}: keep one.")
