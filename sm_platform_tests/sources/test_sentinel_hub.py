"""Sentinel Hub against its stand-in: what is landed, tiles, tokens, faults; nothing is mocked."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

import sm_platform.sources.sentinel_hub.frames as frames_module
from sm_platform.errors import BudgetError, DeniedError, PassingError, SourceError
from sm_platform.features.radar import joined_frames
from sm_platform.formats.s1_earth_engine import read_frame, read_properties
from sm_platform.grid.window import GridWindow, link
from sm_platform.sources.archive import ArchiveSource, archive_regions
from sm_platform.sources.metering import metered
from sm_platform.sources.protocol import Granule, Product
from sm_platform.sources.sentinel1_names import FrameName, parse_frame
from sm_platform.sources.sentinel_hub.frames import PIXEL_M, frame_window, tiles
from sm_platform.sources.sentinel_hub.listing import granule_of, of_passes
from sm_platform.sources.sentinel_hub.source import SentinelHubSource
from sm_platform.sources.transfer import Limits
from sm_platform_tests.servers import StandIn
from sm_platform_tests.servers.sentinel_hub import CLIENT_ID, CLIENT_SECRET

REGION = "red-river"
PASS_DAY = date(2025, 3, 9)
"""Orbit 55, ascending, of Sentinel-1A; one frame."""
CUT_DAY = date(2025, 3, 11)
"""Orbit 91, descending: two frames."""
TOKEN_PATH = "/auth/realms/CDSE/protocol/openid-connect/token"  # noqa: S105
WRONG_SECRET = "not-the-secret-at-all"  # noqa: S105
QUICK = Limits(connect_s=5, read_s=5, deadline_s=1.0)


@pytest.fixture
def source(servers: StandIn) -> SentinelHubSource:
    url = servers.tls_url
    return SentinelHubSource(CLIENT_ID, CLIENT_SECRET, url=url, token_url=url + TOKEN_PATH)


@pytest.fixture
def window(tiny: Path) -> GridWindow:
    return archive_regions(tiny)[REGION]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "granule"
    made.mkdir()
    return made


def test_it_lists_the_frames_that_the_archive_has(
    source: SentinelHubSource, tiny: Path, window: GridWindow, servers: StandIn
) -> None:
    servers.settings(page_size=3)
    days = [date(2025, 3, 2) + timedelta(days=n) for n in range(40)]
    found = source.granules(Product.S1_GRD, window, days)
    known = ArchiveSource(tiny).granules(Product.S1_GRD, window, days)
    slices = {one.granule_id[:-5]: one.day for one in known}
    assert len(known) > len(slices) > 9  # one pass was made twice
    assert {one.granule_id[:-5]: one.day for one in found} == slices
    assert [one.day for one in found] == sorted(one.day or date.min for one in found)
    assert all(one.format == "s1_earth_engine" and one.n_requests == 2 for one in found)
    assert len([one for one in servers.log() if one["path"].endswith("/search")]) > 3


def test_ids_of_cloud_optimised_products_lose_their_ending(
    source: SentinelHubSource, window: GridWindow, servers: StandIn, folder: Path
) -> None:
    servers.settings(cog=True)
    granule = _one(source, window)
    assert granule.granule_id.startswith("S1A_IW_GRDH_1SDV_20250309T")
    assert not granule.granule_id.endswith("SAFE")
    source.fetch(granule, window, folder)
    assert sorted(one.name for one in folder.iterdir()) == sorted(granule.files)


def test_a_landed_frame_has_the_archives_values_where_it_is_sampled(
    source: SentinelHubSource, tiny: Path, window: GridWindow, folder: Path
) -> None:
    granule = _one(source, window)
    source.fetch(granule, window, folder)
    mine = read_frame(folder / f"{granule.granule_id}.tif")
    theirs = read_frame(_archived(tiny, granule) / f"{granule.granule_id}.tif")
    assert mine.window.crs == "EPSG:32648"
    assert (mine.window.affine.a, mine.window.affine.c % PIXEL_M) == (PIXEL_M, 0)
    cells = link(mine.window, theirs.window)
    there = cells >= 0
    for name in ("vv_db", "vh_db"):
        expected = np.where(there, theirs.values[name].ravel()[cells], np.nan)
        np.testing.assert_allclose(mine.values[name], expected, atol=1e-4)
        assert np.isnan(mine.values[name]).any(), "the margin lies outside of the frame"
    angle = mine.values["angle_deg"]
    assert np.nanmean(angle) == pytest.approx(np.nanmean(theirs.values["angle_deg"]), abs=0.5)
    assert np.array_equal(np.isnan(angle), np.isnan(mine.values["vv_db"]))


def test_joined_on_the_regions_pixels_it_gives_the_archives_pixels(
    source: SentinelHubSource, tiny: Path, window: GridWindow, folder: Path
) -> None:
    """20 m pixels of one archive pixel, averaged in power; at its rim they mix with neighbours."""
    granule = _one(source, window)
    source.fetch(granule, window, folder)
    mine = joined_frames(window, [read_frame(folder / f"{granule.granule_id}.tif")])
    theirs = read_frame(_archived(tiny, granule) / f"{granule.granule_id}.tif")
    there = link(window, theirs.window)
    expected = theirs.values["vv_db"].ravel()[there]
    off = np.abs(mine.values["vv_db"] - expected)
    assert np.nanmedian(off) < 0.01
    assert (there >= 0).all()


def test_its_properties_are_those_of_the_archive(
    source: SentinelHubSource, tiny: Path, window: GridWindow, folder: Path
) -> None:
    granule = _one(source, window, CUT_DAY)
    source.fetch(granule, window, folder)
    name = f"{granule.granule_id}.json"
    mine, theirs = (read_properties(one / name) for one in (folder, _archived(tiny, granule)))
    assert abs((mine.start_utc - theirs.start_utc).total_seconds()) < 1
    assert replace(mine, start_utc=theirs.start_utc, end_utc=theirs.end_utc) == theirs


def test_of_two_frames_of_a_pass_each_brings_its_own_rows(
    source: SentinelHubSource, window: GridWindow, tmp_path: Path
) -> None:
    """Each request's moments exclude the other frame's start."""
    granules = source.granules(Product.S1_GRD, window, [CUT_DAY])
    assert len(granules) == 2
    there = []
    for granule in granules:
        home = tmp_path / granule.granule_id
        home.mkdir()
        source.fetch(granule, window, home)
        frame = read_frame(home / f"{granule.granule_id}.tif")
        there.append(joined_frames(window, [frame]).values["vv_db"])
    both = ~np.isnan(there[0]) & ~np.isnan(there[1])
    either = ~np.isnan(there[0]) | ~np.isnan(there[1])
    assert either.all()
    assert both.any(axis=1).sum() <= 5  # the rows of the overlap


def test_frames_after_midnight_have_the_day_of_their_pass(window: GridWindow) -> None:
    names = [
        "S1A_IW_GRDH_1SDV_20250311T235950_20250312T000015_058263_06D52B_AAAA",
        "S1A_IW_GRDH_1SDV_20250312T000015_20250312T000040_058263_06D52B_BBBB",
        "S1A_IW_GRDH_1SDV_20250312T000015_20250312T000040_058263_06D52B_CCCC",
        "S1C_IW_GRDH_1SDV_20250312T000100_20250312T000125_001662_000ABC_DDDD",
    ]
    told = {"sat:orbit_state": "descending"}
    items = [{"id": name, "bbox": [106.0, 20.0, 107.0, 21.0], "properties": told} for name in names]
    found = of_passes([granule_of(item, window, "https://service.test") for item in items[:3]])
    assert [one.day for one in found] == [date(2025, 3, 11)] * 2
    assert found[1].granule_id == names[2]
    with pytest.raises(SourceError, match="lacks a Sentinel-1 GRD id"):
        granule_of(items[3], window, "https://service.test")  # on its way to its orbit


@pytest.mark.parametrize("most", [7, 100, 2500])
def test_tiles_cover_a_frame_once(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(frames_module, "MOST_PIXELS", most)
    window = GridWindow("EPSG:32648", Affine(20, 0, 500000, 0, -20, 2000000), (115, 203))
    count = np.zeros(window.shape, int)
    for tile in tiles(window):
        assert max(tile.shape) <= most
        row = round((window.affine.f - tile.affine.f) / 20)
        col = round((tile.affine.c - window.affine.c) / 20)
        count[row : row + tile.shape[0], col : col + tile.shape[1]] += 1
    assert (count == 1).all()


def test_a_frame_of_several_tiles_is_the_same_as_of_one(
    source: SentinelHubSource,
    window: GridWindow,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    granule = _one(source, window)
    source.fetch(granule, window, folder)
    monkeypatch.setattr(frames_module, "MOST_PIXELS", 100)
    other = tmp_path / "tiles"
    other.mkdir()
    with metered() as meter:
        source.fetch(_one(source, window), window, other)
    assert meter.requests > 9
    assert meter.received_bytes > 3 * 4 * 240 * 240
    whole, parts = (read_frame(one / f"{granule.granule_id}.tif") for one in (folder, other))
    for name, values in whole.values.items():
        np.testing.assert_array_equal(values, parts.values[name])


def test_a_frame_is_asked_for_only_as_far_as_it_reaches(window: GridWindow) -> None:
    whole = frame_window(window, (100.0, 15.0, 110.0, 25.0))
    assert whole is not None
    assert frame_window(window, (0.0, 0.0, 1.0, 1.0)) is None
    part = frame_window(window, (106.0, 20.4, 106.43, 20.5))
    assert part is not None
    assert part.shape[1] < whole.shape[1] / 2 + 20
    assert part.affine.c == whole.affine.c


def test_the_request_is_the_one_that_the_service_documents(
    source: SentinelHubSource, window: GridWindow, servers: StandIn, folder: Path
) -> None:
    granule = _one(source, window)
    frame = frames_module.Frame(
        granule.granule_id, _parsed(granule), "A", 55, (106.0, 20.0, 107.0, 21.0)
    )
    asked = frames_module.input_data(frame)
    start = _parsed(granule).start_utc
    assert asked["dataFilter"] == {
        "timeRange": {
            "from": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "to": f"{start + timedelta(seconds=10):%Y-%m-%dT%H:%M:%SZ}",
        },
        "acquisitionMode": "IW",
        "polarization": "DV",
        "resolution": "HIGH",
        "orbitDirection": "ASCENDING",
    }
    assert asked["processing"]["backCoeff"] == "SIGMA0_ELLIPSOID"
    assert asked["processing"]["demInstance"] == "COPERNICUS"
    source.fetch(granule, window, folder)
    (sent,) = [one for one in servers.log() if one["path"] == "/api/v1/process"]
    assert sent["headers"]["accept"] == "image/tiff"
    assert sent["headers"]["content-type"] == "application/json"


def test_the_clients_own_downloader_finds_the_stand_in_as_it_expects(
    servers: StandIn, window: GridWindow
) -> None:
    """Of the real client everything: log-in, paging, process request, decoding."""
    import sentinelhub as sh

    config = sh.SHConfig(
        use_defaults=True,
        sh_base_url=servers.tls_url,
        sh_token_url=servers.tls_url + TOKEN_PATH,
        sh_client_id=CLIENT_ID,
        sh_client_secret=CLIENT_SECRET,
        max_download_attempts=1,
        max_retries=1,
    )
    collection = sh.DataCollection.SENTINEL1_IW.define_from(
        "SENTINEL1_IW_OF_A_TEST", service_url=servers.tls_url
    )
    servers.settings(page_size=2)
    box = sh.BBox((106.3, 20.3, 106.6, 20.6), sh.CRS.WGS84)
    times = datetime(2025, 3, 8, tzinfo=UTC), datetime(2025, 3, 24, tzinfo=UTC)
    items = list(sh.SentinelHubCatalog(config).search(collection, bbox=box, time=times))
    assert len(items) >= 5
    start = datetime.fromisoformat(items[0]["properties"]["datetime"])
    request = sh.SentinelHubRequest(
        frames_module.EVALSCRIPT,
        [
            sh.SentinelHubRequest.input_data(
                collection,
                time_interval=(start, start + timedelta(seconds=10)),
                other_args={
                    "dataFilter": {"orbitDirection": "DESCENDING"},
                    "processing": frames_module.PROCESSING,
                },
            )
        ],
        [sh.SentinelHubRequest.output_response("default", sh.MimeType.TIFF)],
        bbox=box.transform(sh.CRS("32648")),
        size=(30, 20),
        config=config,
    )
    assert request.get_data()[0].shape == (20, 30, 3)


def test_a_token_is_kept_and_renewed_when_it_ends(
    source: SentinelHubSource, window: GridWindow, servers: StandIn
) -> None:
    _one(source, window)
    _one(source, window)
    assert _logins(servers) == 1
    servers.settings(token_life_s=31)  # of which the last 30 s are not used
    short = replace(source, _opened={})
    _one(short, window)
    servers.settings(token_life_s=10)
    short_lived = replace(source, _opened={})
    _one(short_lived, window)
    _one(short_lived, window)
    assert _logins(servers) == 4


def test_a_token_that_the_service_refuses_is_renewed_once(
    source: SentinelHubSource, window: GridWindow, servers: StandIn
) -> None:
    servers.settings(refused_tokens=1)
    assert _one(source, window)
    assert _logins(servers) == 2
    servers.settings(refused_tokens=99)
    with pytest.raises(DeniedError, match="SH_CLIENT_ID"):
        _one(source, window)


def test_wrong_credentials_are_told_without_the_secret(
    source: SentinelHubSource, window: GridWindow
) -> None:
    wrong = replace(source, client_secret=WRONG_SECRET, _opened={})
    with pytest.raises(DeniedError, match="SH_CLIENT_SECRET") as caught:
        _one(wrong, window)
    assert WRONG_SECRET not in str(caught.value) + repr(wrong) + repr(wrong._web())
    with pytest.raises(SourceError, match="SH_CLIENT_ID or SH_CLIENT_SECRET is not set"):
        _one(replace(source, client_id=None), window)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("too-many", "too many requests"),
        ("error", "did not answer as it should"),
        ("cut", "broke off"),
        ("short", "broke off|did not answer in time"),
        ("html", "a web page in the place of"),
        ("drip", "did not answer in time"),
    ],
)
def test_what_passes_is_told_as_passing(
    source: SentinelHubSource,
    window: GridWindow,
    servers: StandIn,
    folder: Path,
    kind: str,
    words: str,
) -> None:
    granule = _one(source, window)
    quick = replace(source, limits=QUICK, _opened={})
    servers.faults([kind], paths="process", retry_after="2500")
    with pytest.raises(PassingError, match=words) as caught:
        quick.fetch(granule, window, folder)
    assert caught.value.retry_after_s == (2.5 if kind == "too-many" else None)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("kind", ["html", "cut", "drip"])
@pytest.mark.parametrize("path", ["search", "token"])
def test_a_listing_that_does_not_come_is_told_as_passing(
    source: SentinelHubSource, window: GridWindow, servers: StandIn, kind: str, path: str
) -> None:
    quick = replace(source, limits=QUICK)
    servers.faults([kind], paths=path)
    with pytest.raises(PassingError):
        _one(quick, window)
    servers.faults()
    assert _one(quick, window)


def test_it_is_not_led_to_another_host(
    source: SentinelHubSource, window: GridWindow, servers: StandIn
) -> None:
    servers.faults(["elsewhere"], paths="search")
    with pytest.raises(SourceError, match="localhost.invalid.*refused") as caught:
        _one(source, window)
    assert not isinstance(caught.value, PassingError)


def test_a_month_that_is_used_up_is_told_as_such(
    source: SentinelHubSource, window: GridWindow, servers: StandIn
) -> None:
    servers.settings(is_spent=True)
    with pytest.raises(BudgetError, match="next month"):
        _one(source, window)


def test_impossible_days_and_products_are_refused(
    source: SentinelHubSource, window: GridWindow
) -> None:
    with pytest.raises(SourceError, match="2014-10-03"):
        source.granules(Product.S1_GRD, window, [date(2014, 1, 1)])
    with pytest.raises(SourceError, match="brings Sentinel-1"):
        source.granules(Product.NDVI, window, [PASS_DAY])
    assert source.granules(Product.S1_GRD, window, []) == []


def test_the_sensor_sees_frames_from_its_first_day_on(
    source: SentinelHubSource, window: GridWindow
) -> None:
    since = datetime(2025, 4, 1, tzinfo=UTC)
    found = source.listed_since([Product.S1_GRD], window, since, date(2025, 4, 5))
    assert {one.day for one in found} == {date(2025, 4, 7), date(2025, 4, 8), date(2025, 4, 10)}
    assert source.listed_since([Product.NDVI], window, since, date(2025, 4, 5)) == []


def test_the_secret_is_nowhere_but_in_the_log_in(
    source: SentinelHubSource, window: GridWindow, servers: StandIn, folder: Path
) -> None:
    granule = _one(source, window)
    source.fetch(granule, window, folder)
    told = [str(granule), repr(source), *(one.text for one in source.probe([Product.S1_GRD]))]
    told += [one.read_text("latin-1") for one in folder.iterdir()]
    told += [str(one) for one in servers.log()]
    assert not any(CLIENT_SECRET in one for one in told)
    assert not any("eyJ" in one for one in told[:-1] if "authorization" not in one)


def test_the_probe_says_what_is_wrong_and_never_raises(
    source: SentinelHubSource, servers: StandIn
) -> None:
    assert all(one.is_good for one in source.probe([Product.S1_GRD]))
    lacking = list(SentinelHubSource().probe([Product.S1_GRD]))
    assert [one.is_good for one in lacking] == [False]
    servers.faults(["error"])
    broken = list(replace(source, _opened={}).probe([Product.S1_GRD]))
    assert [one.is_good for one in broken] == [True, False]


def _one(source: SentinelHubSource, window: GridWindow, day: date = PASS_DAY) -> Granule:
    return source.granules(Product.S1_GRD, window, [day])[0]


def _archived(tiny: Path, granule: Granule) -> Path:
    return tiny / "s1_grd" / REGION / granule.granule_id


def _parsed(granule: Granule) -> FrameName:
    frame = parse_frame(granule.granule_id)
    assert frame is not None
    return frame


def _logins(servers: StandIn) -> int:
    return sum(one["path"] == TOKEN_PATH for one in servers.log())
