"""Leaks: what lies in two roles of one scheme although the scheme keeps it apart."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy.spatial import cKDTree

from sm_platform.errors import DataError
from sm_platform.samples.coarse import reach_of
from sm_platform.samples.periods import GAP_DAYS
from sm_platform.samples.split_schemes import Scheme
from sm_platform.samples.splits import Role, rows_and_cols

_COLUMNS = ("scheme", "site_id", "scene_id", "sample_day", "block_id", "role")
_IN_SPACE = (Scheme.BLOCK, Scheme.BLOCK_TIME)
_IN_TIME = (Scheme.TIME, Scheme.BLOCK_TIME)
_MAY_TOUCH = {Role.TRAIN.value, Role.VALIDATION.value}


def leaks(
    roles: pa.Table, *, buffer_blocks: int = 0, gap_days: int = GAP_DAYS
) -> Mapping[str, int]:
    """How many things break the promise of their scheme, as `block_sites`; 0 everywhere is right.

    `roles` has the columns of sample_splits; a column `support_m` beside them adds the areas of
    coarse sites. Rows left out (buffer) are in no role. Counted are, of the schemes present:

    - block, block_time: `sites` and `blocks` in two roles, and `near`: blocks whose samples' area
      lies within `buffer_blocks` of that of another role (training and validation may touch);
    - time, block_time: `passes` in two roles, and `days` nearer than `gap_days` to a day of
      another role;
    - region: `others`, rows that are not test.

    A random split promises nothing and is passed over. Whether two regions share ground is not
    seen in the table of one region.

    Raises:
        DataError: columns are absent, or a scheme is not known.
    """
    absent = [name for name in _COLUMNS if name not in roles.column_names]
    if absent:
        raise DataError(f"The roles have no column {', '.join(absent)}: read sample_splits.")
    extra = ["support_m"] if "support_m" in roles.column_names else []
    found: dict[str, int] = {}
    for name in sorted(pc.unique(roles["scheme"]).to_pylist()):
        scheme = _scheme(name)
        of_scheme = roles.filter(pc.equal(roles["scheme"], name)).select([*_COLUMNS, *extra])
        counts = _of_scheme(of_scheme.to_pandas(), scheme, buffer_blocks, gap_days)
        found |= {f"{scheme.value}_{thing}": count for thing, count in counts.items()}
    return found


def _scheme(name: str) -> Scheme:
    if name not in list(Scheme):
        raise DataError(f"There is no scheme '{name}': choose of {', '.join(Scheme)}.")
    return Scheme(name)


def _of_scheme(
    rows: pd.DataFrame, scheme: Scheme, buffer_blocks: int, gap_days: int
) -> dict[str, int]:
    used = rows[rows["role"] != Role.BUFFER.value]
    counts: dict[str, int] = {}
    if scheme is Scheme.REGION:
        counts["others"] = int((rows["role"] != Role.TEST.value).sum())
    if scheme in _IN_SPACE:
        counts["sites"] = _in_two_roles(used, "site_id")
        counts["blocks"] = _in_two_roles(used, "block_id")
        counts["near"] = _near(used, buffer_blocks)
    if scheme in _IN_TIME:
        counts["passes"] = _in_two_roles(used, "scene_id")
        counts["days"] = _near_days(used, gap_days)
    return counts


def _in_two_roles(rows: pd.DataFrame, name: str) -> int:
    pairs = rows[[name, "role"]].drop_duplicates()
    return int(pairs.loc[pairs[name].duplicated(), name].nunique())


def _near(rows: pd.DataFrame, buffer_blocks: int) -> int:
    """Blocks whose area lies within the buffer of the area of another role."""
    reach = reach_of(rows["support_m"].to_numpy()) if "support_m" in rows else 0
    places = rows[["block_id", "role"]].assign(reach=reach).drop_duplicates()
    row, col = rows_and_cols(places["block_id"].to_numpy())
    role, wide = places["role"].to_numpy(), places["reach"].to_numpy()
    farthest = buffer_blocks + 2 * int(wide.max(initial=0))
    grid = cKDTree(np.column_stack([row, col]))
    one, other = grid.query_pairs(farthest, p=np.inf, output_type="ndarray").T
    gap = np.maximum(np.abs(row[one] - row[other]), np.abs(col[one] - col[other]))
    may_touch = np.isin(role, list(_MAY_TOUCH))
    allowed = np.where(may_touch[one] & may_touch[other], 0, buffer_blocks)
    is_near = (gap - wide[one] - wide[other] <= allowed) & (role[one] != role[other])
    near = np.r_[one[is_near], other[is_near]]
    return int(places["block_id"].iloc[near].nunique())


def _near_days(rows: pd.DataFrame, gap_days: int) -> int:
    """Days nearer than the gap to a day of another role (or in two roles)."""
    day = pd.to_datetime(rows["sample_day"]).to_numpy().astype("datetime64[D]").astype(np.int64)
    pairs = pd.DataFrame({"day": day, "role": rows["role"].to_numpy()}).drop_duplicates()
    pairs = pairs.sort_values("day", kind="stable")
    apart, changes = np.diff(pairs["day"]), pairs["role"].to_numpy()
    is_leak = (apart < max(gap_days, 1)) & (changes[1:] != changes[:-1])
    return int(is_leak.sum())
