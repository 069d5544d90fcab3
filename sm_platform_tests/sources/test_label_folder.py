"""Label files in a folder of a person: the archive's own, by the names of their providers."""

import os
import shutil
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sm_platform.errors import SourceError
from sm_platform.formats.ismn import read_ismn
from sm_platform.formats.recognise import recognise
from sm_platform.grid.ease2 import LEVEL_100M, window_around
from sm_platform.grid.window import GridWindow
from sm_platform.sources.archive import ArchiveSource, archive_regions
from sm_platform.sources.label_folder.source import DATED, LabelFolderSource
from sm_platform.sources.protocol import Granule, Product
from sm_platform_tests.sources.conftest import TINY

REGION = "red-river"
DAYS = TINY.driver_days
KEPT = 3
"""Granules of each product that are put into the folder."""


@pytest.fixture
def window(tiny: Path) -> GridWindow:
    return archive_regions(tiny)[REGION]


@pytest.fixture
def own(tiny: Path, window: GridWindow) -> dict[Product, list[Granule]]:
    """The archive's granules that lie in the folder, by product."""
    source = ArchiveSource(tiny)
    found = {one: source.granules(one, window, DAYS)[:KEPT] for one in DATED}
    return found | {Product.ISMN: source.granules(Product.ISMN, window, None)}


@pytest.fixture
def source(tiny: Path, own: dict[Product, list[Granule]], tmp_path: Path) -> LabelFolderSource:
    root = tmp_path / "mine"
    for product, granules in own.items():
        for one in granules:
            home = tiny / product / REGION / one.granule_id
            shutil.copytree(home, root / "from-a-colleague" / product, dirs_exist_ok=True)
    (root / "notes.txt").write_text("mine")
    return LabelFolderSource(root, recognise)


@pytest.mark.parametrize("product", [one for one in DATED if one is not Product.SPL4SMAU])
def test_dated_files_are_granules_as_in_the_archive(
    product: Product, source: LabelFolderSource, own: dict[Product, list[Granule]],
    window: GridWindow, tmp_path: Path,
) -> None:  # fmt: skip
    found = source.granules(product, window, DAYS)
    assert [(one.day, one.format) for one in found] == [
        (one.day, one.format) for one in own[product]
    ]
    assert [one.files for one in found] == [one.files for one in own[product]]
    (tmp_path / "one").mkdir()
    source.fetch(found[0], window, tmp_path / "one")
    (home,) = {path.parent for path in source.root.rglob(found[0].files[0])}
    for name in found[0].files:
        assert (tmp_path / "one" / name).read_bytes() == (home / name).read_bytes()


def test_station_series_have_no_day(
    source: LabelFolderSource, own: dict[Product, list[Granule]], window: GridWindow, tmp_path: Path
) -> None:
    found = source.granules(Product.ISMN, window, None)
    names = sorted(name for one in own[Product.ISMN] for name in one.files)
    assert sorted(name for one in found for name in one.files) == names
    assert {one.format for one in found} == {"ismn"}
    assert source.granules(Product.ISMN, window, DAYS) == []
    with zipfile.ZipFile(source.root / "Data_separate_files.zip", "w") as archive:
        for path in source.root.rglob("*.stm"):
            archive.write(path, path.name)
            path.unlink()
    (zipped,) = source.granules(Product.ISMN, window, None)
    (tmp_path / "one").mkdir()
    source.fetch(zipped, window, tmp_path / "one")
    sites = read_ismn(tmp_path / "one" / "Data_separate_files.zip").readings["station_id"]
    assert len(set(sites.to_pylist())) > 5


def test_planet_files_of_another_place_are_not_listed(source: LabelFolderSource) -> None:
    far = window_around(LEVEL_100M, 12.0, 45.0, (20, 20))
    assert source.granules(Product.SWC, far, DAYS) == []
    assert source.granules(Product.SPL4SMGP, far, DAYS)  # a file of the whole globe


def test_what_came_since_is_listed_and_a_new_file_has_a_new_stamp(
    source: LabelFolderSource, window: GridWindow
) -> None:
    now = datetime.now(UTC)
    listed = source.listed_since(DATED, window, now - timedelta(hours=1), DAYS[0])
    assert len(listed) == KEPT * 4
    assert source.listed_since(DATED, window, now + timedelta(hours=1), DAYS[0]) == []
    assert source.listed_since(DATED, window, None, DAYS[-1] + timedelta(days=1)) == []
    (before, *_) = source.granules(Product.SWC, window, DAYS)
    (path,) = source.root.rglob(before.files[1])
    os.utime(path, (0, 0))
    (after, *_) = source.granules(Product.SWC, window, DAYS)
    assert (after.granule_id, after.stamp != before.stamp) == (before.granule_id, True)


def test_files_that_cannot_be_used_are_told_and_the_rest_is_listed(
    source: LabelFolderSource, window: GridWindow, tmp_path: Path
) -> None:
    swc = source.granules(Product.SWC, window, DAYS)
    (flags,) = source.root.rglob(swc[0].files[1])
    kept = flags.rename(tmp_path / flags.name)
    (level4,) = source.root.rglob(source.granules(Product.SPL4SMGP, window, DAYS)[0].files[0])
    level4.write_bytes(level4.read_bytes()[:2000])
    (source.root / "broken.zip").write_bytes(b"PK\x03\x04 no zip")
    assert len(source.granules(Product.SWC, window, DAYS)) == KEPT - 1
    good, lacking, bad = source.probe([Product.SWC, Product.SPL4SMAU])
    assert (good.is_good, good.products) == (True, (Product.SWC,))
    assert "2 of planet_swc" in good.text
    assert (lacking.is_good, lacking.products) == (False, (Product.SPL4SMAU,))
    assert not bad.is_good
    assert "files that cannot be used: 3, for example" in bad.text
    assert "quality file is lacking" in bad.text
    kept.rename(flags)
    assert source.granules(Product.SWC, window, DAYS) == swc


def test_a_folder_or_a_file_that_is_gone_is_told(
    source: LabelFolderSource, window: GridWindow, tmp_path: Path
) -> None:
    (granule, *_) = source.granules(Product.NSIDC_0779, window, DAYS)
    shutil.rmtree(source.root / "from-a-colleague" / "nsidc_0779")
    (tmp_path / "target").mkdir()
    with pytest.raises(SourceError, match="is not in .* any more"):
        source.fetch(granule, window, tmp_path / "target")
    absent = LabelFolderSource(tmp_path / "absent", recognise)
    with pytest.raises(SourceError, match="is no folder"):
        absent.granules(Product.SWC, window, DAYS)
    assert [one.is_good for one in absent.probe([Product.SWC])] == [False]
