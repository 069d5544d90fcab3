"""Open buckets: Copernicus DEM, WorldCover, SoilGrids, from the excerpts of an archive.

`/dem/tileList.txt`, `/dem/TILE/TILE.tif`; `/worldcover/?list-type=2&prefix=KEY`,
`/worldcover/v200/2021/map/TILE.tif`; `/soilgrids/NAME/NAME_0-5cm_mean.vrt` and its tiles below
`NAME_0-5cm_mean/`, each excerpt cut into a western and an eastern tile; `/cogs/NAME` any file. An
excerpt is served as if it were the whole tile.
"""

import re
from pathlib import Path

import rasterio
from rasterio.io import MemoryFile
from rasterio.windows import Window
from werkzeug import Request, Response

from sm_platform_tests.servers.files import ranged
from sm_platform_tests.servers.stand_in import World

PREFIXES = ("/dem/", "/worldcover/", "/soilgrids/", "/cogs/")
MISSING = (
    '<?xml version="1.0" encoding="UTF-8"?><Error><Code>NoSuchKey</Code>'
    "<Message>The specified key does not exist.</Message></Error>"
)
CELL_M = 250
_PART = re.compile(r"/soilgrids/(\w+)/(\w+)_0-5cm_mean/tileSG-(\d+)/tileSG-\3_(\d)-1\.tif")


def respond(request: Request, world: World) -> Response:
    """A list, a tile, or that there is none."""
    path = request.path
    name = path.rsplit("/", 1)[-1]
    if path == "/dem/tileList.txt":
        return Response("".join(f"{one.stem}\r\n" for one in _tiles(world, "elevation")))
    if path == "/worldcover/":
        return _listing(request, world)
    if name.endswith(".vrt") and _soil(world, name.removesuffix(".vrt")):
        return Response(_vrt(world, name.removesuffix(".vrt")), content_type="text/xml")
    if part := _PART.fullmatch(path):
        return _half(request, world, (part[1], int(part[3]), int(part[4])))
    folders = {"dem": "elevation", "worldcover": "land_cover", "cogs": "."}
    folder = folders.get(path.split("/")[1])
    found = [one for one in _tiles(world, folder or "") if folder and one.name == name]
    return ranged(request, found[0]) if found else Response(MISSING, 404)


def _tiles(world: World, folder: str) -> list[Path]:
    return sorted((world.archive / folder).rglob("*.tif")) if world.archive else []


def _listing(request: Request, world: World) -> Response:
    """S3's answer for a prefix: the key with its version, or none."""
    key = request.args.get("prefix", "")
    found = [one for one in _tiles(world, "land_cover") if key == f"v200/2021/map/{one.name}"]
    keys = "".join(
        f"<Contents><Key>{key}</Key><ETag>&quot;0a1b-2&quot;</ETag></Contents>" for _ in found
    )
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult>{keys}</ListBucketResult>'
    return Response(text, content_type="application/xml")


def _soil(world: World, name: str) -> list[Path]:
    return [one for one in _tiles(world, "soil") if one.stem == name]


def _vrt(world: World, name: str) -> str:
    """The list of the halves of every region's excerpt, on one grid that holds them all."""
    sources, corner, far = [], (1 << 60, -(1 << 60)), (-(1 << 60), 1 << 60)
    files = _soil(world, name)
    for path in files:
        with rasterio.open(path) as file:
            west, south, east, north = file.bounds
            corner = min(corner[0], west), max(corner[1], north)
            far = max(far[0], east), min(far[1], south)
            wkt = file.crs.to_wkt()
    for number, path in enumerate(files):
        with rasterio.open(path) as file:
            col = round((file.bounds.left - corner[0]) / CELL_M)
            row = round((corner[1] - file.bounds.top) / CELL_M)
            for half in (1, 2):
                first, width = _columns(file.width, half)
                tile = f"./{name}/tileSG-{number}/tileSG-{number}_{half}-1.tif"
                sources.append(_source(tile, (col + first, row, width, file.height)))
    size = round((far[0] - corner[0]) / CELL_M), round((corner[1] - far[1]) / CELL_M)
    return (
        f'<VRTDataset rasterXSize="{size[0]}" rasterYSize="{size[1]}"><SRS>{wkt}</SRS>'
        f"<GeoTransform>{corner[0]}, {CELL_M}, 0, {corner[1]}, 0, -{CELL_M}</GeoTransform>"
        '<VRTRasterBand dataType="Int16" band="1"><NoDataValue>-32768</NoDataValue>'
        f"{''.join(sources)}</VRTRasterBand></VRTDataset>"
    )


def _columns(width: int, half: int) -> tuple[int, int]:
    """First column and number of columns of the western (1) or eastern (2) half."""
    west = width // 2
    return (0, west) if half == 1 else (west, width - west)


def _source(tile: str, place: tuple[int, int, int, int]) -> str:
    col, row, width, height = place
    return (
        f'<ComplexSource><SourceFilename relativeToVRT="1">{tile}</SourceFilename>'
        f'<SourceBand>1</SourceBand><SrcRect xOff="0" yOff="0" xSize="{width}" ySize="{height}"/>'
        f'<DstRect xOff="{col}" yOff="{row}" xSize="{width}" ySize="{height}"/>'
        "<NODATA>-32768</NODATA></ComplexSource>"
    )


def _half(request: Request, world: World, part: tuple[str, int, int]) -> Response:
    name, number, half = part
    files = _soil(world, f"{name}_0-5cm_mean")
    if number >= len(files):
        return Response(MISSING, 404)
    with rasterio.open(files[number]) as file, MemoryFile() as memory:
        first, width = _columns(file.width, half)
        window = Window(first, 0, width, file.height)
        profile = file.profile | {"width": width, "transform": file.window_transform(window)}
        profile.pop("blockysize", None)
        with memory.open(**profile) as out:
            out.write(file.read(window=window))
        data = bytes(memory.getbuffer())
    response = Response(data, content_type="image/tiff")
    return response.make_conditional(request, accept_ranges=True, complete_length=len(data))
