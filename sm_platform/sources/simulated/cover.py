"""Land cover: the main class of each pixel and the shares of what else lies inside it."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from sm_platform.sources.simulated.fields import Field, Mask, Streams
from sm_platform.sources.simulated.land import Patches, Relief
from sm_platform.sources.simulated.places import Place

Codes = NDArray[np.uint8]


class Cover(IntEnum):
    """Main land cover of a pixel."""

    PADDY = 1
    VILLAGE = 2
    GARDEN = 3
    """Delta: gardens and dry crops."""
    WATER = 4
    COFFEE = 5
    """Highland: coffee and trees."""
    UPLAND = 6
    """Highland: upland dry crops."""


OWN_FRACTION = {
    Cover.PADDY: "paddy",
    Cover.VILLAGE: "village",
    Cover.GARDEN: "dry_crop",
    Cover.WATER: "water",
    Cover.COFFEE: "trees",
    Cover.UPLAND: "dry_crop",
}
"""What fills a pixel of each class, apart from its inclusions."""
INCLUSIONS = {"village": 25.0, "trees": 12.0, "water": 40.0}
"""Second parameter b of Beta(1, b), the share of each inclusion outside its own class."""


def cover(place: Place, land: Relief, patches: Patches, streams: Streams) -> Codes:
    """Class of each pixel; the shares of the classes are exact, their places random."""
    return _delta(land, streams) if place.is_delta else _highland(land, patches.group, streams)


def _delta(land: Relief, streams: Streams) -> Codes:
    """Paddy with villages on clustered plots, gardens around them, a river and ponds."""
    shape = land.elevation_m.shape
    codes = np.full(shape, Cover.PADDY, np.uint8)
    river = -np.abs(streams.grf("river", shape, 3000.0, 1.5))
    settled = streams.grf("villages", shape, 500.0)
    _claim(codes, river, Cover.WATER, 0.016)
    _claim(codes, streams.grf("ponds", shape, 150.0), Cover.WATER, 0.009)
    _claim(codes, settled, Cover.VILLAGE, 0.13)
    _claim(codes, settled + 0.5 * streams.grf("gardens", shape, 300.0), Cover.GARDEN, 0.075)
    return codes


def _highland(land: Relief, group: NDArray[np.intp], streams: Streams) -> Codes:
    """A reservoir in the lowest hollow, paddy along valleys, coffee and upland crops between."""
    shape = land.elevation_m.shape
    codes = np.full(shape, Cover.PADDY, np.uint8)
    _claim(codes, -land.elevation_m, Cover.WATER, 0.01)
    dry = -land.wetness_index + 0.02 * land.slope_deg
    codes[_highest(dry, codes != Cover.WATER, 0.915)] = Cover.COFFEE
    _claim(codes, streams.grf("villages", shape, 500.0), Cover.VILLAGE, 0.055, Cover.COFFEE)
    upland = streams.grf("upland", shape, 500.0) + streams.per_patch("upland_group", group)
    _claim(codes, upland, Cover.UPLAND, 0.35, Cover.COFFEE)
    return codes


def _claim(
    codes: Codes, suitability: Field, code: Cover, share: float, of: Cover = Cover.PADDY
) -> None:
    """Turn the most suitable pixels of class `of`, a share of all pixels, into `code`."""
    codes[_highest(suitability, codes == of, share)] = code


def _highest(values: Field, allowed: Mask, share: float) -> Mask:
    """The highest allowed pixels, a share of all pixels."""
    count = round(share * values.size)
    order = np.argsort(np.where(allowed, values, -np.inf), axis=None, kind="stable")
    chosen = np.zeros(values.size, np.bool_)
    chosen[order[values.size - count :]] = True
    return chosen.reshape(values.shape) & allowed


def fractions(codes: Codes, streams: Streams) -> dict[str, Field]:
    """Shares of paddy, dry_crop, trees, village and water inside each pixel; they sum to 1."""
    shares = {
        name: np.zeros(codes.shape, np.float32) for name in sorted(set(OWN_FRACTION.values()))
    }
    for name, b in INCLUSIONS.items():
        drawn = streams.rng(f"fraction_{name}").beta(1.0, b, codes.shape)
        shares[name] = np.minimum(drawn, 0.3).astype(np.float32)
    for code, name in OWN_FRACTION.items():
        shares[name] = np.where(codes == code, np.float32(0), shares[name])
    rest = 1 - sum(shares.values(), np.zeros(codes.shape, np.float32))
    for code, name in OWN_FRACTION.items():
        shares[name] = np.where(codes == code, rest, shares[name])
    return {name: shares[name] for name in sorted(shares)}
