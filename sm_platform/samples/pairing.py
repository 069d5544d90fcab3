"""Pairing labels with the feature rows of their sites; what cannot be used is counted."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
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


def pair(
    site_id: NDArray[np.integer],
    sm_m3m3: NDArray[np.floating],
    features: FeatureRows,
    feature_site_id: NDArray[np.integer],
) -> Samples:
    """Join labels (n,) with the rows of one pass by site; `feature_site_id` names each row's.

    Raises:
        DataError: two feature rows belong to one site, or a row has no id.
    """
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


def _row_of(
    site_id: NDArray[np.integer], feature_site_id: NDArray[np.integer], n_rows: int
) -> NDArray[np.int64]:
    """Feature row of each label, -1 where its site has none."""
    known, first = np.unique(feature_site_id, return_index=True)
    if not len(known) == len(feature_site_id) == n_rows:
        raise DataError(
            f"{n_rows} feature rows name {len(known)} sites in {len(feature_site_id)} ids: "
            "give one pass at a time."
        )
    place = np.searchsorted(known, site_id)
    row = np.append(first, -1)[place]
    is_same = np.append(known, -1)[place] == site_id
    return np.where(is_same, row, -1).astype(np.int64)


def _complete(features: FeatureRows) -> NDArray[np.bool_]:
    """Whether each row has all of its inputs; one False more, so that no rows are rows."""
    is_series_whole = np.asarray(~np.isnan(features.series).any(axis=(1, 2)))
    are_scalars_whole = ~np.isnan(features.scalars).any(axis=1)
    return np.append(are_scalars_whole & is_series_whole[features.series_index], False)
