"""What a Sentinel-1 SAFE holds (a zip or a folder): its incidence angle, time and orbit.

Sentinel-1 product specification: `geolocationGridPoint` of the annotation gives latitude, longitude
and (ellipsoid) incidence angle on a coarse grid; the manifest gives the relative orbit.
"""

import xml.etree.ElementTree as ET
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator

from sm_platform.errors import GranuleError
from sm_platform.formats.inspected import Inspection, Place, Variable, number_of
from sm_platform.formats.recognised import Recognised

MOST_BYTES = 64 << 20
"""Of one annotation; the real ones have 2 MB."""
ORBIT = "{http://www.esa.int/safe/sentinel-1.0}relativeOrbitNumber"
_DAMAGE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ET.ParseError, ValueError)


@dataclass(frozen=True, slots=True)
class _Frame:
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    angle_deg: NDArray[np.float64]
    shape: tuple[int, int]


def inspect_safe(path: Path, known: Recognised, place: Place | None) -> Inspection:
    """The angle grid of the first annotation; raises GranuleError when it is absent or damaged."""
    try:
        names = _names(path)
        annotation = next((one for one in names if "/annotation/s1" in f"/{one}"), None)
        manifest = next((one for one in names if one.endswith("manifest.safe")), None)
        if annotation is None:
            raise GranuleError(f"{path.name}: holds no annotation: fetch the whole product.")
        frame = _frame(_read(path, annotation))
        orbit = _orbit(_read(path, manifest)) if manifest else None
    except _DAMAGE as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)[:160]
        raise GranuleError(
            f"{path.name}: is damaged or cut off ({reason}): fetch it again."
        ) from error
    value = _at(frame, place) if place else None
    has_pixels = any("/measurement/" in one and one.endswith((".tiff", ".tif")) for one in names)
    notes = [
        f"Relative orbit {orbit}." if orbit else "No relative orbit in the manifest.",
        "The platform maps exports of COPERNICUS/S1_GRD; of a SAFE it reads angle, time and orbit"
        + ("." if has_pixels else "; this one holds no pixels."),
    ]
    angle = Variable("incidence_angle", "deg", 1.0, value)
    return Inspection(
        known.product, known.time_utc, None, None, frame.shape, (angle,), tuple(notes)
    )


def _names(path: Path) -> list[str]:
    if path.is_dir():
        return [one.relative_to(path).as_posix() for one in sorted(path.rglob("*"))]
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def _read(path: Path, name: str) -> bytes:
    if path.is_dir():
        return (path / name).read_bytes()
    with zipfile.ZipFile(path) as archive, archive.open(name) as member:
        content = member.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise GranuleError(f"{path.name}: {name} is larger than any annotation: do not use it.")
    return content


def _frame(text: bytes) -> _Frame:
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise ValueError("an annotation declares no entities")
    root = ET.fromstring(text)  # noqa: S314 - entities, the danger, are refused above
    points = list(root.iter("geolocationGridPoint"))
    lon, lat, angle = (
        np.array([float(point.findtext(name, "nan")) for point in points])
        for name in ("longitude", "latitude", "incidenceAngle")
    )
    lines, samples = (
        int(root.findtext(f"imageAnnotation/imageInformation/{name}", "0"))
        for name in ("numberOfLines", "numberOfSamples")
    )
    if len(points) < 4 or np.isnan([lon, lat, angle]).any():
        raise ValueError("its geolocation grid is incomplete")
    return _Frame(lon, lat, angle, (lines, samples))


def _orbit(text: bytes) -> int | None:
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise ValueError("a manifest declares no entities")
    found = ET.fromstring(text).find(f".//{ORBIT}")  # noqa: S314 - as above
    return int(found.text) if found is not None and found.text else None


def _at(frame: _Frame, place: Place) -> float | int | None:
    """Linear between the grid's points; None outside them."""
    points = np.column_stack([frame.lon, frame.lat])
    found = LinearNDInterpolator(points, frame.angle_deg)(np.array([place]))
    return number_of(round(float(found[0]), 6))
