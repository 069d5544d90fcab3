"""Water contents at wilting point, field capacity and saturation from texture."""

from dataclasses import dataclass

import numpy as np

from sm_platform.sources.simulated.fields import Field, Streams
from sm_platform.sources.simulated.land import Patches, Texture

PARTICLE_DENSITY_G_CM3 = 2.65
HIDDEN_SHIFT = 0.02
"""m3/m3: what the soil maps do not know of field capacity, half of it of the wilting point."""


@dataclass(frozen=True, slots=True)
class Hydraulics:
    """Volumetric water contents, m3/m3, (rows, cols)."""

    wilting_point: Field
    field_capacity: Field
    saturation: Field


def saxton_rawls(soil: Texture) -> Hydraulics:
    """Saxton & Rawls 2006 (10.2136/sssaj2005.0117), equations 1-3 and 5.

    Saturation is the mean of theirs and of the porosity that the bulk density leaves, and at
    least field capacity + 0.04.
    """
    S, C, O = soil.sand_fraction, soil.clay_fraction, soil.organic_percent  # noqa: E741
    w = -0.024 * S + 0.487 * C + 0.006 * O + 0.005 * S * O - 0.013 * C * O + 0.068 * S * C + 0.031
    f = -0.251 * S + 0.195 * C + 0.011 * O + 0.006 * S * O - 0.027 * C * O + 0.452 * S * C + 0.299
    g = 0.278 * S + 0.034 * C + 0.022 * O - 0.018 * S * O - 0.027 * C * O - 0.584 * S * C + 0.078
    capacity = f + 1.283 * f**2 - 0.374 * f - 0.015
    theirs = capacity + (1.636 * g - 0.107) - 0.097 * S + 0.043
    porosity = 1 - soil.bulk_density_g_cm3 / PARTICLE_DENSITY_G_CM3
    saturation = np.maximum((theirs + porosity) / 2, capacity + 0.04)
    return Hydraulics(1.14 * w - 0.02, capacity, saturation)


def with_hidden_shift(soil: Hydraulics, land: Patches, streams: Streams) -> Hydraulics:
    """The same soil, moved per field group and along a 400 m field that no file shows."""
    near = streams.grf("hidden_capacity", land.group.shape, 400.0)
    shift = HIDDEN_SHIFT * 0.7 * (streams.per_patch("hidden_capacity_group", land.group) + near)
    capacity = soil.field_capacity + shift
    return Hydraulics(
        wilting_point=soil.wilting_point + np.float32(0.5) * shift,
        field_capacity=capacity,
        saturation=np.maximum(soil.saturation, capacity + 0.04),
    )
