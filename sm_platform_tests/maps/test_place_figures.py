"""Pictures of places: to scale, the right colour at the right place, legible on any ground."""

from dataclasses import replace
from io import BytesIO

import matplotlib as mpl
import numpy as np
import pytest
import shapely
from affine import Affine
from matplotlib.colors import to_rgb
from matplotlib.image import imread
from numpy.typing import NDArray

from sm_platform.errors import DataError, ProductError
from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.grid.window import GridWindow, lonlat_bounds
from sm_platform.maps.cover_palette import DYNAMIC_WORLD, NAMELESS, PALE, WORLD_COVER
from sm_platform.maps.place_axes import MAP_IN, frame_of, new_map
from sm_platform.maps.place_figures import FILL, MARKS, Sites, draw_region, draw_sites

pytestmark = pytest.mark.filterwarnings("error")

WINDOW = window_around(LEVEL_100M, 106.3, 20.5, (40, 60))
ACROSS_180 = GridWindow("EPSG:32760", Affine(100, 0, 815_000, 0, -100, 8_180_000), (100, 200))
"""UTM zone 60 south, from 179.95 E to 179.86 W."""
NO_SITES = Sites(np.zeros(0), np.zeros(0), np.zeros(0, np.str_))
WHITE = (1.0, 1.0, 1.0)
Picture = NDArray[np.float32]
Mask = NDArray[np.bool_]


def picture_of(png: bytes) -> Picture:
    """RGB; every picture has an opaque ground."""
    pixels = imread(BytesIO(png))
    assert np.all(pixels[..., 3] == 1)
    return np.asarray(pixels[..., :3])


def pale(color: str) -> tuple[float, ...]:
    return tuple(PALE * part + 1 - PALE for part in to_rgb(color))


def where(picture: Picture, color: tuple[float, ...]) -> Mask:
    return np.asarray(np.all(np.abs(picture - np.array(color)) < 0.012, axis=-1))


def in_map(found: Mask) -> Mask:
    """The mask without what is right of the map, where the legend is."""
    left = found.copy()
    left[:, round((0.9 + MAP_IN) * 100) :] = False
    return left


def middle(found: Mask) -> tuple[float, float]:
    """Mean row and column of the pixels; fails when there is none."""
    rows, cols = np.nonzero(found)
    assert rows.size
    return float(rows.mean()), float(cols.mean())


def extent(found: Mask) -> tuple[int, int]:
    """Rows and columns that the map's pixels span, its frame included."""
    counts = found.sum(axis=1), found.sum(axis=0)
    rows, cols = (int(np.sum(n > n.max() / 2)) for n in counts)
    return rows + 2, cols + 2


def cover(code: int, window: GridWindow = WINDOW) -> NDArray[np.uint8]:
    return np.full(window.shape, code, np.uint8)


def sites(*places: tuple[float, float, str]) -> Sites:
    lon, lat, kind = zip(*places, strict=True)
    return Sites(np.array(lon), np.array(lat), np.array(kind))


def inside(lon_share: float, lat_share: float, window: GridWindow = WINDOW) -> tuple[float, float]:
    """Longitude and latitude at shares of the window, from west and from south."""
    west, south, east, north = lonlat_bounds(window)
    return west + lon_share * (east - west), south + lat_share * (north - south)


def drawn(
    codes: NDArray[np.uint8], marked: Sites = NO_SITES, window: GridWindow = WINDOW
) -> Picture:
    return picture_of(draw_sites(window, codes, marked, title="red-river"))


@pytest.mark.parametrize("code", [code for code in WORLD_COVER if code])
def test_each_class_has_its_own_pale_colour(code: int) -> None:
    picture = drawn(cover(code))
    own = in_map(where(picture, pale(WORLD_COVER[code][1])))
    assert own.sum() > 0.9 * MAP_IN * 100 * 300


def test_land_cover_is_drawn_north_up_and_west_left() -> None:
    codes = cover(10)
    codes[:10, :15] = 80
    picture = drawn(codes)
    water, trees = (in_map(where(picture, pale(WORLD_COVER[c][1]))) for c in (80, 10))
    (row, col), (tree_row, tree_col) = middle(water), middle(trees)
    assert row < tree_row
    assert col < tree_col
    assert water.sum() / (water.sum() + trees.sum()) == pytest.approx(150 / 2400, abs=0.005)


@pytest.mark.parametrize(
    "window",
    [
        WINDOW,
        window_around(LEVEL_100M, 10, 60, (40, 40)),
        window_around(LEVEL_100M, 179, -16.5, (30, 300)),
        window_around(LEVEL_100M, -70, -50, (90, 60)),
        window_around(LEVEL_100M, 106.3, 20.5, (1, 1)),
    ],
    ids=["wide", "north", "flat", "tall", "one pixel"],
)
def test_east_and_north_are_to_scale(window: GridWindow) -> None:
    picture = drawn(cover(40, window), window=window)
    rows, cols = extent(in_map(where(picture, pale(WORLD_COVER[40][1]))))
    west, south, east, north = lonlat_bounds(window)
    true = (north - south) / ((east - west) * np.cos(np.radians((south + north) / 2)))
    assert rows / cols == pytest.approx(true, rel=0.04)


def test_codes_without_a_class_are_grey_and_no_neighbouring_class() -> None:
    picture = drawn(np.array([255, 7, 10, 10], np.uint8).repeat(600).reshape(WINDOW.shape))
    grey, trees = where(picture, pale(NAMELESS)), where(picture, pale(WORLD_COVER[10][1]))
    assert in_map(grey).sum() == pytest.approx(in_map(trees).sum(), rel=0.02)
    assert not where(picture, pale(WORLD_COVER[100][1])).any()


def test_land_cover_that_is_not_known_is_white_under_the_sites() -> None:
    lon, lat = inside(0.5, 0.5)
    picture = drawn(cover(0), sites((lon, lat, "station")))
    assert where(picture, to_rgb(MARKS["station"][2])).any()
    assert in_map(where(picture, WHITE)).mean() > 0.6


def test_codes_below_ten_alone_are_dynamic_world() -> None:
    codes = np.arange(9, dtype=np.uint8).repeat(12).reshape(9, 12)
    window = window_around(LEVEL_100M, 106.3, 20.5, codes.shape)
    picture = drawn(codes, window=window)
    for code, (_, color) in DYNAMIC_WORLD.items():
        there = in_map(where(picture, pale(color)))
        assert there.sum() > 10_000, code
    assert where(picture, pale(NAMELESS)).sum() < 1000  # edges of letters at most


def test_sites_lie_where_they_are() -> None:
    station, color = inside(0.8, 0.9), to_rgb(MARKS["station"][2])
    picture = drawn(cover(40), sites((*station, "station"), (*inside(0.2, 0.3), "cell")))
    land = in_map(where(picture, pale(WORLD_COVER[40][1])))
    rows, cols = np.nonzero(land)
    red = in_map(where(picture, color))
    row, col = middle(red)
    assert (col - cols.min()) / np.ptp(cols) == pytest.approx(0.8, abs=0.02)
    assert (row - rows.min()) / np.ptp(rows) == pytest.approx(0.1, abs=0.03)
    black = in_map(where(picture, to_rgb(MARKS["cell"][2])))
    rest = black[rows.min() + 3 : rows.max() - 3, cols.min() + 3 : cols.max() - 3]
    row, col = middle(rest)
    assert col / rest.shape[1] == pytest.approx(0.2, abs=0.02)
    assert row / rest.shape[0] == pytest.approx(0.7, abs=0.03)


@pytest.mark.parametrize("kind", ["cell", "station"])
def test_one_site_of_one_kind_is_enough(kind: str) -> None:
    lon, lat = inside(0.5, 0.5)
    assert np.any(drawn(cover(40), sites((lon, lat, kind))) != drawn(cover(40)))


def test_across_180_degrees_east_stays_right_of_west() -> None:
    west, east = sites((179.97, -16.48, "station")), sites((-179.9, -16.48, "station"))
    color = to_rgb(MARKS["station"][2])
    cols = [
        middle(in_map(where(drawn(cover(40, ACROSS_180), one, ACROSS_180), color)))[1]
        for one in (west, east)
    ]
    share = [(lon - 179.9496) / (180.1381 - 179.9496) for lon in (179.97, 180.1)]
    assert cols[1] - cols[0] == pytest.approx((share[1] - share[0]) * MAP_IN * 100, rel=0.02)


def test_a_turned_grid_leaves_its_corners_clear() -> None:
    """UTM north is not quite north: the land cover is drawn where it is, not stretched to fit."""
    picture = drawn(cover(40, ACROSS_180), window=ACROSS_180)
    land = in_map(where(picture, pale(WORLD_COVER[40][1])))
    rows, cols = np.nonzero(land)
    box = land[rows.min() : rows.max(), cols.min() : cols.max()]
    assert 0.9 < box.mean() < 0.99
    assert land[:, cols.min() + 5].sum() > 100


def test_a_large_land_cover_is_thinned_not_cut() -> None:
    window = window_around(LEVEL_100M, 106.3, 16.0, (2500, 1200))
    codes = cover(30, window)
    codes[-300:] = 80
    picture = drawn(codes, window=window)
    water, grass = (in_map(where(picture, pale(WORLD_COVER[c][1]))) for c in (80, 30))
    assert water.sum() / (water.sum() + grass.sum()) == pytest.approx(0.12, abs=0.005)
    assert middle(water)[0] > middle(grass)[0]
    assert max(picture.shape) <= 1024


def test_land_cover_stays_in_sight_under_very_many_sites() -> None:
    n, rng = 100_000, np.random.default_rng(1)
    west, south, east, north = lonlat_bounds(WINDOW)
    kind = np.array(["cell"] * (n - 1) + ["station"])
    many = Sites(rng.uniform(west, east, n), rng.uniform(south, north, n), kind)
    crops = [in_map(where(drawn(cover(40), s), pale(WORLD_COVER[40][1]))) for s in (many, NO_SITES)]
    assert 0.1 < crops[0].sum() / crops[1].sum() < 0.9
    few = Sites(many.lon[:100], many.lat[:100], many.kind[:100])
    assert in_map(where(drawn(cover(40), few), to_rgb(MARKS["cell"][2]))).sum() > 300


def test_the_legend_is_not_cut_where_names_are_long() -> None:
    codes = np.array([*WORLD_COVER, 101, 102, 103], np.uint8).repeat(160).reshape(WINDOW.shape)
    for one in (codes, codes // 11, cover(90)):
        picture = drawn(one, sites((*inside(0.5, 0.5), "station"), (*inside(0.4, 0.5), "cell")))
        assert where(picture[:, -2:], WHITE).all()
        assert where(picture[-2:], WHITE).all()


def test_longitudes_right_of_180_are_named_as_west() -> None:
    for window, (lon, told) in {
        ACROSS_180: (180.05, "\N{MINUS SIGN}179.95"),
        WINDOW: (106.3, "106.3"),
    }.items():
        frame = frame_of(window)
        _, axes = new_map(frame, "x", n_entries=1)
        axes.set(xlim=(frame.west, frame.east), ylim=(frame.south, frame.north))
        axes.xaxis.get_major_formatter().set_locs(axes.get_xticks())
        assert axes.xaxis.get_major_formatter()(lon).rstrip("0") == told


def test_the_whole_window_is_the_region_without_an_outline() -> None:
    picture = picture_of(draw_region(WINDOW, None, title="red-river"))
    rows, cols = extent(in_map(where(picture, to_rgb(FILL))))
    west, south, east, north = lonlat_bounds(WINDOW)
    true = (north - south) / ((east - west) * np.cos(np.radians(20.5)))
    assert rows / cols == pytest.approx(true, rel=0.02)


def outlined(*parts: shapely.Polygon) -> Picture:
    wkt = shapely.MultiPolygon(parts).wkt if len(parts) > 1 else parts[0].wkt
    return picture_of(draw_region(WINDOW, wkt, title="red-river"))


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    """A box at shares of the window."""
    return shapely.box(*inside(west, south), *inside(east, north))


def test_an_outline_has_its_holes_and_what_lies_in_them() -> None:
    whole, hole, island = box(0, 0, 1, 1), box(0.25, 0.25, 0.75, 0.75), box(0.4, 0.4, 0.6, 0.6)
    full = in_map(where(outlined(whole), to_rgb(FILL))).sum()
    same_turn = shapely.Polygon(whole.exterior.coords, [hole.exterior.coords])
    for ring in (same_turn, shapely.reverse(same_turn), whole.difference(hole)):
        holed = in_map(where(outlined(ring), to_rgb(FILL)))
        assert holed.sum() / full == pytest.approx(0.75, abs=0.02)
        for parts in ((ring, island), (island, ring)):
            both = in_map(where(outlined(*parts), to_rgb(FILL)))
            assert (both.sum() - holed.sum()) / full == pytest.approx(0.04, abs=0.008)


def test_parts_lie_where_they_are() -> None:
    found = in_map(where(outlined(box(0.7, 0.8, 1, 1)), to_rgb(FILL)))
    whole = in_map(where(outlined(box(0, 0, 1, 1)), to_rgb(FILL)))
    (row, col), (rows, cols) = middle(found), middle(whole)
    assert row < rows
    assert col > cols


def test_an_outline_east_of_180_lies_right_of_it() -> None:
    pictures = [
        picture_of(draw_region(ACROSS_180, shapely.box(*bounds).wkt, title="x"))
        for bounds in ((179.96, -16.52, 179.98, -16.46), (-179.9, -16.52, -179.88, -16.46))
    ]
    cols = [middle(in_map(where(one, to_rgb(FILL))))[1] for one in pictures]
    assert cols[0] + 200 < cols[1]


@pytest.mark.parametrize(
    "wkt", ["", "no outline", "POINT (106 20)", "LINESTRING (0 0, 1 1)", "MULTIPOLYGON EMPTY"]
)
def test_what_is_no_outline_is_refused(wkt: str) -> None:
    with pytest.raises(DataError, match="is not the outline of a region: add the region again"):
        draw_region(WINDOW, wkt, title="red-river")


def test_land_cover_of_another_window_is_refused() -> None:
    with pytest.raises(ProductError, match=r"\(60, 40\) is not the window \(40, 60\)"):
        draw_sites(WINDOW, cover(40).T.copy(), NO_SITES, title="red-river")


@pytest.mark.parametrize(
    "wrong", [{"lat": np.zeros(2)}, {"kind": np.array(["cell"] * 4)}, {"kind": np.array(["x"] * 3)}]
)
def test_sites_that_do_not_fit_together_are_refused(wrong: dict[str, NDArray[np.generic]]) -> None:
    three = Sites(np.zeros(3), np.zeros(3), np.array(["cell"] * 3))
    with pytest.raises(ProductError, match="make no sites"):
        replace(three, **wrong)


def test_pictures_repeat_and_leave_no_setting_behind() -> None:
    before = dict(mpl.rcParams)
    codes = np.random.default_rng(1).choice([10, 30, 40, 80], WINDOW.shape).astype(np.uint8)
    marked = sites((*inside(0.3, 0.3), "cell"), (*inside(0.6, 0.3), "station"))
    first = draw_sites(WINDOW, codes, marked, title="red-river")
    assert draw_sites(WINDOW, codes, marked, title="red-river") == first
    assert b"Matplotlib" not in first
    first, again = (draw_region(WINDOW, box(0.1, 0.1, 1, 1).wkt, title="x") for _ in "12")
    assert first == again
    assert dict(mpl.rcParams) == before


def test_a_long_title_stays_on_the_picture() -> None:
    title = f"{'a' * 40}: 2500 x 1200 pixels, 106.10 E to 106.40 E, 20.30 N to 20.60 N"
    tall = window_around(LEVEL_100M, 106.3, 20.5, (300, 40))
    picture = picture_of(draw_region(tall, None, title=title))
    assert where(picture[:40, -3:], WHITE).all()
    assert not where(picture[:40], WHITE).all()


def test_the_outline_of_the_region_is_drawn_over_the_land_cover() -> None:
    """Of its western half: the line runs from north to south through the middle of the map."""
    west, south, east, north = lonlat_bounds(WINDOW)
    half = shapely.box(west, south, (west + east) / 2, north).wkt
    bare = picture_of(draw_sites(WINDOW, cover(40), NO_SITES, title="x"))
    found = picture_of(draw_sites(WINDOW, cover(40), NO_SITES, title="x", outline_wkt=half))
    drawn = in_map(np.asarray(np.any(bare != found, axis=-1)))
    land = in_map(where(bare, pale(WORLD_COVER[40][1])))
    per_column = drawn.sum(axis=0)
    inner = np.arange(len(per_column))[
        5 + np.nonzero(land)[1].min() : np.nonzero(land)[1].max() - 5
    ]
    line = inner[np.argmax(per_column[inner])]
    assert per_column[line] > 0.9 * land.any(axis=1).sum()
    assert line == pytest.approx(middle(land)[1], abs=3)
    with pytest.raises(DataError, match="outline"):
        draw_sites(WINDOW, cover(40), NO_SITES, title="x", outline_wkt="POINT (1 2)")
