"""The daily water balance of 0-5 cm over 5-50 cm, per pixel."""

from dataclasses import dataclass

import numpy as np

from sm_platform.sources.simulated.fields import Field, Mask, Streams
from sm_platform.sources.simulated.hydraulics import Hydraulics
from sm_platform.sources.simulated.land import Patches, Relief
from sm_platform.sources.simulated.places import Place

TOP_MM = np.float32(50)
DEEP_MM = np.float32(450)
TOP_SHARE = np.float32(50 / 450)
"""What a content of the upper layer amounts to in the lower one."""
INTERCEPTED_MM = 0.3
FLOODED_BELOW_SATURATION = np.float32(0.01)
DEEP_DRAINAGE = np.float32(0.25)
"""Share per day of what the lower layer holds above field capacity."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """Everything constant of the two layers, (rows, cols); contents in m3/m3."""

    soil: Hydraulics
    drained_share: Field
    """Of the water above field capacity in the upper layer, what drains in a day."""
    evaporation_factor: Field
    rain_factor: Field
    """Share of the rain that reaches the field: hidden, per group."""
    runoff_factor: Field
    exchange_mm: Field
    deep_target: Field
    """What the lower layer tends to: the water table's doing in a delta."""
    deep_rate: float
    """Per day."""


@dataclass(frozen=True, slots=True)
class Layers:
    """Water contents, m3/m3, (rows, cols)."""

    top: Field
    deep: Field


@dataclass(frozen=True, slots=True)
class Forcing:
    """One local day, (rows, cols)."""

    rain_mm: Field
    irrigation_mm: Field
    et0_mm: Field
    ndvi: Field
    is_flooded: Mask


def buckets(
    place: Place, soil: Hydraulics, relief: Relief, land: Patches, streams: Streams
) -> Buckets:
    """Draw the hidden factors of the field groups and set the constants."""
    tau_days = 1.2 * np.exp(0.4 * streams.per_patch("drainage", land.group))
    wetness = relief.wetness_index
    relative = 0.97 + 0.06 * wetness if place.is_delta else 0.45 + 0.10 * wetness
    span = soil.field_capacity - soil.wilting_point
    return Buckets(
        soil=soil,
        drained_share=1 - np.exp(-1 / tau_days),
        evaporation_factor=np.exp(0.25 * streams.per_patch("evaporation", land.group)),
        rain_factor=np.exp(0.20 * streams.per_patch("infiltration", land.group)),
        runoff_factor=np.clip(relief.slope_deg / 10, 0.1, 1),
        exchange_mm=np.maximum(1 + (0.3 if place.is_delta else 0.15) * wetness, 0),
        deep_target=soil.wilting_point + relative * span,
        deep_rate=0.02 if place.is_delta else 0.004,
    )


def start(at: Buckets) -> Layers:
    """Both layers at the lower layer's target; the spin-up forgets it."""
    return Layers(at.deep_target, at.deep_target)


def next_day(at: Buckets, layers: Layers, day: Forcing) -> Layers:
    """The state at the end of a local day."""
    cover = np.clip((day.ndvi - 0.15) / 0.7, 0, 1)
    layers = _drain(at, _wet(at, layers, day, cover))
    layers = _exchange(at, _dry(at, layers, day.et0_mm, cover))
    under_water = at.soil.saturation - FLOODED_BELOW_SATURATION
    return Layers(np.where(day.is_flooded, under_water, layers.top), layers.deep)


def _wet(at: Buckets, layers: Layers, day: Forcing, cover: Field) -> Layers:
    """Throughfall less runoff, and irrigation; what exceeds saturation goes down."""
    caught = day.rain_mm * at.rain_factor * (1 - np.float32(0.12) * cover)
    through = np.maximum(caught - np.float32(INTERCEPTED_MM), 0)
    lost = np.clip((through - 25) / 60, 0, np.float32(0.6)) * at.runoff_factor
    through = np.asarray(through * (1 - lost), np.float32)
    top = layers.top + (through + day.irrigation_mm) / TOP_MM
    excess = np.asarray(np.maximum(top - at.soil.saturation, 0), np.float32)
    return Layers(top - excess, layers.deep + excess * TOP_SHARE)


def _drain(at: Buckets, layers: Layers) -> Layers:
    down = np.maximum(layers.top - at.soil.field_capacity, 0) * at.drained_share
    return Layers(layers.top - down, layers.deep + down * TOP_SHARE)


def _dry(at: Buckets, layers: Layers, et0_mm: Field, cover: Field) -> Layers:
    """Evaporation (FAO-56 reduction, made smooth) and transpiration, 10 % of it from the top."""
    wilting, capacity = at.soil.wilting_point, at.soil.field_capacity
    low = np.float32(0.45) * wilting
    reduction = np.clip((layers.top - low) / (np.float32(0.9) * capacity - low), 0, 1)
    evaporation = at.evaporation_factor * et0_mm * (np.float32(1.1) - np.float32(0.85) * cover)
    evaporation *= reduction ** np.float32(1.6)
    transpiration = et0_mm * (np.float32(0.15) + np.float32(0.95) * cover)
    top = layers.top - evaporation / TOP_MM
    top -= np.float32(0.1) * transpiration * _stress(at, layers.top) / TOP_MM
    deep = layers.deep - np.float32(0.9) * transpiration * _stress(at, layers.deep) / DEEP_MM
    return Layers(np.maximum(top, np.float32(0.35) * wilting), np.maximum(deep, low))


def _stress(at: Buckets, content: Field) -> Field:
    """The plants' water that is left: 1 at field capacity, 0 at the wilting point."""
    span = at.soil.field_capacity - at.soil.wilting_point
    return np.clip((content - at.soil.wilting_point) / span, 0, 1)


def _exchange(at: Buckets, layers: Layers) -> Layers:
    """Capillary rise or seepage between the layers, and the lower layer's own drift."""
    soil = at.soil
    difference = (layers.deep - layers.top) / (soil.field_capacity - soil.wilting_point)
    rise_mm = at.exchange_mm * np.clip(difference, np.float32(-0.3), 1)
    deep = layers.deep - rise_mm / DEEP_MM
    deep = deep + np.float32(at.deep_rate) * (at.deep_target - deep)
    deep -= DEEP_DRAINAGE * np.maximum(deep - soil.field_capacity, 0)
    top = np.minimum(layers.top + rise_mm / TOP_MM, soil.saturation)
    return Layers(top, np.minimum(deep, soil.saturation))
