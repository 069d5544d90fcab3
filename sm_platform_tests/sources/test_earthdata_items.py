"""Granules from the catalogue's answers: names of real files, sizes, times, choices."""

import ast
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sm_platform.errors import SourceError
from sm_platform.formats import opera_rtc
from sm_platform.sources.day_spans import spans
from sm_platform.sources.earthdata.bursts import burst_of, days_of_passes
from sm_platform.sources.earthdata.collections import COLLECTIONS, OPERA_RTC, SPL4SMGP
from sm_platform.sources.earthdata.items import granule_of, nearest_morning, newest
from sm_platform.sources.protocol import Granule, Product
from sm_platform_tests.formats.test_gamma0 import OPERA, TAGS, burst
from sm_platform_tests.servers.earthdata import item_of

HOST = "https://data.nsidc.earthdatacloud.nasa.gov/protected"
BURST = "OPERA_L2_RTC-S1_T139-297356-IW2_20250929T054926Z_20251002T213318Z_S1C_30_v1.0"
REAL = {
    "SPL4SMGP": ("SMAP_L4_SM_gph_20260911T223000_Vv8011_001.h5", date(2026, 9, 11), "spl4sm"),
    "SPL3SMP_E": ("SMAP_L3_SM_P_E_20250110_R19240_002.h5", date(2025, 1, 10), "spl3smp_e"),
    "NSIDC-0779": (
        "NSIDC-0779_EASE2_G1km_SMAP_SM_DS_20220117.tif",
        date(2022, 1, 17),
        "nsidc_0779",
    ),
    "MOD13Q1": ("MOD13Q1.A2026209.h22v08.061.2026228233739.hdf", date(2026, 7, 28), "mod13q1_hdf"),
    "MYD13Q1": ("MYD13Q1.A2024361.h28v07.061.2025012000000.hdf", date(2024, 12, 26), "mod13q1_hdf"),
    "VNP13A1": ("VNP13A1.A2025001.h27v06.002.2025018012345.h5", date(2025, 1, 1), "vnp13a1"),
    "VJ113A1": ("VJ113A1.A2025009.h27v06.002.2025026012345.h5", date(2025, 1, 9), "vnp13a1"),
    "VJ213A1": ("VJ213A1.A2025017.h27v06.002.2025034012345.h5", date(2025, 1, 17), "vnp13a1"),
    "GPM_3IMERGDL": (
        "3B-DAY-L.MS.MRG.3IMERG.20250204-S000000-E235959.V07B.nc4",
        date(2025, 2, 4),
        "imerg_late",
    ),
    "OPERA_L2_RTC-S1_V1": (f"{BURST}_VV.tif", date(2025, 9, 29), "opera_rtc"),
}


def made(short_name: str, *names: str, size: int | None = 5, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """A granule of these files; `changes` go into what is told of each file."""
    collection = COLLECTIONS[short_name]
    sizes = {f"{HOST}/{name}?a=b": size for name in names}
    item = item_of(collection.name, date(2025, 1, 1), sizes)
    for told in item["umm"]["DataGranule"]["ArchiveAndDistributionInformation"]:
        told["Name"] = told["Name"].removesuffix("?a=b")
        told |= changes
    return item


def read(short_name: str, *names: str, **changes: Any) -> Granule:  # noqa: ANN401
    found = granule_of(made(short_name, *names, **changes), COLLECTIONS[short_name])
    assert found is not None
    return found


def test_every_collection_is_in_the_table() -> None:
    assert set(REAL) == set(COLLECTIONS)


@pytest.mark.parametrize("short_name", REAL)
def test_names_of_real_files(short_name: str) -> None:
    name, day, form = REAL[short_name]
    collection = COLLECTIONS[short_name]
    names = [name] if collection is not OPERA_RTC else [BURST + end for end in OPERA_RTC.endings]
    found = read(short_name, *names, f"{name}.iso.xml")
    assert found.files == tuple(names)
    assert found.granule_id == names[0].removesuffix(collection.endings[0])
    assert (found.day, found.format, found.product) == (day, form, collection.product)
    assert found.hrefs == tuple(f"{HOST}/{one}" for one in names)
    assert found.n_requests == 2 * len(names)
    assert "https://doi.org/10.5067/" in (found.citation or "")
    assert found.size_bytes == 5 * len(names)
    other = next(value[0] for key, value in REAL.items() if key[:4] != short_name[:4])
    with pytest.raises(SourceError, match="its naming may have changed"):
        granule_of(made(short_name, other), collection)


def test_sizes_and_checksums_as_far_as_they_are_told() -> None:
    name = REAL["SPL4SMGP"][0]
    exact = read("SPL4SMGP", name, size=150_383_099)
    assert (exact.size_bytes, exact.estimated_bytes) == (150_383_099, 150_383_099)
    rounded = read("SPL4SMGP", name, size=None, Size=143.4, SizeUnit="MB")
    assert (rounded.size_bytes, rounded.estimated_bytes) == (None, 143_400_000)
    untold = read("SPL4SMGP", name, size=None)
    assert (untold.size_bytes, untold.estimated_bytes) == (None, 150_000_000)
    checked = read("SPL4SMGP", name, Checksum={"Algorithm": "SHA-256", "Value": "AB" * 32})
    assert checked.sha256 == checked.stamp == "ab" * 32
    assert exact.stamp == "150383099 2025-01-01T12:00:00Z"
    other = read("SPL4SMGP", name, Checksum={"Algorithm": "MD5", "Value": "ab" * 16})
    assert other.sha256 is None


def test_a_size_under_another_name_is_an_estimate() -> None:
    """LP DAAC writes `Not provided`, others the granule; LAADS no name at all."""
    name = REAL["MOD13Q1"][0]
    for told in ({"Name": "Not provided"}, {"Name": name.removesuffix(".hdf")}, {"Name": ""}):
        found = read("MOD13Q1", name, size=80_123_456, **told)
        assert (found.size_bytes, found.estimated_bytes) == (None, 80_123_456)
        assert found.stamp == "2025-01-01T12:00:00Z", "a rounded size tells no version"
        told["Checksum"] = {"Algorithm": "SHA-256", "Value": "ab" * 32}
        assert read("MOD13Q1", name, **told).sha256 is None
    both = made("MOD13Q1", name, f"{name}.xml")
    both["umm"]["DataGranule"]["ArchiveAndDistributionInformation"][0]["Name"] = "Not provided"
    found = granule_of(both, COLLECTIONS["MOD13Q1"])
    assert found
    assert (found.size_bytes, found.estimated_bytes) == (None, 80_000_000)  # which is whose?


def test_only_downloads_over_https_count() -> None:
    name = REAL["SPL4SMGP"][0]
    item = made("SPL4SMGP", name)
    service = {"URL": f"https://opendap.earthdata.nasa.gov/{name}", "Type": "USE SERVICE API"}
    bucket = {"URL": f"s3://protected/{name}", "Type": "GET DATA"}
    item["umm"]["RelatedUrls"][:0] = [service, bucket]
    found = granule_of(item, SPL4SMGP)
    assert found
    assert found.hrefs == (f"{HOST}/{name}",)


def test_several_files_have_no_checksum_together() -> None:
    names = [BURST + end for end in OPERA_RTC.endings]
    told = {"Algorithm": "SHA-256", "Value": "ab" * 32}
    assert read("OPERA_L2_RTC-S1_V1", *names, Checksum=told).sha256 is None


def test_available_when_it_came_into_the_archive() -> None:
    item = made("SPL4SMGP", REAL["SPL4SMGP"][0])
    item["umm"]["ProviderDates"][0]["Date"] = "2025-01-04T01:02:03.456Z"
    item["umm"]["ProviderDates"][1]["Date"] = "2026-01-01T00:00:00Z"
    found = granule_of(item, SPL4SMGP)
    assert found
    assert found.available_utc == datetime(2025, 1, 4, 1, 2, 3, 456000, UTC)
    item["umm"]["ProviderDates"] = [{"Date": "2026-01-01T00:00:00Z", "Type": "Update"}]
    item["meta"]["revision-date"] = "2025-01-05T00:00:00Z"
    found = granule_of(item, SPL4SMGP)
    assert found
    assert found.available_utc == datetime(2025, 1, 5, tzinfo=UTC)


def test_a_burst_without_both_polarisations_is_left_out() -> None:
    names = [f"{BURST}_{end}" for end in ("HH.tif", "HV.tif", "mask.tif")]
    assert granule_of(made("OPERA_L2_RTC-S1_V1", *names), OPERA_RTC) is None


@pytest.mark.parametrize("is_slc_told", [True, False])
def test_a_burst_is_of_the_scene_that_its_files_tell(tmp_path: Path, is_slc_told: bool) -> None:
    (slc,) = ast.literal_eval(TAGS["INPUT_L1_SLC_GRANULES"])
    item = made("OPERA_L2_RTC-S1_V1", *(OPERA + end for end in OPERA_RTC.endings))
    item["umm"]["OrbitCalculatedSpatialDomains"] = [{"OrbitNumber": 58227}]
    if is_slc_told:
        other = slc.replace("S1A", "S1C")
        item["umm"]["InputGranules"] = [f"{other}-SLC", f"{slc}-SLC"]
    listed = granule_of(item, OPERA_RTC)
    tag = TAGS["INPUT_L1_SLC_GRANULES"] if is_slc_told else None
    landed = opera_rtc.read_properties(burst(tmp_path, INPUT_L1_SLC_GRANULES=tag), OPERA)
    assert listed and listed.frame
    assert listed.frame.scene_id == f"{landed.platform}_{landed.datatake_id}"
    assert listed.frame.absolute_orbit == landed.absolute_orbit
    assert listed.frame.relative_orbit == landed.relative_orbit
    assert abs(listed.frame.start_utc - landed.start_utc) < timedelta(seconds=1)
    assert burst_of(OPERA) == opera_rtc.burst_of(OPERA)


def test_a_burst_of_an_overflight_that_is_not_told_has_no_frame() -> None:
    names = [BURST + end for end in OPERA_RTC.endings]
    assert read("OPERA_L2_RTC-S1_V1", *names).frame is None
    assert read("MOD13Q1", REAL["MOD13Q1"][0]).frame is None


def bursts(*moments: str, track: str = "T055", platform: str = "S1A") -> list[Granule]:
    stems = [
        f"OPERA_L2_RTC-S1_{track}-11777{n}-IW1_{moment}Z_20250310T000000Z_{platform}_30_v1.0"
        for n, moment in enumerate(moments)
    ]
    return [
        read("OPERA_L2_RTC-S1_V1", *(stem + end for end in OPERA_RTC.endings)) for stem in stems
    ]


def test_only_bursts_of_the_same_overflight_share_a_day() -> None:
    evening, morning = "20250302T235959", "20250303T000001"
    together = days_of_passes(bursts(morning, evening), OPERA_RTC)
    assert [one.day for one in together] == [date(2025, 3, 2)] * 2
    for others in (
        bursts(evening) + bursts(morning, platform="S1C"),
        bursts(evening) + bursts(morning, track="T128"),
        bursts("20250302T220000", morning),
    ):
        found = days_of_passes(others, OPERA_RTC)
        assert [one.day for one in found] == [date(2025, 3, 2), date(2025, 3, 3)]


@pytest.mark.parametrize(
    ("lon", "hour"), [(106.4, 22), (5.0, 4), (-15.0, 7), (-120.0, 13), (179.9, 19), (-170.0, 16)]
)
def test_the_hour_of_the_morning_pass(lon: float, hour: int) -> None:
    names = [f"SMAP_L4_SM_gph_20250302T{h:02d}3000_Vv8011_001.h5" for h in range(1, 24, 3)]
    (found,) = nearest_morning([read("SPL4SMGP", name) for name in names], SPL4SMGP, lon)
    assert found.granule_id[24:26] == f"{hour:02d}"


def test_the_newest_processing_wins_in_any_order() -> None:
    first = REAL["MOD13Q1"][0]
    again = first.replace("2026228233739", "2026301000000")
    held = [read("MOD13Q1", name) for name in (first, again)]
    for order in (held, held[::-1]):
        (found,) = newest(order, COLLECTIONS["MOD13Q1"])
        assert found.granule_id.endswith("2026301000000")
    assert found.product is Product.NDVI


def test_the_later_minor_version_of_imerg_wins() -> None:
    first = REAL["GPM_3IMERGDL"][0]
    held = [read("GPM_3IMERGDL", name) for name in (first.replace("V07B", "V07C"), first)]
    for order in (held, held[::-1]):
        (found,) = newest(order, COLLECTIONS["GPM_3IMERGDL"])
        assert found.granule_id.endswith(".V07C")


def test_days_far_apart_are_asked_for_apart() -> None:
    days = [date(2025, 3, 1), date(2025, 3, 30), date(2024, 1, 1), date(2025, 3, 1)]
    assert list(spans(days)) == [
        (date(2024, 1, 1), date(2024, 1, 1)),
        (date(2025, 3, 1), date(2025, 3, 30)),
    ]
    assert spans([]) == []
    apart = spans(days, timedelta(days=1))
    assert apart == [(day, day) for day in sorted(set(days))]
    assert spans([date(2025, 3, 2), date(2025, 3, 1)], timedelta(days=1)) == [
        (date(2025, 3, 1), date(2025, 3, 2))
    ]
