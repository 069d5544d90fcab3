"""Choosing sites: the platform's selection against a plain loop over pixels and cells.

`python -m benchmarks.sites` prints one JSON line; `--peak` the memory of one selection.
"""

import argparse
import json
import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from benchmarks._memory import peak_in_subprocess, peak_mib
from sm_platform.errors import GridError
from sm_platform.grid import ease2
from sm_platform.grid.window import GridWindow, Raster
from sm_platform.sites.rules import SiteRules
from sm_platform.sites.selection import SiteSelection, select_sites

SIZE = 1750
"""100 m pixels along a province of 3 million cells."""
TIMES = 2  # as many along each side of the larger region
REFERENCE_SIZE = 150
REPEATS = 3
RULES = SiteRules(count=1000, seed=1, spacing_km=1.0)
CODES = {
    "tree": 10,
    "shrub": 20,
    "grass": 30,
    "crop": 40,
    "built": 50,
    "bare": 60,
    "snow": 70,
    "water": 80,
    "wetland": 90,
}
WANTED = (20, 30, 40, 60, 90)
WORD = 2**64


@dataclass(frozen=True, slots=True)
class Province:
    """A made region: land cover and what the strata need, all on one window."""

    window: GridWindow
    land_cover: Raster
    texture: NDArray[np.int8]
    mean_sm: NDArray[np.float32]
    inside: NDArray[np.bool_]


def run() -> dict[str, object]:
    """Cells per second of both, their ratio, peak memory, and how time grows with the region."""
    part = province(REFERENCE_SIZE, seed=2)
    started = time.perf_counter()
    expected = plain_sites(part, RULES)
    plain_s = time.perf_counter() - started
    found = selected(part, RULES)
    assert found.site_id.tolist() == expected.site_id
    assert dict(found.rejected) == expected.rejected
    peak_mib = peak_in_subprocess("sites")  # first: a child begins with the peak of its parent
    ours_s, larger_s = _seconds(SIZE), _seconds(SIZE * TIMES)
    ours, reference = SIZE**2 / ours_s, REFERENCE_SIZE**2 / plain_s
    return {
        "name": "sites",
        "unit": "cells/s",
        "ours": round(ours),
        "reference": round(reference),
        "ratio": round(ours / reference),
        "peak_mib": peak_mib,
        "seconds": round(ours_s, 2),
        "seconds_at_4x": round(larger_s, 2),
        "time_ratio_at_4x": round(larger_s / ours_s, 2),
        "how": f"ours: {RULES.count} sites of {SIZE} x {SIZE} cells of 100 m, nine share bands, "
        f"texture, moisture, outline and spacing, best of {REPEATS}; reference: plain loop on "
        f"{REFERENCE_SIZE} x {REFERENCE_SIZE} cells, the same sites and counts; peak_mib: whole "
        f"process, bands in memory",
    }


def selected(region: Province, rules: SiteRules) -> SiteSelection:
    """The platform's sites."""
    return select_sites(
        region.window,
        region.land_cover,
        rules,
        texture=region.texture,
        mean_sm=region.mean_sm,
        inside=region.inside,
    )


def province(size: int, *, seed: int) -> Province:
    """Size x size cells of 100 m: patches of mixed classes, some unmapped, within an ellipse."""
    rng = np.random.default_rng(seed)
    window = ease2.window_around(ease2.LEVEL_100M, 106.43, 20.45, (size, size))
    bands = {f"{name}_share": rng.random((size, size), np.float32) ** 8 for name in CODES}
    total = np.zeros((size, size), np.float32)
    for band in bands.values():
        total += band
    total[rng.random((size, size), np.float32) < 0.02] = np.nan
    for band in bands.values():
        band /= total
    code = np.where(np.isnan(total), np.uint8(0), np.uint8(40))
    across = np.linspace(-1.02, 1.02, size)
    mean_sm = (0.05 + 0.4 * rng.random((size, size), np.float32)).astype(np.float32)
    mean_sm[rng.random((size, size), np.float32) < 0.2] = np.nan
    return Province(
        window=window,
        land_cover=Raster(window, {**bands, "land_cover_code": code}),
        texture=rng.integers(0, 4, (size, size), np.int8),
        mean_sm=mean_sm,
        inside=across[:, None] ** 2 + across**2 <= 1,
    )


# --- the plain reference: one pixel, one cell, one turn at a time ---------------------------------


@dataclass(frozen=True, slots=True)
class PlainCell:
    """A cell that can be a site."""

    row: int
    col: int
    stratum: tuple[int, int, int]
    draw: int


@dataclass(frozen=True, slots=True)
class PlainSites:
    """What the plain loop finds."""

    site_id: list[str]
    rejected: dict[str, int]


def plain_sites(region: Province, rules: SiteRules) -> PlainSites:
    """The sites of a region on the 100 m grid, found cell by cell; classes of WorldCover."""
    step = ease2.LEVEL_100M.divisor // _level(rules).divisor
    rejected = dict.fromkeys(
        ("outside_region", "no_land_cover", "other_class", "mixed", "same_square", "not_drawn"), 0
    )
    fit: dict[tuple[int, int], tuple[int, int, float]] = {}
    for cell, pixels in _pixels_of_cells(region.window, step).items():
        found = _judged(region, rules, pixels, step)
        if isinstance(found, str):
            rejected[found] += 1
        else:
            fit[cell] = found
    known = [sm for _, _, sm in fit.values() if not math.isnan(sm)]
    limits = np.quantile(np.array(known, np.float32), (1 / 3, 2 / 3)) if known else ()
    cells = [
        PlainCell(*cell, (code, texture, _third(sm, limits)), _draw(cell, rules))
        for cell, (code, texture, sm) in fit.items()
    ]
    order = _known_first(cells, step)
    if rules.spacing_km is not None:
        order = _known_first(_one_per_square(order, rules.spacing_km, step), step)
    rejected["same_square"] = len(cells) - len(order)
    rejected["not_drawn"] = max(0, len(order) - rules.count)
    names = [f"{rules.level}-{cell.row}-{cell.col}" for cell in order[: rules.count]]
    return PlainSites(sorted(names), rejected)


def _level(rules: SiteRules) -> ease2.Level:
    return {level.name: level for level in ease2.LEVELS}[rules.level]


def _pixels_of_cells(
    window: GridWindow, step: int
) -> dict[tuple[int, int], list[tuple[int, int, int, int]]]:
    """Of each cell its pixels: row and column in the window, and on the globe."""
    corner = ease2.corner_cell(ease2.LEVEL_100M, window)
    if corner is None:
        raise GridError("The plain loop knows regions on the 100 m grid only.")
    cells = defaultdict(list)
    for row in range(window.shape[0]):
        for col in range(window.shape[1]):
            there = corner[0] + row, corner[1] + col
            cells[there[0] // step, there[1] // step].append((row, col, *there))
    return cells


def _judged(
    region: Province, rules: SiteRules, pixels: list[tuple[int, int, int, int]], step: int
) -> str | tuple[int, int, float]:
    """Why the cell cannot be a site, or its class, texture and moisture."""
    needed = math.ceil(rules.min_valid_share * step * step - 1e-6)
    inside = [(row, col) for row, col, _, _ in pixels if region.inside[row, col]]
    has_centre = any(r % step == step // 2 and c % step == step // 2 for _, _, r, c in pixels)
    if len(inside) < needed or not has_centre:
        return "outside_region"
    bands = {CODES[name]: region.land_cover.values[f"{name}_share"] for name in CODES}
    valid = [p for p in inside if not any(math.isnan(band[p]) for band in bands.values())]
    if len(valid) < needed or not valid:
        return "no_land_cover"
    shares = {
        code: np.float32(sum(float(band[p]) for p in valid) / len(valid))
        for code, band in bands.items()
    }
    code = max(shares, key=lambda c: (shares[c], -c))
    if code not in (rules.classes or WANTED):
        return "other_class"
    if shares[code] < np.float32(rules.min_purity):
        return "mixed"
    textures = Counter(int(region.texture[p]) for p in inside if region.texture[p])
    texture = min(textures, key=lambda t: (-textures[t], t)) if textures else 0
    moist = [float(region.mean_sm[p]) for p in inside if not math.isnan(region.mean_sm[p])]
    return code, texture, float(np.float32(sum(moist) / len(moist))) if moist else math.nan


def _third(sm: float, limits: Iterable[float]) -> int:
    return 0 if math.isnan(sm) else 1 + sum(sm > limit for limit in limits)


def _draw(cell: tuple[int, int], rules: SiteRules) -> int:
    level = _level(rules)
    stream = split_mix((split_mix(rules.seed) + level.divisor) % WORD)
    return split_mix((cell[0] * level.shape[1] + cell[1] + stream) % WORD)


def split_mix(state: int) -> int:
    """SplitMix64 in whole numbers without bounds."""
    mixed = (state + 0x9E3779B97F4A7C15) % WORD
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 % WORD
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB % WORD
    return mixed ^ (mixed >> 31)


def _known_first(cells: list[PlainCell], step: int) -> list[PlainCell]:
    """Cells whose texture and moisture are known, as far as any cell's is, then the others."""
    asked = [n for n in (1, 2) if any(cell.stratum[n] for cell in cells)]
    known = [cell for cell in cells if all(cell.stratum[n] for n in asked)]
    others = [cell for cell in cells if not all(cell.stratum[n] for n in asked)]
    return _in_turn(known, step) + _in_turn(others, step)


def _in_turn(cells: list[PlainCell], step: int) -> list[PlainCell]:
    """Blocks give in turn to their stratum, strata to their class, classes to the sites."""
    tree: dict[int, dict[tuple[int, int, int], dict[tuple[int, int], list[PlainCell]]]] = {}
    for cell in sorted(cells, key=lambda c: c.draw):
        block = tuple((n * step + step // 2) // 30 for n in (cell.row, cell.col))
        strata = tree.setdefault(cell.stratum[0], {})
        strata.setdefault(cell.stratum, {}).setdefault((block[0], block[1]), []).append(cell)
    return _rounds(
        _rounds(_rounds(blocks.values()) for blocks in strata.values()) for strata in tree.values()
    )


def _rounds(queues: Iterable[list[PlainCell]]) -> list[PlainCell]:
    """The first of each queue by draw, then the second of each, and so on."""
    order: list[PlainCell] = []
    for taken in zip_longest(*queues):
        order += sorted((cell for cell in taken if cell is not None), key=lambda c: c.draw)
    return order


def _one_per_square(order: list[PlainCell], spacing_km: float, step: int) -> list[PlainCell]:
    side = round(spacing_km * 10)
    first: dict[tuple[int, ...], PlainCell] = {}
    for cell in order:
        square = tuple((n * step + step // 2) // side for n in (cell.row, cell.col))
        first.setdefault(square, cell)
    return list(first.values())


# --- time and memory -----------------------------------------------------------------------------


def _seconds(size: int) -> float:
    region = province(size, seed=1)
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        assert len(selected(region, RULES)) == RULES.count
        times.append(time.perf_counter() - started)
    return min(times)


def _peak_mib() -> int:
    """Peak memory of this process after one selection of the province."""
    assert len(selected(province(SIZE, seed=1), RULES)) == RULES.count
    return peak_mib()


def main() -> None:
    """Print the result as one JSON line; with --peak only the memory of one selection."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peak", action="store_true", help=f"peak MiB of {SIZE} x {SIZE} cells")
    print(_peak_mib() if parser.parse_args().peak else json.dumps(run()))


if __name__ == "__main__":
    main()
