import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from sm_platform.errors import DataError, LakeError, SourceError, UsageError
from sm_platform.lake.granules import (
    digest_of,
    in_version,
    land,
    landed,
    landed_days,
    quarantine,
    quarantine_fetched,
    quarantined,
    read_granule,
    refuse_quarantined,
)
from sm_platform.lake.layout import Layout

DAY = date(2025, 3, 7)
FILES = {"g1_vv.tif": b"vv" * 700_000, "g1.json": b"{}"}
SIDECAR: dict[str, Any] = {
    "product": "s1_grd",
    "granule_id": "S1A_g1",
    "day": "2025-03-07",
    "format": "s1_earth_engine",
    "files": ["g1_vv.tif", "g1.json"],
    "available_utc": "2025-03-07T23:10:00+00:00",
    "licence": "CC-BY-4.0",
    "source": "archive",
}


def fetching(files: dict[str, bytes]) -> Callable[[Path], None]:
    def fetch(folder: Path) -> None:
        for name, content in files.items():
            (folder / name).write_bytes(content)

    return fetch


def refusing(_: Path) -> None:
    raise SourceError("The source is down: try again.")


def files_below(layout: Layout) -> set[str]:
    return {p.relative_to(layout.root).as_posix() for p in layout.root.rglob("*") if p.is_file()}


def test_a_landed_granule_says_what_it_is(layout: Layout) -> None:
    granule, is_new = land(layout, "red-river", SIDECAR, fetching(FILES))
    assert is_new
    assert granule.folder == layout.granule("s1_grd", "red-river", DAY, "S1A_g1")
    assert {p.name for p in granule.folder.iterdir()} == {*FILES, "granule.json"}
    assert (granule.folder / "g1_vv.tif").read_bytes() == FILES["g1_vv.tif"]
    assert (granule.product, granule.granule_id, granule.day) == ("s1_grd", "S1A_g1", DAY)
    assert (granule.format, granule.source) == ("s1_earth_engine", "archive")
    assert granule.files == ("g1_vv.tif", "g1.json")
    assert granule.available_utc == datetime(2025, 3, 7, 23, 10, tzinfo=UTC)
    assert granule.size_bytes == 1_400_002
    assert granule.retrieved_utc is not None
    assert abs((datetime.now(UTC) - granule.retrieved_utc).total_seconds()) < 60
    in_order_of_name = b"{}" + FILES["g1_vv.tif"]
    assert granule.sha256 == hashlib.sha256(in_order_of_name).hexdigest()


def test_the_sidecar_keeps_every_word_of_the_source(layout: Layout) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    granule, _ = land(layout, "red-river", SIDECAR, fetching(FILES))
    told = json.loads((granule.folder / "granule.json").read_text())
    assert told.items() >= SIDECAR.items()
    assert set(told) == {*SIDECAR, "sha256", "size_bytes", "retrieved_utc", "region"}
    assert told["region"] == "red-river"
    assert before <= datetime.fromisoformat(told["retrieved_utc"]) <= datetime.now(UTC)


def test_what_has_landed_is_not_fetched_again(layout: Layout) -> None:
    first, _ = land(layout, "red-river", SIDECAR, fetching(FILES))
    before = (first.folder / "granule.json").stat().st_mtime_ns
    again, is_new = land(layout, "red-river", SIDECAR, refusing)
    assert (again, is_new) == (first, False)
    assert (first.folder / "granule.json").stat().st_mtime_ns == before


def test_a_granule_lands_in_each_region_of_its_own(layout: Layout) -> None:
    land(layout, "red-river", SIDECAR, fetching(FILES))
    _, is_new = land(layout, "highland", SIDECAR, fetching(FILES))
    assert is_new


@pytest.mark.parametrize(
    ("fetch", "error", "told"),
    [
        (fetching({"g1.json": b"{}"}), LakeError, "S1A_g1 came without g1_vv.tif"),
        (fetching({}), LakeError, "came without g1_vv.tif, g1.json"),
        (refusing, SourceError, "down"),
    ],
)
def test_a_fetch_that_fails_lands_nothing(
    layout: Layout, fetch: Callable[[Path], None], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        land(layout, "red-river", SIDECAR, fetch)
    assert files_below(layout) == set()
    assert landed(layout, "s1_grd", "red-river", DAY) == []
    assert land(layout, "red-river", SIDECAR, fetching(FILES))[1]


def test_an_id_that_leaves_its_folder_is_refused(layout: Layout) -> None:
    with pytest.raises(UsageError, match="cannot be part of a path"):
        land(layout, "red-river", SIDECAR | {"granule_id": "../../x"}, fetching(FILES))
    assert not layout.root.exists()


def test_granules_of_a_day_are_listed_by_id_and_static_ones_apart(layout: Layout) -> None:
    for granule_id, day in [("b", "2025-03-07"), ("a", "2025-03-07"), ("c", "2025-03-08")]:
        sidecar = SIDECAR | {"granule_id": granule_id, "day": day}
        land(layout, "red-river", sidecar, fetching(FILES))
    static = SIDECAR | {"product": "soil", "day": None, "available_utc": None}
    land(layout, "red-river", static, fetching(FILES))
    layout.granule("s1_grd", "red-river", DAY, "unfinished").mkdir()
    names = [one.granule_id for one in landed(layout, "s1_grd", "red-river", DAY)]
    assert names == ["a", "b"]
    assert landed(layout, "soil", "red-river", DAY) == []
    (soil,) = landed(layout, "soil", "red-river", None)
    assert (soil.day, soil.available_utc) == (None, None)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"day": 7}'])
def test_a_damaged_sidecar_is_an_error_that_names_it(layout: Layout, text: str) -> None:
    granule, _ = land(layout, "red-river", SIDECAR, fetching(FILES))
    (granule.folder / "granule.json").write_text(text)
    with pytest.raises(LakeError, match=r"granule\.json cannot be read.*download again") as error:
        read_granule(granule.folder)
    assert str(granule.folder) in str(error.value)


def test_a_damaged_granule_is_set_aside_with_its_reason_and_lands_again(layout: Layout) -> None:
    bad = FILES | {"g1_vv.tif": b"half"}
    granule, _ = land(layout, "red-river", SIDECAR, fetching(bad))
    place = quarantine(layout, "red-river", granule, "g1_vv.tif is cut: fetch it again.")
    assert place == layout.quarantine("s1_grd", "red-river", "S1A_g1") / granule.sha256[:12]
    assert (place / "g1_vv.tif").read_bytes() == b"half"
    told = json.loads((place / "reason.json").read_text())
    assert told["reason"] == "g1_vv.tif is cut: fetch it again."
    assert datetime.fromisoformat(told["quarantined_utc"]).tzinfo == UTC
    assert landed(layout, "s1_grd", "red-river", DAY) == []
    whole, is_new = land(layout, "red-river", SIDECAR, fetching(FILES))
    assert is_new
    assert landed(layout, "s1_grd", "red-river", DAY) == [whole]


def test_other_damage_of_a_granule_is_kept_beside_the_first_and_the_same_once(
    layout: Layout,
) -> None:
    for content in (b"half", b"other", b"half"):
        granule, _ = land(layout, "red-river", SIDECAR, fetching(FILES | {"g1.json": content}))
        quarantine(layout, "red-river", granule, f"holds {content.decode()}")
    home = layout.quarantine("s1_grd", "red-river", "S1A_g1")
    reasons = {json.loads((p / "reason.json").read_text())["reason"] for p in home.iterdir()}
    assert reasons == {"holds half", "holds other"}
    assert landed(layout, "s1_grd", "red-river", DAY) == []
    assert not list(layout.aside.glob("*/*"))


def test_the_hash_is_over_content_in_the_given_order(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.write_bytes(b"x" * (1 << 20) + b"y")
    second.write_bytes(b"z")
    whole = first.read_bytes() + b"z"
    assert digest_of([first, second]) == (hashlib.sha256(whole).hexdigest(), (1 << 20) + 2)
    assert digest_of([second, first])[0] != digest_of([first, second])[0]
    assert digest_of([]) == (hashlib.sha256().hexdigest(), 0)


def test_a_new_version_replaces_the_old_which_is_kept(layout: Layout) -> None:
    told = SIDECAR | {"stamp": "1"}
    first, _ = land(layout, "red-river", told, fetching(FILES))
    again, is_new = land(layout, "red-river", told, refusing)
    assert (again, is_new) == (first, False)
    files = FILES | {"g1.json": b'{"late": true}'}
    second, is_new = land(layout, "red-river", told | {"stamp": "2"}, fetching(files))
    assert (is_new, second.stamp, second.folder) == (True, "2", first.folder)
    assert second.sha256 != first.sha256
    kept = layout.superseded("s1_grd", "red-river", "S1A_g1") / first.sha256[:12]
    assert (kept / "g1.json").read_bytes() == FILES["g1.json"]
    assert landed(layout, "s1_grd", "red-river", DAY) == [second]


def test_a_touched_file_of_the_same_content_supersedes_nothing(layout: Layout) -> None:
    first, _ = land(layout, "red-river", SIDECAR | {"stamp": "1"}, fetching(FILES))
    second, _ = land(layout, "red-river", SIDECAR | {"stamp": "2"}, fetching(FILES))
    assert (second.sha256, second.stamp) == (first.sha256, "2")
    assert in_version(second.folder, second.stamp) == second
    assert in_version(first.folder, first.stamp) is None
    assert not (layout.root / "superseded").exists()


def test_a_frame_of_another_service_is_fetched_though_its_name_is_the_same(layout: Layout) -> None:
    first, _ = land(layout, "red-river", SIDECAR, fetching(FILES))
    other = FILES | {"g1_vv.tif": b"cut on another grid"}
    second, is_new = land(layout, "red-river", SIDECAR | {"source": "other"}, fetching(other))
    assert (is_new, second.source) == (True, "other")
    (kept,) = layout.superseded("s1_grd", "red-river", "S1A_g1").iterdir()
    assert kept.name == first.sha256[:12]
    assert not land(layout, "red-river", SIDECAR | {"source": "other"}, refusing)[1]


def test_a_new_version_that_cannot_be_had_leaves_the_old(layout: Layout) -> None:
    first, _ = land(layout, "red-river", SIDECAR | {"stamp": "1"}, fetching(FILES))
    with pytest.raises(SourceError):
        land(layout, "red-river", SIDECAR | {"stamp": "2"}, refusing)
    assert landed(layout, "s1_grd", "red-river", DAY) == [first]


def test_a_granule_that_must_not_land_is_set_aside_from_where_it_was_fetched(
    layout: Layout,
) -> None:
    def fetch(folder: Path) -> None:
        fetching(FILES | {"g1.json": b"<html>"})(folder)
        place = quarantine_fetched(layout, "red-river", SIDECAR, folder, "a page")
        raise SourceError(f"It lies in {place}.")

    for _ in range(2):
        with pytest.raises(SourceError, match="It lies in"):
            land(layout, "red-river", SIDECAR, fetch)
    (place,) = layout.quarantine("s1_grd", "red-river", "S1A_g1").iterdir()
    assert (place / "g1.json").read_bytes() == b"<html>"
    assert json.loads((place / "reason.json").read_text())["reason"] == "a page"
    assert landed(layout, "s1_grd", "red-river", DAY) == []
    assert [one.granule_id for one in quarantined(layout, "s1_grd", "red-river", DAY)] == ["S1A_g1"]
    assert not list(layout.aside.glob("*/*"))
    land(layout, "red-river", SIDECAR, fetching(FILES))
    refuse_quarantined(layout, "s1_grd", "red-river", DAY)


@pytest.mark.parametrize("is_there", [False, True])
def test_a_frame_that_had_the_day_after_leaves_it(layout: Layout, is_there: bool) -> None:
    """The first frame of a pass over midnight came late: now all have its day."""
    after = SIDECAR | {"day": "2025-03-08"}
    if is_there:  # a run was killed between the two steps
        land(layout, "red-river", SIDECAR, fetching(FILES))
    wrong, _ = land(layout, "red-river", after, fetching(FILES))
    for _ in range(2):
        granule, _ = land(layout, "red-river", SIDECAR, fetching(FILES))
        assert landed(layout, "s1_grd", "red-river", DAY) == [granule]
        assert landed_days(layout, "s1_grd", "red-river") == [DAY]
        land(layout, "red-river", after, fetching(FILES))
    land(layout, "red-river", SIDECAR, fetching(FILES))
    (kept,) = layout.superseded("s1_grd", "red-river", "S1A_g1").iterdir()
    assert kept.name == wrong.sha256[:12]


def dated(granule_id: str, day: str | None) -> dict[str, Any]:
    return SIDECAR | {"granule_id": granule_id, "day": day}


def test_landed_days_are_those_with_a_whole_granule_in_order(layout: Layout) -> None:
    assert landed_days(layout, "s1_grd", "red-river") == []
    for granule_id, day in (("b", "2025-03-09"), ("a", "2024-12-31"), ("c", "2025-03-09")):
        land(layout, "red-river", dated(granule_id, day), fetching(FILES))
    land(layout, "red-river", dated("s", None), fetching(FILES))
    land(layout, "red-river-2", dated("d", "2025-03-10"), fetching(FILES))
    land(layout, "red-river", dated("e", "2025-03-11") | {"product": "swc"}, fetching(FILES))
    layout.granule("s1_grd", "red-river", date(2025, 3, 12), "unfinished").mkdir(parents=True)
    home = layout.granules("s1_grd", "red-river", None).parent
    (home / "2025-13-45").mkdir()
    (home / "2025-03-13").write_text("no folder")
    assert landed_days(layout, "s1_grd", "red-river") == [date(2024, 12, 31), date(2025, 3, 9)]


def test_a_day_whose_granules_are_all_set_aside_is_not_landed(layout: Layout) -> None:
    granule, _ = land(layout, "red-river", SIDECAR, fetching(FILES))
    assert landed_days(layout, "s1_grd", "red-river") == [DAY]
    quarantine(layout, "red-river", granule, "cut")
    assert landed_days(layout, "s1_grd", "red-river") == []


@pytest.mark.parametrize("day", [DAY, None])
def test_a_day_with_a_granule_set_aside_is_refused_until_a_whole_one_lands(
    layout: Layout, day: date | None
) -> None:
    told = dated("S1A_g1", day and day.isoformat())
    land(layout, "red-river", dated("S1A_good", day and day.isoformat()), fetching(FILES))
    refuse_quarantined(layout, "s1_grd", "red-river", day)
    granule, _ = land(layout, "red-river", told, fetching(FILES | {"g1.json": b"half"}))
    place = quarantine(layout, "red-river", granule, "cut")
    with pytest.raises(DataError, match="S1A_g1 of red-river is damaged.*--download") as error:
        refuse_quarantined(layout, "s1_grd", "red-river", day)
    assert str(place) in str(error.value)
    assert [one.folder for one in quarantined(layout, "s1_grd", "red-river", day)] == [place]
    land(layout, "red-river", told, fetching(FILES))
    refuse_quarantined(layout, "s1_grd", "red-river", day)
    assert quarantined(layout, "s1_grd", "red-river", day) == []
    assert place.is_dir()


def test_other_days_products_and_regions_go_on(layout: Layout) -> None:
    granule, _ = land(layout, "red-river", SIDECAR, fetching(FILES))
    quarantine(layout, "red-river", granule, "cut")
    for product, region, day in (
        ("s1_grd", "red-river", date(2025, 3, 8)),
        ("s1_grd", "red-river", None),
        ("s1_grd", "red-river-2", DAY),
        ("swc", "red-river", DAY),
    ):
        assert quarantined(layout, product, region, day) == []
        refuse_quarantined(layout, product, region, day)


def test_a_granule_set_aside_and_taken_away_is_forgotten(layout: Layout) -> None:
    """What the message offers for going on without it."""
    granule, _ = land(layout, "red-river", SIDECAR, fetching(FILES))
    place = quarantine(layout, "red-river", granule, "cut")
    shutil.rmtree(place)
    refuse_quarantined(layout, "s1_grd", "red-river", DAY)


@pytest.mark.parametrize(
    ("licence", "is_simulated"),
    [
        ("CC-BY-4.0", False),
        ("CC-BY-4.0 (simulated)", True),
        ("", False),
        ("(simulated) by nobody", False),
    ],
)
def test_a_simulated_granule_says_so_in_its_licence(
    layout: Layout, licence: str, is_simulated: bool
) -> None:
    told = SIDECAR | {"licence": licence}
    granule, _ = land(layout, "red-river", told, fetching(FILES))
    assert (granule.licence, granule.is_simulated) == (licence, is_simulated)


def test_a_granule_landed_before_licences_were_kept_is_real(layout: Layout) -> None:
    granule, _ = land(layout, "red-river", SIDECAR, fetching(FILES))
    told = json.loads((granule.folder / "granule.json").read_text())
    del told["licence"]
    (granule.folder / "granule.json").write_text(json.dumps(told))
    assert not read_granule(granule.folder).is_simulated
