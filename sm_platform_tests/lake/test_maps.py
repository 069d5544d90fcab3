import pytest

from sm_platform.errors import UsageError
from sm_platform.lake.layout import Layout
from sm_platform.lake.maps import map_folder, replace_text, write_figure, write_map

PARTS = ("sm-100m", "red-river", "2025")


def test_all_files_of_a_map_are_there_and_a_leftover_is_replaced(layout: Layout) -> None:
    write_map(layout, PARTS, {"sm.tif": b"old", "stray.tif": b"old"})
    folder = write_map(layout, PARTS, {"sm.tif": b"new", "item.json": b"{}"})
    assert folder == map_folder(layout, PARTS) == layout.maps / "sm-100m" / "red-river" / "2025"
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert found == {"sm.tif": b"new", "item.json": b"{}"}


@pytest.mark.parametrize("name", ["../sm.tif", "s m.tif", ""])
def test_names_that_leave_the_map_are_refused_and_nothing_is_made(
    layout: Layout, name: str
) -> None:
    with pytest.raises(UsageError, match="cannot be part of a path"):
        write_map(layout, PARTS, {"sm.tif": b"x", name: b"x"})
    with pytest.raises(UsageError, match="cannot be part of a path"):
        map_folder(layout, ("sm-100m", name))
    assert not layout.maps.exists()


def test_small_files_are_replaced_whole(layout: Layout) -> None:
    path = layout.maps / "sm-100m" / "collection.json"
    for text in ("a longer text", "short"):
        replace_text(layout, path, text)
    write_figure(layout, path.with_name("sm.png"), b"\x89PNG")
    assert path.read_text() == "short"
    assert path.with_name("sm.png").read_bytes() == b"\x89PNG"
    assert not list(layout.aside.glob("*/*"))
