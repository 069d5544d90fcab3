from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_platform.errors import UsageError
from sm_platform.lake.layout import Layout, safe

DAY = date(2025, 3, 7)
LAKE = Layout(Path("/lake"))
BAD_NAMES = (
    "../x",
    "..",
    ".",
    "",
    "a b",
    "a/b",
    "a\\b",
    "/etc",
    ".hidden",
    "-rf",
    "a\n",
    "ä",
    "a\0",
)

BUILDERS: dict[str, Callable[[str], Path]] = {
    "table": LAKE.table,
    "table of a part": lambda name: LAKE.part(name, "red-river", DAY),
    "region of a part": lambda name: LAKE.part("ndvi", name, DAY),
    "product": lambda name: LAKE.granules(name, "red-river", DAY),
    "region of granules": lambda name: LAKE.granules("ndvi", name, None),
    "granule": lambda name: LAKE.granule("ndvi", "red-river", DAY, name),
    "quarantined granule": lambda name: LAKE.quarantine("ndvi", "red-river", name),
    "region of a figure": lambda name: LAKE.figure(name, DAY, "sm.png"),
    "figure": lambda name: LAKE.figure("red-river", DAY, name),
    "region of a report": lambda name: LAKE.report(name, "sites.png"),
    "report": lambda name: LAKE.report("red-river", name),
}


@pytest.mark.parametrize("what", BUILDERS)
@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_leave_their_folder_or_hold_spaces_are_refused(what: str, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be part of a path"):
        BUILDERS[what](name)


@given(st.text(max_size=12))
def test_whatever_is_safe_stays_one_part_of_the_path(name: str) -> None:
    try:
        path = LAKE.root / safe(name)
    except UsageError:
        return
    assert path.parts == (*LAKE.root.parts, name)


def test_a_name_may_be_151_characters_long() -> None:
    assert safe("a" * 151) == "a" * 151
    with pytest.raises(UsageError):
        safe("a" * 152)


def test_paths_of_a_partition_a_granule_and_a_figure() -> None:
    dated = LAKE.part("ndvi", "red-river", DAY)
    assert str(dated) == "/lake/tables/ndvi/region=red-river/day=2025-03-07/part.parquet"
    assert str(LAKE.part("regions", "red-river", None)) == (
        "/lake/tables/regions/region=red-river/part.parquet"
    )
    assert str(LAKE.granule("ndvi", "red-river", DAY, "MOD13Q1.A1")) == (
        "/lake/granules/ndvi/red-river/2025-03-07/MOD13Q1.A1"
    )
    assert str(LAKE.granules("soil", "red-river", None)) == "/lake/granules/soil/red-river/static"
    assert str(LAKE.figure("red-river", DAY, "sm.png")) == (
        "/lake/figures/red-river/2025/03/sm.png"
    )
    assert str(LAKE.report("red-river", "sites.png")) == "/lake/figures/red-river/sites.png"


def test_building_a_path_makes_no_folder(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "lake")
    layout.part("ndvi", "red-river", DAY)
    layout.granule("ndvi", "red-river", DAY, "g")
    layout.report("red-river", "sites.png")
    assert not layout.root.exists()
