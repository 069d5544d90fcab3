"""What a file really is, by its first bytes: a name ending in `.tif` or `.nc` proves nothing."""

from pathlib import Path

from sm_platform.errors import GranuleError

TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""Classic and big TIFF, both byte orders."""
JP2 = b"\0\0\0\x0cjP  "
HDF5 = b"\x89HDF\r\n\x1a\n"
HDF4 = b"\x0e\x03\x13\x01"
CLASSIC_NETCDF = (b"CDF\x01", b"CDF\x02")
ZIP = b"PK\x03\x04"


def first_bytes(path: Path) -> bytes:
    """The first 512 bytes; raises GranuleError when the file is not there."""
    try:
        with path.open("rb") as file:
            return file.read(512)
    except OSError as error:
        raise GranuleError(f"{path.name}: cannot be opened in {path.parent}: fetch it.") from error


def is_tiff(path: Path) -> bool:
    """Whether the file begins like a TIFF."""
    return first_bytes(path).startswith(TIFF)


def is_jp2(path: Path) -> bool:
    """Whether the file begins like a JPEG 2000 container."""
    return first_bytes(path).startswith(JP2)


def is_zip(path: Path) -> bool:
    """Whether the file begins like a ZIP with at least one member."""
    return first_bytes(path).startswith(ZIP)


def mistaken_for(path: Path) -> str:
    """A few words on what the file is instead of what its name says."""
    start = first_bytes(path)
    if not start:
        return "an empty file"
    if start.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return "a web page (an expired link or a login)"
    if start.lstrip().startswith((b"<?xml", b"<Dataset")):
        return "XML, a description without the numbers"
    if start.startswith(b"GRIB"):
        return "a GRIB file (ask for netCDF)"
    known = {HDF5: "an HDF5 file", ZIP: "a ZIP archive", b"CDF": "an old netCDF file", b"{": "JSON"}
    return next((name for head, name in known.items() if start.startswith(head)), "something else")
