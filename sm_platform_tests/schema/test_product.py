"""The product's own tables: bits, masks, layers."""

import re

import pytest

from sm_platform.errors import ProductError
from sm_platform.schema import product as p


def test_masks_follow_from_the_table_of_bits() -> None:
    assert p.QA_CRITICAL_MASK == 0x8057
    assert p.QA_REJECT_MASK == 0x98FF
    assert p.qa_mask([p.QaClass.CARE]) == 0x6700


def test_every_bit_is_described_once_in_order() -> None:
    assert [entry.offset for entry in p.QA_BITS] == list(range(16))
    assert [entry.bit for entry in p.QA_BITS] == list(p.Qa)
    assert len({entry.name for entry in p.QA_BITS}) == 16
    assert all(re.fullmatch(r"[a-z0-9_]+", entry.name) for entry in p.QA_BITS)
    assert p.QA_BITS[4].name == "open_water"


def test_outside_value_is_no_possible_mask() -> None:
    both = p.Qa.NO_SENTINEL1 | p.Qa.INUNDATED
    assert p.QA_OUTSIDE_REGION & both == both
    assert p.QA_OUTSIDE_REGION == p.NODATA


def test_layers_are_those_of_version_1() -> None:
    table = {
        layer.name: (layer.band, layer.unit, layer.scale, layer.valid, str(layer.overview))
        for layer in p.LAYERS
    }
    share = "m3 m-3", 0.0001, (0, 10000), "AVERAGE"
    assert table == {
        "SM": ("sm_mean", *share),
        "SD": ("sm_sd", *share),
        "LO": ("sm_lower", *share),
        "HI": ("sm_upper", *share),
        "DI": ("dissimilarity_index", "1", 0.001, (0, 65534), "AVERAGE"),
        "AGE": ("ndvi_age", "d", 1.0, (0, 65534), "NEAREST"),
        "QA": ("qa", "1", 1.0, (0, 65534), "MODE"),
    }  # fmt: skip
    assert [layer.name for layer in p.LAYERS if layer.is_clipped] == ["DI"]
    assert [layer.name for layer in p.LAYERS if not layer.is_predicted] == ["QA"]
    assert [layer.name for layer in p.LAYERS if layer.standard_name] == ["SM"]


def test_an_unknown_layer_is_named() -> None:
    with pytest.raises(ProductError, match="no layer 'XX'.*SM, SD"):
        p.find_layer("XX")
