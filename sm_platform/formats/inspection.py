"""`inspect_file`: what a provider's file is as the platform reads it, whatever its format."""

import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from sm_platform.errors import GranuleError, UsageError
from sm_platform.formats.inspect_apart import inspect_apart
from sm_platform.formats.inspect_eo_browser import inspect_eo_browser
from sm_platform.formats.inspect_hdf_eos import inspect_hdf_eos
from sm_platform.formats.inspect_netcdf import inspect_netcdf
from sm_platform.formats.inspect_raster import inspect_raster
from sm_platform.formats.inspect_safe import inspect_safe
from sm_platform.formats.inspect_series import inspect_ismn, inspect_planet_csv, inspect_table
from sm_platform.formats.inspect_smap import inspect_smap
from sm_platform.formats.inspected import Inspection, Place
from sm_platform.formats.magic import (
    CLASSIC_NETCDF,
    HDF4,
    HDF5,
    first_bytes,
    is_jp2,
    is_tiff,
    is_zip,
    mistaken_for,
)
from sm_platform.formats.nsidc_0779 import read_nsidc
from sm_platform.formats.recognise import recognise
from sm_platform.formats.recognise_raster import appeears
from sm_platform.formats.recognised import Recognised
from sm_platform.formats.safe_zip import Allowance, unpacked
from sm_platform.formats.spl3smp_e import read_spl3
from sm_platform.formats.spl4sm import read_spl4

TABLES = (".csv", ".txt", ".tsv")
SMAP = ("spl", "smap")
"""How the products on the EASE-Grid 2.0 begin."""

READERS: Mapping[str, Callable[[Path], object]] = {
    "nsidc_0779": read_nsidc,
    "spl3smp_e": read_spl3,
    "spl4sm": read_spl4,
}
"""Readers of labels, by format."""


def inspect_file(path: Path, place: Place | None = None) -> Inspection:
    """Product, time, grid, variables with their share of valid cells, and the values at a place.

    Args:
        path: a file, or a folder of ISMN series or of a SAFE.
        place: longitude and latitude in degrees (WGS 84); None: no values are asked.

    Raises:
        GranuleError: damaged, or of no format that the platform reads.
        UsageError: there is no such path, or the place is not on the globe.
    """
    if place is not None and not (-180 <= place[0] <= 180 and -90 <= place[1] <= 90):
        raise UsageError(
            f"{place[0]:g} {place[1]:g} is no place: give longitude (-180..180), then latitude."
        )
    if not path.exists():
        raise UsageError(f"{path} does not exist: check the path.")
    if path.is_dir():
        return _folder(path, place)
    known = recognise(path)
    found = _inspect(path, known, place)
    refusal = _refusal(path, known)
    return replace(found, notes=(*found.notes, refusal)) if refusal else found


def _refusal(path: Path, known: Recognised | None) -> str | None:
    """What the reader of the product, stricter than a look at it, says against the file."""
    reader = READERS.get(known.format) if known else None
    try:
        if reader is not None:
            reader(path)
    except GranuleError as error:
        return f"No label is read from it: {error}"
    return None


def _inspect(path: Path, known: Recognised | None, place: Place | None) -> Inspection:
    if known is not None and known.format == "eo_browser":
        return inspect_eo_browser(path, known, place)
    if is_tiff(path) or is_jp2(path):
        return inspect_raster(path, known, place)
    start = first_bytes(path)
    if start.startswith(HDF4) and known is not None:
        return inspect_apart(inspect_hdf_eos, path, known, place)
    if start.startswith(HDF5):
        return _hdf5(path, known, place)
    if start.startswith(CLASSIC_NETCDF):
        return inspect_netcdf(path, known, place)
    if is_zip(path):
        return _zip(path, known, place)
    return _text(path, known, place)


def _hdf5(path: Path, known: Recognised | None, place: Place | None) -> Inspection:
    if appeears(path) is not None:
        return inspect_netcdf(path, known, place)
    if known is not None and known.product.startswith(SMAP):
        return inspect_smap(path, known, place)
    if known is not None and known.format == "hdf_eos":
        return inspect_hdf_eos(path, known, place)
    return inspect_netcdf(path, known, place)


def _folder(path: Path, place: Place | None) -> Inspection:
    if (path / "manifest.safe").is_file():
        known = recognise(path / "manifest.safe", name=path.name)
        if known is not None:
            return inspect_safe(path, known, place)
    if any(path.rglob("*.stm")):
        return inspect_ismn(path, place)
    raise UsageError(f"{path} is a folder without *.stm or a SAFE: name one file in it.")


def _zip(path: Path, known: Recognised | None, place: Place | None) -> Inspection:
    """By what is in it: a SAFE, netCDF members, ISMN series, or one file of any kind."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [one.filename for one in archive.infolist() if not one.is_dir()]
    except (zipfile.BadZipFile, OSError) as error:
        raise GranuleError(f"{path.name}: the zip is damaged ({error}): fetch it again.") from error
    safe = next((one.split("/")[0] for one in names if one.endswith("/manifest.safe")), "")
    known = recognise(path, name=safe) if safe else known
    if known is not None and safe:
        return inspect_safe(path, known, place)
    if any(name.endswith(".nc") for name in names):
        return inspect_netcdf(path, known, place)
    if any(name.endswith((".stm", ".zip")) for name in names):
        return inspect_ismn(path, place)
    if "[Content_Types].xml" in names:
        raise GranuleError(f"{path.name}: is an Office document: save its sheet as CSV.")
    if len(names) != 1:
        told = f"{len(names)} files such as {names[0]}" if names else "nothing"
        raise GranuleError(f"{path.name}: a zip of {told}: unpack it and inspect one of them.")
    with tempfile.TemporaryDirectory() as folder:
        (only,) = unpacked(path, Path(folder), Allowance())
        return inspect_file(only, place)


def _text(path: Path, known: Recognised | None, place: Place | None) -> Inspection:
    if known is not None and known.format == "ismn":
        return inspect_ismn(path, place)
    if known is not None and known.format == "planet_csv":
        return inspect_planet_csv(path, place)
    if path.suffix.lower() in TABLES:
        return inspect_table(path)
    raise GranuleError(
        f"{path.name}: is {mistaken_for(path)}: bring GeoTIFF, JPEG 2000, HDF, netCDF, an ISMN "
        "series or a CSV."
    )
