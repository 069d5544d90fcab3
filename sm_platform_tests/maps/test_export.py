"""Exports: the same cells in other grids and types."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from rasterio.enums import Resampling
from rasterio.warp import reproject
from rio_cogeo.cogeo import cog_validate

from sm_platform.errors import ProductError, UsageError
from sm_platform.grid.window import GridWindow
from sm_platform.maps.export import export_layer
from sm_platform.maps.product import MapProduct
from sm_platform.maps.render import map_files
from sm_platform.maps.targets import STEP_DEG, target_window
from sm_platform_tests.maps import cases

EDGE_SHARE = 0.005
"""Cells whose centres lie so near an edge that GDAL, exact to 0.005 of a cell, takes the next."""


def folder_of(product: MapProduct, folder: Path) -> dict[str, Path]:
    """The files of a map on disk, layers by name."""
    found = {}
    for name, content in map_files(product, created_utc=cases.CREATED, utc_offset_h=7).items():
        (folder / name).write_bytes(content)
        found[Path(name).stem.rsplit("_", 1)[-1]] = folder / name
    return found


@pytest.fixture
def layers(tmp_path: Path) -> dict[str, Path]:
    return folder_of(cases.product(), tmp_path)


def read(path: Path, band: int = 1) -> np.ndarray:
    with rasterio.open(path) as file:
        return np.asarray(file.read(band))


def carried(path: Path, grid: GridWindow) -> np.ndarray:
    """What GDAL makes of a file on another grid, nearest neighbour."""
    with rasterio.open(path) as file:
        out = np.full(grid.shape, 65535, np.uint16)
        reproject(
            file.read(1), out, src_transform=file.transform, src_crs=file.crs, src_nodata=65535,
            dst_transform=grid.affine, dst_crs=grid.crs, dst_nodata=65535, tolerance=0,
            resampling=Resampling.nearest,
        )  # fmt: skip
    return out


def test_without_an_option_the_file_is_the_archive_s(
    layers: dict[str, Path], tmp_path: Path
) -> None:
    grid = export_layer([layers["SM"]], tmp_path / "out.tif")
    assert grid == cases.window()
    assert (tmp_path / "out.tif").read_bytes() == layers["SM"].read_bytes()
    export_layer([layers["SM"]], tmp_path / "same.tif", crs="EPSG:6933")
    assert (tmp_path / "same.tif").read_bytes() == layers["SM"].read_bytes()


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32648"])
@pytest.mark.parametrize("layer", ["SM", "QA", "AGE"])
def test_another_crs_holds_the_nearest_source_cell(
    layers: dict[str, Path], tmp_path: Path, crs: str, layer: str
) -> None:
    out = tmp_path / "out.tif"
    grid = export_layer([layers[layer]], out, crs=crs)
    wanted = carried(layers[layer], grid)
    found = read(out)
    assert (found != wanted).mean() < EDGE_SHARE
    assert (found == 65535).any()
    assert cog_validate(out, strict=True, quiet=True)[0]


@pytest.mark.parametrize(("crs", "step"), [("EPSG:4326", STEP_DEG), ("EPSG:32648", 100.0)])
def test_edges_are_whole_steps_and_span_the_map(crs: str, step: float) -> None:
    grid = target_window(cases.window(), crs)
    assert (grid.affine.a, grid.affine.e) == (step, -step)
    edges = np.array(grid.bounds) / step
    np.testing.assert_allclose(edges, edges.round(), atol=1e-6)
    turn = Transformer.from_crs("EPSG:6933", crs, always_xy=True)
    west, south, east, north = turn.transform_bounds(*cases.window().bounds)
    left, bottom, right, top = grid.bounds
    assert left <= west < left + step
    assert bottom <= south < bottom + step
    assert right - step < east <= right
    assert top - step < north <= top


def test_metadata_survive_and_statistics_are_of_the_new_grid(
    layers: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out.tif"
    export_layer([layers["SM"]], out, crs="EPSG:32648")
    with rasterio.open(layers["SM"]) as before, rasterio.open(out) as after:
        for name in ("scales", "offsets", "units", "descriptions", "nodata", "dtypes"):
            assert getattr(after, name) == getattr(before, name)
        assert after.tags()["PRODUCT_ID"] == before.tags()["PRODUCT_ID"]
        assert after.tags(1)["long_name"] == before.tags(1)["long_name"]
        values = after.read(1)
        mean = float(after.tags(1)["STATISTICS_MEAN"])
        share = float(after.tags(1)["STATISTICS_VALID_PERCENT"])
    assert mean == pytest.approx(values[values != 65535].mean(), abs=1e-6)
    assert share == pytest.approx(100 * (values != 65535).mean(), abs=0.1)


def test_floats_are_in_physical_units_with_nan(layers: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "out.tif"
    export_layer([layers["SM"]], out, as_float=True)
    numbers, values = read(layers["SM"]), read(out)
    assert values.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(values), numbers == 65535)
    known = numbers != 65535
    np.testing.assert_allclose(values[known], numbers[known] * 0.0001, rtol=1e-6)
    with rasterio.open(out) as file:
        assert (file.scales, file.offsets, file.units) == ((1.0,), (0.0,), ("m3 m-3",))
        assert np.isnan(file.nodata)
    assert cog_validate(out, strict=True, quiet=True)[0]


def test_a_stack_has_one_band_a_layer(layers: dict[str, Path], tmp_path: Path) -> None:
    out, names = tmp_path / "out.tif", ["SM", "SD", "AGE", "QA"]
    grid = export_layer([layers[name] for name in names], out, crs="EPSG:32648", stack=True)
    with rasterio.open(out) as file:
        assert file.descriptions == ("sm_mean", "sm_sd", "ndvi_age", "qa")
        assert file.scales == (0.0001, 0.0001, 1.0, 1.0)
        assert (file.dtypes, file.nodata) == (("uint16",) * 4, 65535)
        assert file.tags()["LAYER"] == "SM,SD,AGE,QA"
    for number, name in enumerate(names, start=1):
        wanted = carried(layers[name], grid)
        assert (read(out, number) != wanted).mean() < EDGE_SHARE
    assert cog_validate(out, strict=True, quiet=True)[0]


def test_a_stack_on_the_same_grid_is_exact(layers: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "out.tif"
    export_layer([layers["SM"], layers["QA"]], out, stack=True)
    np.testing.assert_array_equal(read(out, 1), read(layers["SM"]))
    np.testing.assert_array_equal(read(out, 2), read(layers["QA"]))


def test_the_grid_of_a_seed_folder_exports_too(tmp_path: Path) -> None:
    layers = folder_of(
        cases.product(cases.SEED_GRID, seen=cases.DAY, lineage=cases.PARITY), tmp_path
    )
    out = tmp_path / "out.tif"
    grid = export_layer([layers["SM"]], out, crs="EPSG:32648")
    wanted = carried(layers["SM"], grid)
    assert (read(out) != wanted).mean() < EDGE_SHARE
    assert (grid.affine.a, grid.affine.c % 100, grid.affine.f % 100) == (100, 0, 0)


def test_an_export_is_replaced_whole_and_leaves_nothing_aside(
    layers: dict[str, Path], tmp_path: Path
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (place / "out.tif").write_text("old")
    export_layer([layers["SM"]], place / "out.tif")
    assert [path.name for path in place.iterdir()] == ["out.tif"]
    assert (place / "out.tif").read_bytes() == layers["SM"].read_bytes()


def test_wrong_places_and_crs_are_refused(layers: dict[str, Path], tmp_path: Path) -> None:
    source, out = [layers["SM"]], tmp_path / "out.tif"
    with pytest.raises(UsageError, match="is a folder"):
        export_layer(source, tmp_path)
    with pytest.raises(UsageError, match="does not exist"):
        export_layer(source, tmp_path / "gone" / "out.tif")
    with pytest.raises(UsageError, match="is no CRS"):
        export_layer(source, out, crs="EPSG:nine")
    with pytest.raises(UsageError, match="metres or degrees"):
        export_layer(source, out, crs="EPSG:2263")
    with pytest.raises(UsageError, match="outside the domain"):
        export_layer(source, out, crs="+proj=ortho +lat_0=-60 +lon_0=-70")
    with pytest.raises(UsageError, match="--stack"):
        export_layer([layers["SM"], layers["QA"]], out)
    assert not out.exists()


def test_what_is_no_layer_or_of_two_maps_is_refused(
    layers: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out.tif"
    with pytest.raises(ProductError, match="cannot be read"):
        export_layer([tmp_path / "gone.tif"], out)
    export_layer([layers["SM"], layers["QA"]], tmp_path / "stack.tif", stack=True)
    with pytest.raises(ProductError, match="no layer of a map"):
        export_layer([tmp_path / "stack.tif"], out, crs="EPSG:32648")
    other = tmp_path / "other"
    other.mkdir()
    second = folder_of(cases.product(revision=1), other)
    with pytest.raises(ProductError, match="several maps"):
        export_layer([layers["SM"], second["QA"]], out, stack=True)
