"""Pairing labels with the feature rows of their sites; what cannot be used is counted."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sm_platform.errors import DataError
from sm_platform.schema.rows import FeatureRows, take


@dataclass(frozen=True, slots=True)
class Samples:
    """Labels with all their inputs present, in the order of the labels given."""

    rows: FeatureRows
    sm_m3m3: NDArray[np.float32]
    """(n,)"""
    label_index: NDArray[np.int64]
    """(n,): index among the labels given."""
    dropped: Mapping[str, int]
    """Labels left out, by the first reason; with the samples they add up to all labels."""

    def __len__(self) -> int:
        return len(self.sm_m3m3)


SiteIds = NDArray[np.str_] | NDArray[np.object_]
"""Site ids as text, as numpy or Arrow give them."""


def pair(
    site_id: SiteIds,
    sm_m3m3: NDArray[np.floating],
    features: FeatureRows,
    feature_site_id: SiteIds,
) -> Samples:
    """Join labels (n,) with the rows of one pass by site; `feature_site_id` names each row's.

    Labels of several sources at one site are several samples with the same inputs.

    Raises:
        DataError: there is not one label value for each site id, two feature rows belong to one
            site, or a site id is not a text.
    """
    if len(site_id) != len(sm_m3m3):
        raise DataError(
            f"{len(sm_m3m3)} labels come with {len(site_id)} site ids: give each label its site."
        )
    row = _row_of(site_id, feature_site_id, len(features))
    is_alone = row < 0
    is_missing = np.isnan(sm_m3m3)
    is_incomplete = ~is_alone & ~_complete(features)[np.where(is_alone, 0, row)]
    kept = np.flatnonzero(~is_alone & ~is_missing & ~is_incomplete)
    return Samples(
        rows=take(features, row[kept]),
        sm_m3m3=sm_m3m3[kept].astype(np.float32),
        label_index=kept,
        dropped={
            "missing_label": int(is_missing.sum()),
            "no_features": int((is_alone & ~is_missing).sum()),
            "missing_input": int((is_incomplete & ~is_missing).sum()),
        },
    )


def _row_of(site_id: SiteIds, feature_site_id: SiteIds, n_rows: int) -> NDArray[np.int64]:
    """Feature row of each label, -1 where its site has none."""
    known = _texts(feature_site_id)
    n_known = len(pc.unique(known))
    if not n_known == len(known) == n_rows:
        raise DataError(
            f"{n_rows} feature rows name {n_known} sites in {len(known)} ids: "
            "give one pass at a time."
        )
    row = pc.index_in(_texts(site_id), value_set=known)
    return np.asarray(pc.fill_null(row, -1).to_numpy(zero_copy_only=False), np.int64)


def _texts(site_id: SiteIds) -> pa.Array:
    try:
        found = pa.array(site_id, pa.string())
    except (pa.ArrowTypeError, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(f"Site ids must be texts such as 100m-16520-30841: {error}") from error
    if found.null_count:
        raise DataError(f"{found.null_count} site ids are missing: read the sites again.")
    return found


def _complete(features: FeatureRows) -> NDArray[np.bool_]:
    """Whether each row has all of its inputs; one False more, so that no rows are rows."""
    is_series_whole = np.asarray(~np.isnan(features.series).any(axis=(1, 2)))
    are_scalars_whole = ~np.isnan(features.scalars).any(axis=1)
    return np.append(are_scalars_whole & is_series_whole[features.series_index], False)
