"""Files of layers: numbers, validity, tags, equal bytes."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.io import MemoryFile
from rio_cogeo.cogeo import cog_validate

from sm_platform.errors import ProductError
from sm_platform.maps.cog import decode, encode, layer_cog, physical
from sm_platform.maps.product import MapProduct
from sm_platform.maps.summary import statistics
from sm_platform.schema.product import AGE, DI, LAYERS, LO, QA, SD, SM, Layer
from sm_platform_tests.maps import cases

SHARES = st.floats(0, 1, width=32)


@given(SHARES)
@settings(max_examples=200, deadline=None)
def test_rounding_stays_within_half_a_step(value: float) -> None:
    number = encode(SM, np.array([[value]], np.float32))
    assert abs(float(number[0, 0]) * 0.0001 - value) <= 0.00005 + 1e-12


@given(st.integers(0, 10000))
@settings(max_examples=200, deadline=None)
def test_numbers_survive_the_way_there_and_back(number: int) -> None:
    numbers = np.array([[number]], np.uint16)
    np.testing.assert_array_equal(encode(SM, physical(SM, numbers)), numbers)


def test_numbers_worked_by_hand() -> None:
    values = np.array([[0.0, 0.00004, 0.00006, 0.25, 1.0, np.nan]], np.float32)
    assert encode(SM, values).tolist() == [[0, 0, 1, 2500, 10000, 65535]]
    assert encode(DI, np.array([[0.5, 65.534, 70.0]], np.float32)).tolist() == [[500, 65534, 65534]]
    assert encode(AGE, np.array([[3, 65535]], np.uint16)).tolist() == [[3, 65535]]


@pytest.mark.parametrize("value", [-0.001, 1.0001, 6.6, np.inf, -np.inf])
def test_nothing_wraps(value: float) -> None:
    with pytest.raises(ProductError, match=r"Layer SM cannot hold .* \(1 cells\)"):
        encode(SM, np.array([[0.2, value]], np.float32))


def test_negative_dissimilarity_is_refused_not_clipped() -> None:
    with pytest.raises(ProductError, match="Layer DI"):
        encode(DI, np.array([[-1.0]], np.float32))


def full_map() -> MapProduct:
    """A map with the layers of a calibration too."""
    made = cases.product()
    sm = made.layers["SM"]
    more = {
        "LO": np.maximum(sm - np.float32(0.05), 0),
        "HI": sm + np.float32(0.05),
        "DI": sm * np.float32(3),
    }
    lineage = replace(made.lineage, interval_level=0.9, di_threshold=0.62)
    return replace(made, layers=dict(made.layers) | more, lineage=lineage)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_each_layer_is_a_valid_cog_that_reads_back(layer: Layer) -> None:
    product = full_map()
    content = layer_cog(product, layer)
    is_valid, errors, warnings = cog_validate(io.BytesIO(content), strict=True, quiet=True)
    assert (is_valid, errors, warnings) == (True, [], [])
    raster, tags = decode(content)
    assert raster.window == product.window
    assert tags["LAYER"] == layer.name
    wanted = product.layers[layer.name]
    if layer.is_float:
        np.testing.assert_allclose(raster.values[layer.name], wanted, atol=layer.scale / 2 + 1e-7)
    else:
        np.testing.assert_array_equal(raster.values[layer.name], wanted)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_the_band_says_what_its_numbers_mean(layer: Layer) -> None:
    with MemoryFile(layer_cog(full_map(), layer)) as memory, memory.open() as file:
        assert (file.count, file.dtypes, file.nodata) == (1, ("uint16",), 65535)
        assert (file.descriptions, file.units) == ((layer.band,), (layer.unit,))
        assert (file.scales, file.offsets) == ((layer.scale,), (0.0,))
        assert file.colorinterp == (rasterio.enums.ColorInterp.gray,)
        assert file.block_shapes == [(256, 256)]
        assert file.compression == rasterio.enums.Compression.deflate
        predictor = file.tags(ns="IMAGE_STRUCTURE").get("PREDICTOR")
        assert predictor == (None if layer is QA else "2")
        band = file.tags(1)
        assert band["long_name"] == layer.meaning
        assert band["valid_range"] == f"{layer.valid[0]} {layer.valid[1]}"
        assert band.get("standard_name") == layer.standard_name


def test_tags_tell_what_was_seen_and_what_made_it() -> None:
    tags = decode(layer_cog(full_map(), SM))[1]
    expected = {
        "PRODUCT_ID": "SM100_vn-thaibinh_20260115T224512Z_S1C_D091_v1.0_r00",
        "PRODUCT_VERSION": "1.0",
        "REVISION": "0",
        "REGION_ID": "vn-thaibinh",
        "ACQUISITION_START_UTC": "2026-01-15T22:45:12Z",
        "ACQUISITION_END_UTC": "2026-01-15T22:45:37Z",
        "PLATFORM": "S1C",
        "ORBIT_STATE": "descending",
        "RELATIVE_ORBIT": "91",
        "GRANULES": ",".join(f"{name}:{sha256}" for name, sha256 in cases.GRANULES),
        "INPUT_HASHES": "9" * 64,
        "RECIPE": "sm-100m-v1",
        "RECIPE_FINGERPRINT": "f" * 16,
        "CHECKPOINT_ID": "demo",
        "CHECKPOINT_FINGERPRINT": "c" * 16,
        "CODE_VERSION": "0.1.0",
        "INTERVAL_LEVEL": "0.9",
        "DI_THRESHOLD": "0.62",
        "QA_CRITICAL_MASK": "0x8057",
        "QA_REJECT_MASK": "0x98FF",
        "INPUTS_STATUS": "preliminary",
        "AREA_OR_POINT": "Area",
        "TIFFTAG_SOFTWARE": "sm-platform 0.1.0",
        "TIFFTAG_COPYRIGHT": "Contains modified Copernicus Sentinel data 2026; licence: other",
    }
    assert {name: tags.get(name) for name in expected} == expected


def test_what_is_not_known_or_does_not_apply_is_said() -> None:
    made = cases.product(cases.SEED_GRID, seen=cases.DAY, lineage=cases.PARITY)
    tags = decode(layer_cog(made, SM))[1]
    assert tags["RELATIVE_ORBIT"] == tags["ORBIT_STATE"] == "unknown"
    assert tags["QA_CRITICAL_MASK"] == "0"
    assert "INTERVAL_LEVEL" not in tags
    assert "DI_THRESHOLD" not in tags


def test_equal_maps_give_equal_bytes() -> None:
    for layer in (SM, QA):
        assert layer_cog(cases.product(), layer) == layer_cog(cases.product(), layer)
    assert layer_cog(cases.product(seed=8), SM) != layer_cog(cases.product(), SM)


def test_a_layer_without_any_value_is_still_a_valid_file() -> None:
    made = cases.product()
    empty = {"SM": np.full_like(made.layers["SM"], np.nan)}
    empty |= {"SD": empty["SM"], "AGE": np.full_like(made.layers["AGE"], 65535)}
    content = layer_cog(replace(made, layers=dict(made.layers) | empty), SM)
    assert cog_validate(io.BytesIO(content), strict=True, quiet=True)[0]
    assert np.isnan(decode(content)[0].values["SM"]).all()


def test_the_small_grid_of_a_seed_folder_keeps_its_exact_corner() -> None:
    made = cases.product(cases.SEED_GRID, seen=cases.DAY, lineage=cases.PARITY)
    content = layer_cog(made, SD)
    assert cog_validate(io.BytesIO(content), strict=True, quiet=True)[0]
    assert decode(content)[0].window == cases.SEED_GRID
    with MemoryFile(content) as memory, memory.open() as file:
        assert file.overviews(1) == []


def test_overviews_of_a_large_map_average_moisture_and_keep_bits_possible() -> None:
    made = cases.product(cases.window(600, 600))
    bits = set(np.unique(made.layers["QA"]).tolist())
    with MemoryFile(layer_cog(made, QA)) as memory, memory.open(overview_level=0) as file:
        assert set(np.unique(file.read(1)).tolist()) <= bits
    with MemoryFile(layer_cog(made, SM)) as memory:
        with memory.open() as file:
            fine = file.read(1)
        with memory.open(overview_level=0) as file:
            coarse = file.read(1)
    block = fine[300:302, 200:202].astype(float)
    assert abs(coarse[150, 100] - block.mean()) <= 1


def test_statistics_in_the_file_are_those_of_all_cells() -> None:
    made = cases.product()
    ours = statistics(SM, encode(SM, made.layers["SM"]))
    with MemoryFile(layer_cog(made, SM)) as memory, memory.open() as file:
        tags = file.tags(1)
    assert float(tags["STATISTICS_MINIMUM"]) == ours["minimum"]
    assert float(tags["STATISTICS_MAXIMUM"]) == ours["maximum"]
    assert float(tags["STATISTICS_MEAN"]) == pytest.approx(ours["mean"], abs=1e-5)
    assert float(tags["STATISTICS_STDDEV"]) == pytest.approx(ours["stddev"], abs=1e-5)


def test_a_file_on_disk_reads_like_one_in_memory(tmp_path: Path) -> None:
    content = layer_cog(full_map(), LO)
    (tmp_path / "lo.tif").write_bytes(content)
    raster, tags = decode(tmp_path / "lo.tif")
    np.testing.assert_array_equal(raster.values["LO"], decode(content)[0].values["LO"])
    assert tags == decode(content)[1]


def test_a_stranger_s_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProductError, match="cannot be read"):
        decode(b"no tiff")
    with pytest.raises(ProductError, match="gone.tif cannot be read"):
        decode(tmp_path / "gone.tif")
    profile = {"driver": "GTiff", "width": 2, "height": 2, "count": 1, "dtype": "uint16"}
    with MemoryFile() as memory:
        with memory.open(**profile, transform=cases.SEED_GRID.affine) as file:
            file.write(np.zeros((1, 2, 2), np.uint16))
        content = bytes(memory.getbuffer())
    with pytest.raises(ProductError, match="no layer of a map"):
        decode(content)
