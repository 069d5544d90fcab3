"""Map folders: all files of one map, visible together or not at all."""

from collections.abc import Mapping
from pathlib import Path

from sm_platform.lake.atomic import replacing_file, replacing_folder
from sm_platform.lake.layout import Layout, safe


def write_map(layout: Layout, parts: tuple[str, ...], files: Mapping[str, bytes]) -> Path:
    """Write a map's folder below `maps/`; `parts` are its folder names. Returns the folder.

    A folder of that name can only be one whose index row was never written (a crash between the
    two): it is replaced.
    """
    target = map_folder(layout, parts)
    with replacing_folder(target, layout.aside) as draft:
        for name, content in files.items():
            (draft / safe(name)).write_bytes(content)
    return target


def map_folder(layout: Layout, parts: tuple[str, ...]) -> Path:
    """The folder of a map."""
    return layout.maps.joinpath(*(safe(part) for part in parts))


def replace_text(layout: Layout, path: Path, text: str) -> None:
    """Replace one small text file (an item, a note) whole."""
    with replacing_file(path, layout.aside) as draft:
        draft.write_text(text)


def write_figure(layout: Layout, path: Path, content: bytes) -> None:
    """Write one picture whole."""
    with replacing_file(path, layout.aside) as draft:
        draft.write_bytes(content)
