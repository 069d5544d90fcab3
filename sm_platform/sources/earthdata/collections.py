"""NASA's collections that we use: names, versions, file names, licences, citations."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sm_platform.errors import SourceError, UsageError
from sm_platform.sources import terms
from sm_platform.sources.ndvi_sensors import SUOMI_NPP_ENDS
from sm_platform.sources.protocol import Product
from sm_platform.sources.services import Service
from sm_platform.sources.transfer import HDF4, HDF5, TIFF

SERVICE = Service(
    "earthdata",
    "NASA Earthdata",
    ("EARTHDATA_TOKEN", "EARTHDATA_USERNAME and EARTHDATA_PASSWORD"),
    "https://urs.earthdata.nasa.gov (free account; `Generate Token` in its profile)",
)
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Collection:
    """One product of a NASA archive in one version."""

    short_name: str
    version: str
    product: Product
    format: str
    """Name of the module in `formats` that reads its granules."""
    pattern: str
    """Of a granule's id, which is its file name without the ending. Group `when` is its day (and
    time), `made` tells one processing of the same from the next."""
    endings: tuple[str, ...]
    """Of the files of a granule, all of which are fetched."""
    magic: tuple[bytes, ...]
    first_day: date
    estimated_bytes: int
    """Usual size of a granule, for the plan; the catalogue tells the true one."""
    terms: terms.Terms
    highest_lat: float = 90.0
    """It has nothing beyond, north and south."""
    last_day: date | None = None
    """About when it is reported to end; None: nothing is reported."""
    lies_at: str = ""
    """Page where its files lie when the catalogue may hold its description alone."""

    @property
    def name(self) -> str:
        """As people write it, for example `MOD13Q1.061`."""
        return f"{self.short_name}.{self.version}"


def _vegetation(short_name: str, first_day: date, last_day: date | None = None) -> Collection:
    """16-day vegetation indices of MODIS (250 m) or VIIRS (500 m), a file a tile."""
    is_modis = short_name.startswith("M")
    version, ending, size = ("061", ".hdf", 80) if is_modis else ("002", ".h5", 15)
    return Collection(
        short_name,
        version,
        Product.NDVI,
        "mod13q1_hdf" if is_modis else "vnp13a1",
        rf"{short_name}\.A(?P<when>\d{{7}})\.h\d\dv\d\d\.\d{{3}}\.(?P<made>\d{{13}})",
        endings=(ending,),
        magic=HDF4 if is_modis else HDF5,
        first_day=first_day,
        estimated_bytes=size * MEGABYTE,
        terms=terms.vegetation(short_name),
        last_day=last_day,
    )


SPL4SMGP = Collection(
    "SPL4SMGP",
    "008",
    Product.SPL4SMGP,
    "spl4sm",
    r"SMAP_L4_SM_gph_(?P<when>\d{8}T\d{6})_(?P<made>V[A-Za-z]?\d{4}_\d{3})",
    endings=(".h5",),
    magic=HDF5,
    first_day=date(2015, 3, 31),
    estimated_bytes=150 * MEGABYTE,  # the whole globe, 3 hours
    terms=terms.SPL4SMGP,
    highest_lat=85.04,
)
SPL3SMP_E = Collection(
    "SPL3SMP_E",
    "006",
    Product.SPL3SMP_E,
    "spl3smp_e",
    r"SMAP_L3_SM_P_E_(?P<when>\d{8})_(?P<made>R\d{5}_\d{3})",
    endings=(".h5",),
    magic=HDF5,
    first_day=date(2015, 3, 31),
    estimated_bytes=400 * MEGABYTE,
    terms=terms.SPL3SMP_E,
    highest_lat=85.04,
)
NSIDC_0779 = Collection(
    "NSIDC-0779",
    "1",
    Product.NSIDC_0779,
    "nsidc_0779",
    r"NSIDC-0779_EASE2_G1km_SMAP_SM_DS_(?P<when>\d{8})",
    endings=(".tif",),
    magic=TIFF,
    first_day=date(2015, 4, 1),
    estimated_bytes=60 * MEGABYTE,
    terms=terms.NSIDC_0779,
    highest_lat=85.04,
    # Its sister NSIDC-0611 has no granule in the catalogue; whether it has some is not known.
    lies_at="https://nsidc.org/data/nsidc-0779",
)
LATE_RAIN = Collection(
    "GPM_3IMERGDL",
    "07",
    Product.LATE_RAIN,
    "imerg_late",
    r"3B-DAY-L\.MS\.MRG\.3IMERG\.(?P<when>\d{8})-S000000-E235959\.(?P<made>V\d{2}[A-Z]?)",
    endings=(".nc4",),
    magic=HDF5,
    first_day=date(1998, 1, 1),
    estimated_bytes=33 * MEGABYTE,
    terms=terms.LATE_RAIN,
)
OPERA_RTC = Collection(
    "OPERA_L2_RTC-S1_V1",
    "1",
    Product.S1_GRD,
    "opera_rtc",
    r"OPERA_L2_RTC-S1_(?P<track>T\d{3})-(?P<burst>\d{6}-IW\d)_(?P<when>\d{8}T\d{6})Z_(?P<made>\d{8}T\d{6}Z)_"
    r"(?P<platform>S1[A-D])_30_v\d+\.\d+",
    endings=("_VV.tif", "_VH.tif", "_mask.tif"),
    magic=TIFF,
    first_day=date(2014, 6, 15),
    estimated_bytes=12 * MEGABYTE,  # a burst of 20 x 85 km
    terms=terms.OPERA_RTC,
)
NDVI: Mapping[str, tuple[Collection, ...]] = {
    "MODIS": (
        _vegetation("MOD13Q1", date(2000, 2, 18)),
        _vegetation("MYD13Q1", date(2002, 7, 4)),
    ),
    "VNP13A1": (_vegetation("VNP13A1", date(2012, 1, 17), SUOMI_NPP_ENDS),),
    "VJ113A1": (_vegetation("VJ113A1", date(2018, 1, 1)),),
    "VJ213A1": (_vegetation("VJ213A1", date(2023, 2, 10)),),
}
"""By sensor. Terra and Aqua together, or one VIIRS, give a composite every 8 days."""
OTHERS = (SPL4SMGP, SPL3SMP_E, NSIDC_0779, LATE_RAIN, OPERA_RTC)
COLLECTIONS: Mapping[str, Collection] = {
    one.short_name: one for one in (*OTHERS, *(one for held in NDVI.values() for one in held))
}
"""By short name."""
MAGIC: Mapping[str, tuple[bytes, ...]] = {one.format: one.magic for one in COLLECTIONS.values()}
"""What the files of a format begin with."""
RETIRED: Mapping[str, str] = {
    "SPL4SMGP.006": "SPL4SMGP.008",
    "SPL4SMGP.007": "SPL4SMGP.008",
    "SPL3SMP_E.004": "SPL3SMP_E.006",
    "SPL3SMP_E.005": "SPL3SMP_E.006",
    "MOD13Q1.006": "MOD13Q1.061",
    "MYD13Q1.006": "MYD13Q1.061",
    "VNP13A1.001": "VNP13A1.002",
    "GPM_3IMERGDL.06": "GPM_3IMERGDL.07",
}
"""Versions that were withdrawn, and what took their place."""


def collections_of(product: Product, ndvi: str) -> tuple[Collection, ...]:
    """The collections that hold a product; `ndvi` is a key of NDVI.

    Raises:
        UsageError: there is no such sensor.
        SourceError: NASA Earthdata has no such product.
    """
    if ndvi not in NDVI:
        raise UsageError(f"'{ndvi}' is no vegetation sensor of Earthdata: {', '.join(NDVI)}.")
    found = NDVI[ndvi] if product is Product.NDVI else ()
    found += tuple(one for one in OTHERS if one.product is product)
    if not found:
        raise SourceError(
            f"{SERVICE.title} is no source of {product.value}: name another one for it."
        )
    return found


def parse_id(collection: Collection, granule_id: str) -> re.Match[str] | None:
    """The parts of a granule's id; None when it is none of this collection."""
    return re.fullmatch(collection.pattern, granule_id, re.ASCII)


def match_id(collection: Collection, granule_id: str) -> re.Match[str]:
    """As `parse_id`; raises SourceError for an id of another collection."""
    found = parse_id(collection, granule_id)
    if found is None:
        raise SourceError(f"{granule_id} is no granule of {collection.name}: list them again.")
    return found


def moment_of(collection: Collection, granule_id: str) -> datetime:
    """Start of a granule as its id tells it, UTC; raises SourceError."""
    text = match_id(collection, granule_id)["when"]
    form = {7: "%Y%j", 8: "%Y%m%d"}.get(len(text), "%Y%m%dT%H%M%S")
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError as error:
        raise SourceError(f"{granule_id} names no moment: list the granules again.") from error
