"""Windows of remote GeoTIFFs: exact cells at full resolution, whatever the overviews show."""

import logging
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine

from sm_platform.errors import DeniedError, PassingError, SourceError
from sm_platform.sources.metering import metered
from sm_platform.sources.open_data.cog_window import Remote, write_window
from sm_platform.sources.open_data.vrt_window import with_addresses, write_vrt_window
from sm_platform.sources.services import Service
from sm_platform.sources.transfer import Limits
from sm_platform_tests.servers import StandIn, standing_in

SERVICE = Service("bucket", "The bucket", account="https://bucket.example")
CELL = 1 / 1024  # a binary fraction: affines compare exactly
SIDE, BLOCK = 1500, 128
BOUNDS = (106.2, 20.2, 106.3, 20.35)
IMPATIENT = Limits(connect_s=2, read_s=1, deadline_s=5)
SIGNATURE = "st=2025-01-01&sig=c2VjcmV0%2Bc2ln"


def values() -> Any:  # noqa: ANN401
    return np.arange(SIDE * SIDE, dtype=np.int32).reshape(SIDE, SIDE)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiled file whose overviews are all -1, and one in quarters of scale."""
    folder = tmp_path_factory.mktemp("cogs")
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "width": SIDE,
        "height": SIDE,
        "count": 1,
        "dtype": "int32",
        "crs": "EPSG:4326",
        "transform": Affine(CELL, 0, 105.75, 0, -CELL, 21.0),
        "nodata": -9999,
    }
    layout = {"tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK, "compress": "deflate"}
    with rasterio.open(folder / "big.tif", "w", **profile, **layout) as out:
        out.write(values(), 1)
        out.descriptions = ("height",)
        out.scales, out.offsets, out.units = (0.25,), (3.0,), ("m",)
        out.update_tags(product="made", AREA_OR_POINT="Point")
        out.update_tags(1, STATISTICS_MEAN="7", long_name="made height")
    with rasterio.open(folder / "big.tif", "r+") as out:
        out.build_overviews([2, 4, 8], rasterio.enums.Resampling.nearest)
    _mislead(folder / "big.tif")
    with rasterio.open(folder / "turned.tif", "w", **profile | {"crs": None}) as out:
        out.write(values(), 1)
    return folder


def _mislead(path: Path) -> None:
    for level in range(3):
        with rasterio.open(path, "r+", overview_level=level) as out:
            out.write(np.full(out.shape, -1, np.int32), 1)


@pytest.fixture(scope="module")
def running(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with standing_in(archive, tmp_path_factory.mktemp("home")) as servers:
        yield servers


def remote(servers: StandIn, name: str = "big.tif", signature: str = "") -> Remote:
    return Remote(SERVICE, f"{servers.url}/cogs/{name}", signature)


def test_overviews_are_misleading(archive: Path) -> None:
    with rasterio.open(archive / "big.tif") as file:
        assert file.overviews(1) == [2, 4, 8]
        assert (file.read(1, out_shape=(SIDE // 4, SIDE // 4)) == -1).all()


@pytest.mark.parametrize("margin", [0, 1, 30])
def test_exact_cells_of_the_full_resolution(servers: StandIn, tmp_path: Path, margin: int) -> None:
    target = tmp_path / "out.tif"
    write_window(remote(servers), BOUNDS, target, margin_cells=margin)
    first_col, last_col = int((106.2 - 105.75) / CELL), int(np.ceil((106.3 - 105.75) / CELL))
    first_row, last_row = int((21 - 20.35) / CELL), int(np.ceil((21 - 20.2) / CELL))
    rows = slice(first_row - margin, last_row + margin)
    cols = slice(first_col - margin, last_col + margin)
    with rasterio.open(target) as file:
        np.testing.assert_array_equal(file.read(1), values()[rows, cols])
        corner = Affine(CELL, 0, 105.75 + cols.start * CELL, 0, -CELL, 21 - rows.start * CELL)
        assert file.transform == corner
        assert file.dtypes == ("int32",)
        assert file.nodata == -9999
        assert file.crs.to_epsg() == 4326
        assert file.descriptions == ("height",)
        assert (file.scales, file.offsets, file.units) == ((0.25,), (3.0,), ("m",))
        assert file.tags()["product"] == "made"
        assert file.tags()["AREA_OR_POINT"] == "Point"
        assert file.tags(1) == {"long_name": "made height"}
        assert not file.overviews(1)


def test_the_same_window_gives_the_same_bytes(servers: StandIn, tmp_path: Path) -> None:
    for name in ("one.tif", "two.tif"):
        write_window(remote(servers), BOUNDS, tmp_path / name)
    assert (tmp_path / "one.tif").read_bytes() == (tmp_path / "two.tif").read_bytes()


def test_only_the_blocks_touched_are_asked_for(
    servers: StandIn, archive: Path, tmp_path: Path
) -> None:
    with metered() as meter:
        write_window(remote(servers), BOUNDS, tmp_path / "out.tif")
    asked = servers.log()
    ranges = [entry["headers"].get("range", "") for entry in asked if entry["method"] == "GET"]
    ends = [[int(end) for end in one.removeprefix("bytes=").split("-")] for one in ranges]
    moved = sum(stop - start + 1 for start, stop in ends)
    assert moved < (archive / "big.tif").stat().st_size / 4
    assert moved / 2 < meter.received_bytes < 2 * moved
    assert len(asked) / 2 <= meter.requests <= 2 * len(asked)


def test_a_large_window_is_read_in_pieces(servers: StandIn, tmp_path: Path) -> None:
    """Memory stays that of a few rows of blocks."""
    with metered() as meter:
        write_window(remote(servers), (105.8, 19.6, 107.2, 20.9), tmp_path / "out.tif")
    assert meter.requests >= 1 + 3 + 1300 // 256
    with rasterio.open(tmp_path / "out.tif") as file:
        assert file.height > 1300
        row, col = round((21 - file.transform.f) / CELL), round((file.transform.c - 105.75) / CELL)
        rows, cols = slice(row, row + file.height), slice(col, col + file.width)
        np.testing.assert_array_equal(file.read(1), values()[rows, cols])


def test_a_window_at_the_edge_is_clipped(servers: StandIn, tmp_path: Path) -> None:
    write_window(remote(servers), (105.0, 20.9, 105.8, 21.5), tmp_path / "out.tif")
    with rasterio.open(tmp_path / "out.tif") as file:
        assert file.transform == Affine(CELL, 0, 105.75, 0, -CELL, 21.0)
        np.testing.assert_array_equal(file.read(1), values()[: file.height, : file.width])


def test_a_window_outside_is_refused(servers: StandIn, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not reach 10.000"):
        write_window(remote(servers), (10, 10, 11, 11), tmp_path / "out.tif")


def test_a_file_without_crs_is_refused(servers: StandIn, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no CRS"):
        write_window(remote(servers, "turned.tif"), BOUNDS, tmp_path / "out.tif")


@pytest.mark.parametrize(
    ("fault", "expected", "words"),
    [
        ("forbidden", DeniedError, "denied big.tif"),
        ("unauthorized", DeniedError, "denied big.tif"),
        ("error", PassingError, "500"),
        ("too-many", PassingError, "too many requests"),
        ("html", PassingError, "web page"),
        ("elsewhere", SourceError, "not followed"),
    ],
)
def test_faults_in_words(
    servers: StandIn, tmp_path: Path, fault: str, expected: type[SourceError], words: str
) -> None:
    servers.faults([fault], retry_after="11")
    with pytest.raises(expected, match=words) as caught:
        write_window(remote(servers), BOUNDS, tmp_path / "out.tif")
    if fault == "too-many":
        assert isinstance(caught.value, PassingError)
        assert caught.value.retry_after_s == 11


def test_what_is_not_there(servers: StandIn, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nothing\.tif is not there") as caught:
        write_window(remote(servers, "nothing.tif"), BOUNDS, tmp_path / "out.tif")
    assert not isinstance(caught.value, PassingError)


@pytest.mark.parametrize("fault", ["error", "cut", "short", "html", "forbidden", "too-many"])
def test_faults_on_the_way_never_give_wrong_cells_or_signatures(
    servers: StandIn, tmp_path: Path, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A failure now and then: an error in words, or the right cells; afterwards all is well."""
    caplog.set_level(logging.DEBUG)
    signed = remote(servers, signature=SIGNATURE)
    write_window(signed, BOUNDS, tmp_path / "right.tif")
    right, failures = (tmp_path / "right.tif").read_bytes(), 0
    for seed in range(6):
        servers.faults([fault], share=0.3, seed=seed)
        try:
            write_window(signed, BOUNDS, tmp_path / "out.tif")
        except SourceError as error:
            failures += 1
            _check_silent("".join(traceback.format_exception(error)))
            assert error.__context__ is None or "sig" not in str(error.__context__)
        else:
            assert (tmp_path / "out.tif").read_bytes() == right
    assert failures
    servers.faults()
    write_window(signed, BOUNDS, tmp_path / "out.tif")
    assert (tmp_path / "out.tif").read_bytes() == right
    _check_silent(caplog.text)
    _check_silent(repr(signed))


def _check_silent(text: str) -> None:
    for part in ("c2VjcmV0", "c2ln", SIGNATURE):
        assert part not in text


def test_a_slow_drip_ends(servers: StandIn, tmp_path: Path) -> None:
    servers.faults(["drip"])
    began = time.monotonic()
    with pytest.raises(PassingError, match="try again"):
        write_window(remote(servers), BOUNDS, tmp_path / "out.tif", limits=IMPATIENT)
    assert time.monotonic() - began < 5


def test_passwords_of_the_machine_are_not_sent(servers: StandIn, tmp_path: Path) -> None:
    """Neither our own requests nor GDAL's take an entry of ~/.netrc."""
    for name in (".netrc", "no.netrc"):  # curl's place, and what the variable names
        (tmp_path / name).write_text("default login me password hidden\n")
        (tmp_path / name).chmod(0o600)
    write_window(remote(servers), BOUNDS, tmp_path / "out.tif")
    assert len(servers.log()) > 3
    assert not [entry for entry in servers.log() if "authorization" in entry["headers"]]


def test_several_threads_at_once(servers: StandIn, tmp_path: Path) -> None:
    targets = [tmp_path / f"{n}.tif" for n in range(4)]

    def one(target: Path) -> None:
        write_window(remote(servers, signature=f"sig={target.stem}"), BOUNDS, target)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, targets))
    assert len({target.read_bytes() for target in targets}) == 1


def _vrt(tile: str) -> str:
    return f"<VRTDataset><SimpleSource>{tile}</SimpleSource></VRTDataset>"


@pytest.mark.parametrize(
    "tile",
    [
        '<SourceFilename relativeToVRT="0">/etc/hostname.tif</SourceFilename>',
        '<SourceFilename relativeToVRT="1">../../secret.tif</SourceFilename>',
        '<SourceFilename relativeToVRT="1">/etc/hostname.tif</SourceFilename>',
        '<SourceFilename relativeToVRT="1">./a/..%2fb.tif</SourceFilename>',
        '<SourceFilename relativeToVRT="1">http://elsewhere/a.tif</SourceFilename>',
        '<SourceFilename relativeToVRT="1">./a.txt</SourceFilename>',
        "<SourceFilename>./a.tif</SourceFilename>",
        "<SourceDataset>a.tif</SourceDataset>",
        "<SourceFilename/>",
        "<PixelFunctionType>f</PixelFunctionType>",
    ],
)
def test_lists_that_lead_elsewhere_are_refused(tile: str) -> None:
    with pytest.raises(SourceError, match="no tile below it"):
        with_addresses(Remote(SERVICE, "https://there/a/list.vrt"), _vrt(tile))


def test_tiles_of_a_list_get_their_full_address() -> None:
    tile = '<SourceFilename relativeToVRT="1">./sand/t-1/t-1_2-3.tif</SourceFilename>'
    text = with_addresses(Remote(SERVICE, "https://there/a/list.vrt"), _vrt(tile))
    assert ">/vsicurl/https://there/a/sand/t-1/t-1_2-3.tif<" in text


def test_a_list_that_is_a_web_page(servers: StandIn, tmp_path: Path) -> None:
    servers.faults(["html"])
    with pytest.raises(PassingError, match="web page"):
        write_vrt_window(remote(servers, "list.vrt"), BOUNDS, tmp_path / "out.tif")
