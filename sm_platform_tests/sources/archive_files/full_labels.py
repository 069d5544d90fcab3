"""All label products of one full region, written to files and read back by the platform's readers.

Nothing of the writers' arrays is used: what a test sees went through a provider's format.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from sm_platform.formats import ismn, nsidc_0779, planet_swc, spl3smp_e, spl4sm
from sm_platform.grid.window import cell_index, centres, reproject_points
from sm_platform.schema.readings import FieldReading
from sm_platform.sources.protocol import Product
from sm_platform.sources.simulated.archive_index import Entry
from sm_platform.sources.simulated.period import WHOLE, Period
from sm_platform.sources.simulated.world import TRUTH_DAY, World
from sm_platform.sources.simulated.write_ismn import write_ismn
from sm_platform.sources.simulated.write_nsidc import write_nsidc
from sm_platform.sources.simulated.write_smap_l3 import write_smap_l3
from sm_platform.sources.simulated.write_smap_l4 import write_smap_l4
from sm_platform.sources.simulated.write_swc import write_swc

Values = np.ndarray[tuple[int, int], np.dtype[np.float64]]
"""(days from TRUTH_DAY on, pixels), NaN where missing."""
Write = Callable[[Path, World, Period], list[Entry]]
WRITERS: Mapping[Product, Write] = {
    Product.SWC: write_swc,
    Product.SPL3SMP_E: write_smap_l3,
    Product.NSIDC_0779: write_nsidc,
    Product.SPL4SMGP: write_smap_l4,
    Product.ISMN: write_ismn,
}
STEP_PX = 7
"""Of the pixels at which fields are compared with the truth."""


@dataclass(frozen=True, slots=True)
class FullLabels:
    """The archive's label files of one region and what the readers make of them."""

    world: World
    root: Path
    entries: Mapping[Product, list[Entry]]
    fields: Mapping[Product, list[tuple[Entry, FieldReading]]]
    stations: pd.DataFrame
    """All readings of the stations, as read."""

    def folder(self, entry: Entry) -> Path:
        return folder_of(self.root, entry)

    def at(self, product: Product, pixels: np.ndarray) -> Values:
        """Values that the provider does not reject, at flat pixel numbers."""
        x, y = (np.asarray(part).ravel()[pixels] for part in centres(self.world.window))
        found = np.full((len(WHOLE.radar_days), len(pixels)), np.nan)
        for entry, field in self.fields[product]:
            assert entry.day is not None
            window, bands = field.raster.window, field.raster.values
            cells = cell_index(window, *reproject_points(x, y, self.world.window.crs, window.crs))
            good = np.where(bands["is_flagged"], np.nan, bands["sm_m3m3"]).ravel()[cells]
            row = found[(entry.day - TRUTH_DAY).days]
            row[np.isnan(row)] = good[np.isnan(row)]
        return found

    def truth(self, pixels: np.ndarray) -> Values:
        days = self.world.sm_m3m3[self.world.index(TRUTH_DAY) :]
        return days.reshape(len(days), -1)[:, pixels].astype(float)

    def error(self, product: Product, *, is_drained_only: bool = False) -> Values:
        """Value less truth at every seventh pixel both ways, or where water never stands."""
        is_chosen = np.zeros(self.world.window.shape, np.bool_)
        is_chosen[STEP_PX // 2 :: STEP_PX, STEP_PX // 2 :: STEP_PX] = True
        if is_drained_only:
            is_chosen &= ~self.world.is_flooded[self.world.index(TRUTH_DAY) :].any(axis=0)
        pixels = np.flatnonzero(is_chosen)
        return self.at(product, pixels) - self.truth(pixels)


def folder_of(root: Path, entry: Entry) -> Path:
    return root / entry.product / entry.region_id / entry.granule_id


def full_labels(root: Path, world: World) -> FullLabels:
    """Write and read everything; about ten seconds."""
    entries = {product: write(root, world, WHOLE) for product, write in WRITERS.items()}
    fields = {
        product: [(one, field) for one in found for field in read_fields(root, one, world)]
        for product, found in entries.items()
        if product != Product.ISMN
    }
    months = [ismn.read_ismn(folder_of(root, one)) for one in entries[Product.ISMN]]
    assert not any(one.skipped for one in months)
    stations = pa.concat_tables([one.readings for one in months]).to_pandas()
    return FullLabels(world, root, entries, fields, stations)


def read_fields(root: Path, entry: Entry, world: World) -> list[FieldReading]:
    first, *others = (folder_of(root, entry) / name for name in entry.files)
    if entry.product == Product.SWC:
        moment = planet_swc.sensing_time(entry.granule_id, world.place.lon)
        return planet_swc.read_swc_field(first, *others, sensed_utc=moment)
    read = {
        Product.SPL3SMP_E: spl3smp_e.read_spl3,
        Product.NSIDC_0779: nsidc_0779.read_nsidc,
        Product.SPL4SMGP: spl4sm.read_spl4,
    }[entry.product]
    return read(first)
