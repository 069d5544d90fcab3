"""Roles of the samples before a cut-off day, by every split scheme, with their weights."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sm_platform.defs.days import DayReport
from sm_platform.defs.lake_access import hash_of
from sm_platform.errors import DataError, MissingInputError, UsageError
from sm_platform.grid.calendar import days_between
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import values_of
from sm_platform.samples.fusion import MOST_INUNDATED, besides_water, weights
from sm_platform.samples.split_schemes import (
    DEFAULT,
    SampleKeys,
    Scheme,
    SplitSettings,
    assign_roles,
)
from sm_platform.samples.splits import SHARES, Role
from sm_platform.schema.label_sources import LABEL_SOURCES
from sm_platform.schema.label_tables import SAMPLE_SPLITS, TRAINING_SAMPLES
from sm_platform.schema.product import QA_CRITICAL_MASK

_DAY = timedelta(days=1)
KEYS = ("site_id", "scene_id", "source")
NAMES = (
    *(*KEYS, "block_id", "sensed_utc", "support_m", "sm_m3m3", "qa"),
    *("label_type", "inundated_share"),
)
WIDEST_IN_A_BLOCK_M = 3003.0
"""A cell of 3 km (3002.7 m) is one block; a wider one reaches over several."""
EVEN_SHARES = dict.fromkeys(SHARES, 1 / len(SHARES))
STEERED = (Role.TRAIN.value, Role.VALIDATION.value)
REVISION = 3
"""Of the rules of splitting: raised when the same samples would get other roles."""


@dataclass(frozen=True, slots=True)
class SplitRules:
    """How roles and weights are given."""

    seed: int
    days: int
    """Days before the cut-off that samples are taken from."""
    source_weights: Mapping[str, float]
    """Factor on the training rows of a source; 1 for those not named."""
    is_balanced: bool
    """The seed system's thinning of labels outside 0.3..0.4, training rows only."""
    most_inundated: float = MOST_INUNDATED
    """Labels of products with more water around weigh 0; rows that judge keep theirs."""

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise UsageError(f"Seed {self.seed} draws nothing: give 0 or more.")


def write_splits(layout: Layout, region: str, cut_off: date, rules: SplitRules) -> DayReport:
    """Give every usable sample its role in each scheme, and store them under the cut-off.

    Left out are missing labels (files brought may have some), those sensed on the cut-off day or
    later, and critical pixels (water, border, flooded), which are never mapped.

    Raises:
        MissingInputError: there is no sample before the cut-off.
        DataError: neither blocks nor periods can be made of these samples.
    """
    days = days_between(cut_off - timedelta(rules.days), cut_off - _DAY)
    notes = {day: store.note_of(layout, TRAINING_SAMPLES, region, day) for day in days}
    stored = {day: note["inputs"] for day, note in notes.items() if note and note["rows"]}
    hashed = hash_of(list(stored.values()), repr(rules), REVISION)
    note = store.note_of(layout, SAMPLE_SPLITS, region, cut_off)
    if note is not None and note["inputs"] == hashed:
        return DayReport(note["status"], note["rows"], note["told"])
    samples = _usable(layout, region, list(stored), cut_off)
    if not samples.num_rows:
        raise MissingInputError(
            f"Region {region} has no training samples before {cut_off}: materialize "
            "`training_samples` for the days before it first."
        )
    tables, told = _all_schemes(samples, rules)
    rows = pa.concat_tables(tables)
    kept = {"inputs": hashed, "status": "made", "rows": rows.num_rows, "told": told}
    store.write(layout, SAMPLE_SPLITS, rows, region=region, day=cut_off, note=kept)
    return DayReport("made", rows.num_rows, told)


def _usable(layout: Layout, region: str, days: Sequence[date], cut_off: date) -> pa.Table:
    """Samples of those days with their day, as far as a network may learn from them.

    Their inputs, most of a sample, are not read.
    """
    midnight = np.datetime64(datetime.combine(cut_off, time(), UTC).replace(tzinfo=None), "us")
    tables = [_nothing()]
    for day in days:
        part = store.read(layout, TRAINING_SAMPLES, region, day, columns=NAMES)
        rows = part.rows.select(NAMES) if part else _nothing().select(NAMES)
        is_clear = (values_of(rows["qa"]) & QA_CRITICAL_MASK) == 0
        is_before = rows["sensed_utc"].to_numpy().astype("datetime64[us]") < midnight
        is_usable = is_clear & is_before & ~np.isnan(values_of(rows["sm_m3m3"]))
        of_day = pa.repeat(pa.scalar(day, pa.date32()), len(rows))
        tables.append(rows.append_column("sample_day", of_day).filter(pa.array(is_usable)))
    return pa.concat_tables(tables)


def _nothing() -> pa.Table:
    empty = TRAINING_SAMPLES.arrow_schema.empty_table().select(NAMES)
    return empty.append_column("sample_day", pa.array([], pa.date32()))


def _all_schemes(samples: pa.Table, rules: SplitRules) -> tuple[list[pa.Table], dict[str, object]]:
    keys = SampleKeys(
        block_id=values_of(samples["block_id"]),
        site_id=values_of(samples["site_id"]),
        scene_id=values_of(samples["scene_id"]),
        day=samples["sample_day"].to_numpy().astype("datetime64[D]"),
        support_m=values_of(samples["support_m"]),
    )
    apart = f"{DEFAULT.buffer_blocks} blocks of 3 km, {DEFAULT.gap_days} days"
    tables, told, refused = [], dict[str, object]({"kept_apart": apart}), list[str]()
    for scheme in Scheme:
        try:
            settings = _settings(keys, scheme)
            role = assign_roles(keys, scheme, seed=rules.seed, settings=settings)
            tables.append(_rows(samples, scheme, role, rules))
        except DataError as error:
            refused.append(f"{scheme.value}: {error}")
            continue
        counts = Counter(role.tolist())
        told[f"rows_{scheme.value}"] = ", ".join(f"{n} {one}" for one, n in sorted(counts.items()))
    if not any(f"rows_{scheme.value}" in told for scheme in (Scheme.BLOCK, Scheme.TIME)):
        raise DataError(" ".join(refused))
    return tables, told | ({"not_possible": "\n".join(refused)} if refused else {})


def _settings(keys: SampleKeys, scheme: Scheme) -> SplitSettings:
    """Shares and units of a scheme.

    Where sites are 9 km wide, all 3 km blocks of a 9 km cell share a role, so that none is lost.
    Of blocks and periods at once only the same role of both is used: even shares leave most.
    """
    is_wide = bool(np.nanmax(keys.support_m, initial=0) > WIDEST_IN_A_BLOCK_M)
    shares = EVEN_SHARES if scheme is Scheme.BLOCK_TIME else SHARES
    return replace(DEFAULT, shares=shares, unit_blocks=3 if is_wide else 1)


def _rows(samples: pa.Table, scheme: Scheme, role: NDArray[np.str_], rules: SplitRules) -> pa.Table:
    n = samples.num_rows
    factor = weights(
        values_of(samples["source"]),
        values_of(samples["sm_m3m3"]),
        role,
        per_source=dict.fromkeys(LABEL_SOURCES, 1.0) | dict(rules.source_weights),
        balanced=rules.is_balanced,
        seed=rules.seed,
    )
    is_wet = besides_water(
        values_of(samples["label_type"]),
        values_of(samples["inundated_share"]),
        rules.most_inundated,
    )
    factor[is_wet & np.isin(role, STEERED)] = 0
    same = {name: samples[name] for name in (*KEYS, "sample_day", "block_id", "support_m")}
    own = {
        "scheme": pa.repeat(pa.scalar(scheme.value, pa.string()), n),
        "role": pa.array(role, pa.string()),
        "weight": pa.array(factor, pa.float32()),
        "is_comparison_only": pa.repeat(pa.scalar(scheme.is_comparison_only), n),
    }
    names = [column.name for column in SAMPLE_SPLITS.columns]
    return pa.table(same | own).select(names).cast(SAMPLE_SPLITS.arrow_schema)
