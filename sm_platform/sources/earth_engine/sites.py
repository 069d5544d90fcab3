"""Values at training sites, reduced on Earth Engine's side: many sites and images a request."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from sm_platform.errors import PassingError, UsageError
from sm_platform.sources.earth_engine.client import Access, asking, connect
from sm_platform.sources.earth_engine.grids import NativeGrid
from sm_platform.sources.earth_engine.pixels import in_order

PAGE = 1000
"""Features of a page of an answer."""
PAIRS = 2000
"""Sites times images of one request: its text stays below a megabyte."""
SITE, IMAGE = "site_id", "image_id"
Pair = tuple[str, str]
"""Site and image."""


@dataclass(frozen=True, slots=True)
class Site:
    """A point, degrees (WGS 84)."""

    site_id: str
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Chunk:
    """Sites and images of one request: each site with each image."""

    sites: tuple[Site, ...]
    images: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reduction:
    """What is asked for at each site."""

    bands: tuple[str, ...]
    pixels: NativeGrid | float
    """Pixels of this grid are read, or of this size (metres) in the CRS of each image; the service
    averages smaller ones."""

    @property
    def place(self) -> dict[str, Any]:
        """The grid as the service's reductions want it; a size alone would not say where it is."""
        if isinstance(self.pixels, NativeGrid):
            return {"crs": self.pixels.crs, "crsTransform": list(self.pixels.affine)[:6]}
        return {"scale": self.pixels}


def extract_sites(
    access: Access,
    sites: Sequence[Site],
    images: Mapping[str, Any] | Sequence[str],
    reduction: Reduction,
    *,
    pairs: int = PAIRS,
) -> pa.Table:
    """One row a site and image, in the order of images, then sites; null where there is nothing.

    Args:
        access: who asks and where.
        sites: with ids that occur once.
        images: asset ids, or names with graphs of the client (for example `radar_db`).
        reduction: bands and pixel size.
        pairs: sites times images that go into a request.

    Returns:
        `site_id`, `image_id` (string) and the bands (float64).

    Raises:
        UsageError: a site or image occurs twice.
        PassingError: the service did not answer, or not for every site and image.
        SourceError: it refuses.
    """
    names = list(images)
    for what, ids in (("site", [one.site_id for one in sites]), ("image", names)):
        if len(set(ids)) != len(ids):
            raise UsageError(f"A {what} is named twice: name each {what} once.")
    ee = connect(access)
    graphs = images if isinstance(images, Mapping) else {name: ee.Image(name) for name in names}

    def ask(chunk: Chunk) -> dict[Pair, Mapping[str, Any]]:
        with asking(f"{len(chunk.sites)} sites of {chunk.images[0]} and later images"):
            return _answered(ee, _expression(ee, chunk, graphs, reduction))

    found: dict[Pair, Mapping[str, Any]] = {}
    parts = list(chunks(sites, names, pairs))
    for part, told in zip(parts, in_order(ask, parts, access.in_flight), strict=True):
        _check_whole(part, told)
        found |= told
    wanted = [(site.site_id, name) for name in names for site in sites]
    return _table(wanted, found, reduction.bands)


def chunks(sites: Sequence[Site], images: Sequence[str], pairs: int) -> Iterator[Chunk]:
    """Every site with every image exactly once, at most `pairs` of them a chunk; always alike."""
    if pairs < 1:
        raise UsageError(f"{pairs} pairs a request: at least 1.")
    width = min(len(sites), pairs)
    for first in range(0, len(sites), max(width, 1)):
        block = tuple(sites[first : first + width])
        depth = max(pairs // len(block), 1)
        for start in range(0, len(images), depth):
            yield Chunk(block, tuple(images[start : start + depth]))


def _expression(
    ee: Any,  # noqa: ANN401
    chunk: Chunk,
    graphs: Mapping[str, Any],
    reduction: Reduction,
) -> Any:  # noqa: ANN401
    """A collection of features: each site with the values of each image as properties."""
    bands = list(reduction.bands)
    reducer = ee.Reducer.mean()
    if len(bands) == 1:  # else the value of a single band is called after the reducer
        reducer = reducer.setOutputs(bands)
    reduced = []
    for name in chunk.images:
        points = [
            ee.Feature(ee.Geometry.Point([one.lon, one.lat]), {SITE: one.site_id, IMAGE: name})
            for one in chunk.sites
        ]
        image = graphs[name].select(bands)
        reduced.append(
            image.reduceRegions(ee.FeatureCollection(points), reducer, **reduction.place)
        )
    return ee.FeatureCollection(reduced).flatten()


def _answered(ee: Any, expression: Any) -> dict[Pair, Mapping[str, Any]]:  # noqa: ANN401
    """Properties of every feature of every page."""
    found: dict[Pair, Mapping[str, Any]] = {}
    page: dict[str, Any] = {"expression": expression, "pageSize": PAGE}
    while True:
        answer = ee.data.computeFeatures(page)
        for feature in answer.get("features", []):
            told = feature["properties"]
            pair = (told[SITE], told[IMAGE])
            if pair in found:
                raise PassingError(f"Google Earth Engine sent {pair} twice: try again.")
            found[pair] = told
        token = answer.get("nextPageToken")
        if not token:
            return found
        page = page | {"pageToken": token}


def _check_whole(chunk: Chunk, told: Mapping[Pair, object]) -> None:
    asked = {(site.site_id, image) for site in chunk.sites for image in chunk.images}
    if asked != set(told):
        raise PassingError(
            f"Google Earth Engine answered for {len(told)} of {len(asked)} sites and images: try "
            "again."
        )


def _table(
    wanted: Sequence[Pair], found: Mapping[Pair, Mapping[str, Any]], bands: Sequence[str]
) -> pa.Table:
    columns: dict[str, pa.Array] = {
        SITE: pa.array([site for site, _ in wanted], pa.string()),
        IMAGE: pa.array([image for _, image in wanted], pa.string()),
    }
    for band in bands:
        columns[band] = pa.array([found[pair].get(band) for pair in wanted], pa.float64())
    return pa.table(columns)
