"""A newcomer's lake, and `sm-platform regions` asked in this process."""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from sm_platform.cli import main
from sm_platform.defs.instance import open_instance
from sm_platform.defs.regions import DIMENSION
from sm_platform.lake.layout import Layout
from sm_platform.sites.areas import area_from_bbox
from sm_platform.sources.archive_folder import INDEX_SCHEMA
from sm_platform_tests.desk import Answer

FARM = ("106.30", "20.40", "106.34", "20.44")
FARM_DEG = (106.30, 20.40, 106.34, 20.44)
FARM_AREA = area_from_bbox(*FARM_DEG)
FIELD = shapely.box(*FARM_DEG)
Ask = Callable[..., Answer]


def newcomer(root: Path, patch: pytest.MonkeyPatch) -> Layout:
    """The lake of a user who has nothing yet and works in `root`."""
    folders = {"SM_DATA_LAKE": "lake", "SM_ARCHIVE": "archive", "DAGSTER_HOME": "dagster"}
    for name, folder in folders.items():
        patch.setenv(name, str(root / folder))
    patch.chdir(root)
    return Layout(root / "lake")


def asking(patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Runs `sm-platform regions WORDS` with what is typed then, and gives its answer."""

    def run(*words: str, typed: str = "") -> Answer:
        patch.setattr(sys, "argv", ["sm-platform", "regions", *words])
        patch.setattr(sys, "stdin", io.StringIO(typed))
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        assert isinstance(end.value.code, int)
        return Answer(end.value.code, said.out, said.err)

    return run


def partitions() -> list[str]:
    """The regions that the user's Dagster instance knows."""
    with open_instance() as opened:
        return sorted(opened.get_dynamic_partitions(DIMENSION))


def land(layout: Layout, region: str) -> Path:
    """A file of that region, as a download leaves it."""
    folder = layout.granules("soil", region, None)
    folder.mkdir(parents=True)
    (folder / "soil.tif").write_bytes(b"12345")
    return folder / "soil.tif"


def write_archive(root: Path, *products: str, west: float) -> None:
    """An archive whose granules of these products lie at 20.4..20.5 north, a degree wide."""
    root.mkdir()
    (root / "clock.json").write_text('{"today": "2025-01-31", "last_day": "2025-01-31"}')
    constant = {"region_id": "a", "day": None, "files": ["a.tif"], "format": "geotiff"}
    constant |= {"available_utc": None, "licence": "CC0-1.0", "south": 20.4, "north": 20.5}
    constant |= {"west": west, "east": west + 1}
    rows = [{"product": one, "granule_id": one, **constant} for one in products]
    pq.write_table(pa.Table.from_pylist(rows, schema=INDEX_SCHEMA), root / "index.parquet")
