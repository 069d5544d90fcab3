"""Pictures for the UI, made from the files of maps and from tables."""

import base64
import io
from pathlib import Path

from PIL import Image

from sm_platform.defs.map_index import Row
from sm_platform.lake.layout import Layout
from sm_platform.maps.cog import decode
from sm_platform.maps.names import layer_file, quicklook_file

THUMBNAIL_PX = 420


def as_markdown(png: bytes, alternative: str) -> str:
    """A picture as Markdown with the image inside, as the UI shows it."""
    text = base64.b64encode(png).decode()
    return f"![{alternative}](data:image/png;base64,{text})"


def thumbnail(layout: Layout, row: Row) -> str:
    """The quicklook of a map, small enough for the event log."""
    path = layout.root / row["path"] / quicklook_file(row["map_id"])
    return as_markdown(shrunk(path), str(row["map_id"]))


def shrunk(path: Path) -> bytes:
    """A PNG of at most THUMBNAIL_PX on its longer side, in 128 colours."""
    with Image.open(path) as picture:
        small = picture.convert("RGB")
        small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
        out = io.BytesIO()
        small.quantize(128).save(out, format="PNG", optimize=True)
    return out.getvalue()


def day_overview(layout: Layout, row: Row) -> bytes:
    """Mean, spread and quality of a stored map side by side."""
    from sm_platform.maps.figure import overview  # Matplotlib: only where it draws

    folder = layout.root / row["path"]
    names = ("SM", "SD", "QA")
    rasters = [decode(folder / layer_file(row["map_id"], name))[0] for name in names]
    layers = {name: raster.values[name] for name, raster in zip(names, rasters, strict=True)}
    return overview(rasters[0].window, layers, title=str(row["map_id"]))
