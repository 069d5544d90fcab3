"""What a provider's file is, by its name and by its content: a name alone may lie."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import h5py

from sm_platform.errors import GranuleError
from sm_platform.formats import spl3smp_e, spl4sm
from sm_platform.formats.ease2_hdf import opened_hdf
from sm_platform.formats.magic import HDF4, HDF5, first_bytes, is_jp2, is_tiff, is_zip
from sm_platform.formats.recognise_raster import (
    appeears,
    recognise_raster,
    rtc_burst,
    vegetation_tile,
)
from sm_platform.formats.recognised import (
    Recognised,
    known_file,
    midnight,
    moment_of,
    s1_product,
    s1_time,
)

_T = TypeVar("_T")
SMAP_NAME = re.compile(r"SMAP_L([23])_SM_(SP|P_E|P|AP|A)_(?:[A-Z0-9]+_)*?(\d{8}(?:T\d{6})?)_")
SMAP_KINDS = {"SP": "ap_s", "P_E": "p_e", "P": "p", "AP": "ap", "A": "a"}
"""Kind in a file's name to the end of the product's short name (SPL2SMAP_S, SPL3SMP_E ...)."""
SMAP_METADATA = "Metadata/DatasetIdentification"
SMAP_GROUP = "Soil_Moisture_Retrieval_Data"
L4_GROUPS = {"Geophysical_Data": "spl4smgp", "Analysis_Data": "spl4smau"}


def recognise(path: Path, *, name: str | None = None) -> Recognised | None:
    """What the file is, None when it is none of the known.

    Args:
        path: of the file.
        name: of the folder that it stands for, where that names the granule.

    Raises:
        GranuleError: it cannot be opened.
    """
    if name is not None:
        moment = s1_time(name)
        return Recognised(s1_product(name), "", name, moment, (path,)) if moment else None
    if is_tiff(path) or is_jp2(path):
        return recognise_raster(path)
    if first_bytes(path).startswith(HDF5):
        return _hdf5(path)
    if first_bytes(path).startswith(HDF4):
        return vegetation_tile(path)
    if path.suffix.lower() == ".stm":
        return known_file(path, "ismn", "ismn", None)
    if is_zip(path):
        moment = s1_time(path.name)
        return known_file(path, s1_product(path.name), "", moment) if moment else None
    if path.suffix.lower() == ".csv" and b"# Unit m3/m3" in path.read_bytes()[:2000]:
        return known_file(path, "planet_series", "planet_csv", None)
    return None


def _hdf5(path: Path) -> Recognised | None:
    with opened_hdf(path) as file:
        # A name that is no text comes as bytes.
        names, product_told = {str(name) for name in file}, _short_name(file)
    for group, product in L4_GROUPS.items():
        if group in names:
            return known_file(path, product, "spl4sm", _told(spl4sm.sensed_utc, path))
    if any(name.startswith(SMAP_GROUP) for name in names):
        return _smap(path, product_told)
    found = vegetation_tile(path) or appeears(path) or rtc_burst(path)
    return replace(found, format="hdf_eos") if found and "HDFEOS" in names else found


def _short_name(file: h5py.File) -> str:
    """The product as a SMAP file calls itself, in small letters; empty where it does not."""
    found = file.get(SMAP_METADATA)
    text = found.attrs.get("shortName", "") if isinstance(found, h5py.Group) else ""
    return (text.decode(errors="replace") if isinstance(text, bytes) else str(text)).lower()


def _smap(path: Path, product_told: str) -> Recognised:
    """A retrieval of the radiometer; only the 9 km daily one is read for labels."""
    day = _told(spl3smp_e.day_of, path)
    if day is not None:
        return known_file(path, "spl3smp_e", "spl3smp_e", midnight(day))
    found = SMAP_NAME.search(path.name)
    if found is None:
        product = product_told if product_told.startswith("spl") else "smap"
        return known_file(path, product, "", None)
    moment = moment_of(found[3])
    return known_file(path, f"spl{found[1]}sm{SMAP_KINDS[found[2]]}", "", moment)


def _told(tell: Callable[[str], _T], path: Path) -> _T | None:
    """What a name tells, None when it tells nothing: a renamed file is still what it holds."""
    try:
        return tell(path.name)
    except GranuleError:
        return None
