"""Tables of what is known before any model: scenes, drivers on their native grids, static ones."""

import pyarrow as pa

from sm_platform.schema.tables import Column, Table, code, flag, moment, number, text, whole

CELL = whole("cell_id", "flat row-major index of the cell in the grid kept in the file's note")
RANGE_MEANING = "-1 the provider wrote a number below the valid range (fill), 1 above, 0 else"

REGIONS = Table(
    "regions",
    "Regions: pixel grid, source of granules, chosen recipe and checkpoint",
    ("region_id",),
    (
        text("region_id", "name of the region"),
        text("crs", "coordinate reference system of the pixels"),
        Column("affine", pa.list_(pa.float64()), "", "a, b, c, d, e, f of the pixel grid"),
        whole("rows", "pixel rows"),
        whole("cols", "pixel columns"),
        text("source", "archive or seed_layout"),
        text("source_path", "folder of that source"),
        text("recipe_id", "recipe of the maps; null takes the checkpoint's", is_nullable=True),
        text("checkpoint_id", "checkpoint of the maps; null takes the newest", is_nullable=True),
        text("outline_wkt", "outline in lon, lat as WKT; null: every pixel", is_nullable=True),
        text(
            "time_zone",
            "time zone of its local days, by its IANA name; null takes that of its middle",
            is_nullable=True,
        ),
    ),
    is_dated=False,
)

S1_SCENES = Table(
    "s1_scenes",
    "Sentinel-1 passes over a region: all frames of one datatake together",
    ("scene_id",),
    (
        text("scene_id", "platform, start and datatake of the pass"),
        moment("start_utc", "start of the pass over the region"),
        moment("end_utc", "end of the pass over the region"),
        text("platform", "S1A to S1D; S1X when not known"),
        text("orbit_state", "A ascending, D descending, X not known"),
        whole("relative_orbit", "1 to 175; null when not known", is_nullable=True),
        whole("absolute_orbit", "number since launch; null when not known", is_nullable=True),
        text("datatake_id", "hexadecimal id of the datatake; the day for a seed-system folder"),
        flag("is_day_only", "only the day of the pass is known, not its time"),
        moment("available_utc", "when its last frame became available", is_nullable=True),
        Column("granule_ids", pa.list_(pa.string()), "", "frames of the pass, in order of time"),
        Column("granule_sha256s", pa.list_(pa.string()), "", "hash of each frame's files"),
    ),
)

S1_BACKSCATTER = Table(
    "s1_backscatter",
    "Backscatter of a pass at the region's pixels; rows only where VV, VH or angle is measured",
    ("scene_id", "cell_id"),
    (
        text("scene_id", "pass, as in s1_scenes"),
        CELL,
        number("vv_db", "dB", "sigma0 VV on the ellipsoid", -80, 40),
        number("vh_db", "dB", "sigma0 VH on the ellipsoid", -90, 40),
        number("angle_deg", "deg", "incidence angle on the ellipsoid", 0, 90),
    ),
)

NDVI = Table(
    "ndvi",
    "Vegetation index composites at their native cells; the day is the composite's first",
    ("cell_id",),
    (
        CELL,
        number("ndvi", "1", "normalised difference vegetation index", -0.2, 1),
        code("ndvi_range_code", RANGE_MEANING),
        code("reliability_code", "0 good, 1 marginal, 2 snow, 3 cloud, -1 fill or not known"),
        whole("observed_day", "proleptic ordinal of the day of observation; -1 not known"),
    ),
)

WEATHER = Table(
    "weather",
    "Daily temperature and rain at their native cells (UTC days)",
    ("cell_id",),
    (
        CELL,
        number("temperature_k", "K", "mean 2 m air temperature of the day", 150, 350),
        number("precipitation_m", "m/day", "total precipitation of the day", 0, 2),
        code("temperature_range_code", RANGE_MEANING),
        code("precipitation_range_code", RANGE_MEANING),
        flag("is_preliminary", "a value that the provider will still revise"),
    ),
)

LATE_RAIN = Table(
    "late_rain",
    "Daily rain of a satellite product that comes within a day, at its native cells (UTC days)",
    ("cell_id",),
    (
        CELL,
        number("precipitation_m", "m/day", "total precipitation of the day", 0, 2),
        code("precipitation_range_code", RANGE_MEANING),
    ),
)

SOIL = Table(
    "soil_cells",
    "Soil of 0-5 cm at its native cells",
    ("cell_id",),
    (
        CELL,
        number("sand_g_kg", "g/kg", "sand content", 0, None),
        number("clay_g_kg", "g/kg", "clay content", 0, None),
        number("bulk_density_cg_cm3", "cg/cm3", "bulk density of the fine earth", 0, None),
    ),
    is_dated=False,
)

STATIC_DRIVERS = Table(
    "static_drivers",
    "Terrain of every pixel: means of the 30 m cells in it",
    ("cell_id",),
    (
        CELL,
        number("elevation_m", "m", "mean elevation", -500, 9000),
        number("slope_deg", "deg", "mean slope", 0, 90),
        number("aspect_sin", "1", "mean sine of the aspect (clockwise from north)", -1, 1),
        number("aspect_cos", "1", "mean cosine of the aspect", -1, 1),
        number("cell_elevation_m", "m", "elevation as the seed system averages it"),
        number("cell_slope_deg", "deg", "slope as the seed system averages it"),
        number("cell_aspect_deg", "deg", "aspect as the seed system averages it"),
    ),
    is_dated=False,
)

SHARES = ("tree", "shrub", "grass", "crop", "built", "bare", "snow", "water", "wetland")
LAND_COVER_CELLS = Table(
    "land_cover_cells",
    "Land cover of every pixel: share of each class among its 10 m cells",
    ("cell_id",),
    (
        CELL,
        *(number(f"{name}_share", "1", f"share of class {name}", 0, 1) for name in SHARES),
        code("land_cover_code", "class with the largest share (WorldCover v200)", pa.uint8()),
    ),
    is_dated=False,
)
