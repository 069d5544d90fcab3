"""Random building blocks: named seed streams, Gaussian random fields, Voronoi patches."""

from dataclasses import dataclass
from math import ceil, pi
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.fft import fftfreq, irfft2, next_fast_len, rfft2, rfftfreq
from scipy.spatial import cKDTree

from sm_platform.grid.ease2 import LEVEL_100M

Field = NDArray[np.float32]
Mask = NDArray[np.bool_]

CELL_M = LEVEL_100M.cell_m
FULL_SIZE = 150
"""Rows and columns of a whole region."""


@dataclass(frozen=True, slots=True)
class Streams:
    """Independent generators by name, so that a new field changes no other one."""

    seed: int
    place_index: int

    def rng(self, name: str) -> np.random.Generator:
        """A fresh generator; the same name gives the same numbers (crc32, never `hash`)."""
        return np.random.default_rng(
            np.random.SeedSequence([self.seed, self.place_index, crc32(name.encode())])
        )

    def grf(self, name: str, shape: tuple[int, int], length_m: float, nu: float = 1.0) -> Field:
        """A static Gaussian field, mean 0 and variance 1 over 15 km; smaller shapes are its corner.

        What varies over more than a region is left to the means that describe its place, so each
        seed has the same mix of relief and soils.
        """
        rows, cols = shape
        wide = (max(rows, FULL_SIZE), max(cols, FULL_SIZE))
        field = without_trend(matern(wide, length_m, nu)).draw(self.rng(name))
        return standardised(field)[:rows, :cols]

    def per_patch(self, name: str, patch: NDArray[np.intp]) -> Field:
        """A standard normal number for each patch, spread over its pixels."""
        count = int(patch.max()) + 1
        return self.rng(name).standard_normal(count, np.float32)[patch]

    def is_chosen(self, name: str, patch: NDArray[np.intp], share: float) -> Mask:
        """A random share of the patches, spread over their pixels."""
        return (self.rng(name).random(int(patch.max()) + 1) < share)[patch]


@dataclass(frozen=True, slots=True)
class Matern:
    """A filter that turns white noise into a field; the torus is wider than the field."""

    shape: tuple[int, int]
    amplitude: Field
    """(n, n // 2 + 1) of the real Fourier transform on the torus of n x n cells."""

    def draw(self, rng: np.random.Generator) -> Field:
        """A field of `shape`, mean 0 and variance 1 over all draws."""
        n = self.amplitude.shape[0]
        noise = rng.standard_normal((n, n), np.float32)
        field = irfft2(rfft2(noise) * self.amplitude, s=(n, n))
        rows, cols = self.shape
        return np.ascontiguousarray(field[:rows, :cols], dtype=np.float32)


def matern(shape: tuple[int, int], length_m: float, nu: float = 1.0) -> Matern:
    """The Matern filter (1/L^2 + k^2)^-((nu+1)/2) in two dimensions, k in radians per metre.

    The torus is three lengths wider than the field, so that opposite borders do not match.
    """
    n = int(next_fast_len(max(shape) + ceil(3 * length_m / CELL_M), real=True))
    k2 = _wave_number_squared(n, fftfreq(n, CELL_M))
    level = np.sqrt(((length_m**-2 + k2) ** -(nu + 1)).mean())
    half = length_m**-2 + _wave_number_squared(n, rfftfreq(n, CELL_M))
    return Matern(shape, (half ** (-(nu + 1) / 2) / level).astype(np.float32))


def without_trend(field: Matern) -> Matern:
    """The same filter without waves longer than a whole region."""
    n = field.amplitude.shape[0]
    k2 = _wave_number_squared(n, rfftfreq(n, CELL_M))
    is_short = k2 >= (2 * pi / (FULL_SIZE * CELL_M)) ** 2
    return Matern(field.shape, field.amplitude * is_short)


def _wave_number_squared(n: int, along_x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of the real or the full Fourier transform on n rows, (radians per metre)^2."""
    return np.asarray((2 * pi * fftfreq(n, CELL_M)[:, None]) ** 2 + (2 * pi * along_x) ** 2)


def voronoi(shape: tuple[int, int], area: float, rng: np.random.Generator) -> NDArray[np.intp]:
    """Patch number of each cell: the nearest of random points, one for `area` cells."""
    rows, cols = shape
    count = max(1, round(rows * cols / area))
    points = rng.random((count, 2)) * shape
    cells = np.indices(shape).reshape(2, -1).T + 0.5
    nearest = cKDTree(points).query(cells)[1]
    patch = np.unique(nearest, return_inverse=True)[1]
    return np.asarray(patch.reshape(shape), dtype=np.intp)


def logistic(values: Field) -> Field:
    """1 / (1 + exp(-values))."""
    return np.asarray(1 / (1 + np.exp(-values)), dtype=np.float32)


def standardised(values: Field) -> Field:
    """The values less their mean, by their standard deviation."""
    return np.asarray((values - values.mean()) / values.std(), dtype=np.float32)
