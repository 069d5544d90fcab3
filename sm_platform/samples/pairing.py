"""Pairing labels with the inputs of their sites for one pass; what cannot be used is counted."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sm_platform.errors import DataError
from sm_platform.schema.recipes import N_INPUTS

_NEAREST_FIRST = ("site_id", "source", "apart_h", "sensed_utc", "granule_id", "reading_no")


@dataclass(frozen=True, slots=True)
class Paired:
    """Labels with all their inputs present, and the rows of their sites beside them."""

    labels: pa.Table
    """(n rows), in the order of the labels given."""
    rows: pa.Table
    """(n rows): the inputs of the label in the same place."""
    dropped: Mapping[str, int]
    """Labels left out, by the first reason; with those kept they add up to all labels."""


def nearest(labels: pa.Table) -> pa.Table:
    """Of each site and source the label nearest in time to the pass, in order of both.

    `labels` are those of one pass, with `time_difference_h`. Of two as near the earlier counts,
    then the one whose granule and number come first, so the order of the rows does not matter.
    """
    apart = pc.abs(labels["time_difference_h"])
    order = labels.append_column("apart_h", apart).sort_by(
        [(name, "ascending") for name in _NEAREST_FIRST]
    )
    site, source = (_codes(order[name]) for name in ("site_id", "source"))
    is_first = np.ones(order.num_rows, np.bool_)
    is_first[1:] = (np.diff(site) != 0) | (np.diff(source) != 0)
    return order.drop_columns("apart_h").filter(pa.array(is_first))


def pair(labels: pa.Table, rows: pa.Table, *, min_footprint_share: float) -> Paired:
    """Join labels with the rows of one pass (columns of site_features) by `site_id`.

    Labels of several sources at one site are several samples with the same inputs.

    Raises:
        DataError: two rows belong to one site.
    """
    known = rows["site_id"].combine_chunks()
    if len(pc.unique(known)) != len(known):
        raise DataError(
            f"{len(known)} rows of inputs belong to {len(pc.unique(known))} sites: give the rows "
            "of one pass at a time."
        )
    place = pc.index_in(labels["site_id"], value_set=known)
    has_row = pc.is_valid(place)
    own = rows.take(pc.drop_null(place))
    is_whole = whole_inputs(own["inputs"])
    share = own["footprint_share"].to_numpy(zero_copy_only=False)
    is_seen = np.asarray(share >= np.float32(min_footprint_share))  # in the lake it is float32
    good = pa.array(is_whole & is_seen)
    return Paired(
        labels=labels.filter(has_row).filter(good),
        rows=own.filter(good),
        dropped={
            "no_features": labels.num_rows - own.num_rows,
            "missing_input": int((~is_whole).sum()),
            "small_footprint": int((is_whole & ~is_seen).sum()),
        },
    )


def whole_inputs(inputs: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Whether each row (a list of 153 numbers) has all of its inputs; null and NaN are missing."""
    flat = pa.chunked_array([chunk.flatten() for chunk in inputs.chunks], pa.float32())
    matrix = np.asarray(flat.to_numpy(zero_copy_only=False)).reshape(-1, N_INPUTS)
    return np.asarray(~np.isnan(matrix).any(axis=1))


def _codes(texts: pa.ChunkedArray) -> NDArray[np.int64]:
    """A number for each text, the same for the same text."""
    codes = pc.index_in(texts, value_set=pc.unique(texts))
    return np.asarray(codes.to_numpy(zero_copy_only=False), np.int64)
