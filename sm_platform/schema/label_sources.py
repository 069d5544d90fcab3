"""Sources of soil-moisture labels: what each stands for, and what it was made from."""

from dataclasses import dataclass
from enum import StrEnum

from sm_platform.errors import UsageError


class LabelType(StrEnum):
    """What kind of knowledge a label is."""

    PRODUCT = "product"
    """A retrieval from satellites: comparing with it is emulation."""
    MODEL = "model"
    """A land model's analysis."""
    IN_SITU = "in_situ"
    """A sensor in the soil: comparing with it is validation."""
    SIMULATED = "simulated"
    """Of a world that was made up: good for trying things out, no knowledge of a real place."""


@dataclass(frozen=True, slots=True)
class LabelSource:
    """One source; its id is the column `source` of observations and samples."""

    source_id: str
    """Also the folder name of its granules."""
    label_type: LabelType
    support_m: float
    """Side of the area that a value stands for; 0 for a point."""
    level: str | None
    """EASE-Grid 2.0 level whose cells it is read at; None for series at places."""
    depth_from_m: float
    depth_to_m: float
    """Of the layer, where the file itself does not tell."""
    made_from: frozenset[str]
    """What it was made from: two sources that share an entry have errors in common."""


_L_BAND, _RAIN = "smap_radiometer", "analysed_rain"
_TOP = (0.0, 0.05)
_L, _LR = frozenset({_L_BAND}), frozenset({_L_BAND, _RAIN})
_P, _M, _S = LabelType.PRODUCT, LabelType.MODEL, LabelType.IN_SITU
LABEL_SOURCES = {
    one.source_id: one
    for one in (
        LabelSource("planet_swc", _P, 100.0, "100m", *_TOP, _L),
        LabelSource("planet_series", _P, 100.0, None, *_TOP, _L),
        LabelSource("nsidc_0779", _P, 1000.0, "1km", *_TOP, _L),
        LabelSource("spl3smp_e", _P, 9000.0, "9km", *_TOP, _L),
        LabelSource("spl4smgp", _M, 9000.0, "9km", *_TOP, _LR),
        LabelSource("spl4smau", _M, 9000.0, "9km", *_TOP, _LR),
        LabelSource("ismn", _S, 0.0, None, *_TOP, frozenset({"ismn"})),
        LabelSource("user_csv", _S, 0.0, None, *_TOP, frozenset({"user_csv"})),
    )
}
"""Every source by its id (provider pages and user guides; SPL4SMGP assimilates SMAP)."""


def find_label_type(name: str) -> LabelType:
    """The label type of that name; raises UsageError naming those there are."""
    if name not in list(LabelType):
        raise UsageError(f"There is no label type '{name}': choose of {', '.join(LabelType)}.")
    return LabelType(name)


def find_source(source_id: str) -> LabelSource:
    """The source of that id; raises UsageError listing those there are."""
    if source_id not in LABEL_SOURCES:
        raise UsageError(
            f"There is no label source '{source_id}': choose of {', '.join(LABEL_SOURCES)}."
        )
    return LABEL_SOURCES[source_id]
