"""Tables of what is computed and made: features and maps."""

import pyarrow as pa

from sm_platform.schema.recipes import SCALARS
from sm_platform.schema.tables import Column, Table, flag, moment, number, text, whole

SCENE = text("scene_id", "pass, as in s1_scenes")
CELL = whole("cell_id", "flat row-major index of the pixel in its region")
STEPS = pa.list_(pa.float32(), 46)

SCENE_FEATURES = Table(
    "scene_features",
    "Network inputs of every pixel of a pass, scaled to 0..1; its recipe is in the file's note",
    ("scene_id", "cell_id"),
    (
        SCENE,
        CELL,
        whole("series_id", "series of this pixel, in scene_series"),
        Column("qa", pa.uint16(), "1", "quality bits known from the drivers"),
        Column("ndvi_age_d", pa.uint16(), "d", "age of the newest NDVI used; 65535 not known"),
        *(
            number(i.name, "1", f"{i.name} in {i.unit}, {i.low:g}..{i.high:g} scaled to 0..1", 0, 1)
            for i in SCALARS
        ),
    ),
)

SCENE_SERIES = Table(
    "scene_series",
    "Look-back series of a pass, 46 steps oldest first, scaled to 0..1, each kept once",
    ("scene_id", "series_id"),
    (
        SCENE,
        whole("series_id", "series of a vegetation cell with a weather cell"),
        Column("ndvi", STEPS, "1", "vegetation index"),
        Column("temperature_2m", STEPS, "1", "temperature"),
        Column("precipitation", STEPS, "1", "rain"),
    ),
)

MAP_TEXTS = (
    text("map_id", "name of the map; null when the day has none", is_nullable=True),
    text("status", "mapped, no_pass or no_data"),
    text("status_reason", "why there is no map", is_nullable=True),
    text("collection", "product collection", is_nullable=True),
    text("product_version", "version of the product", is_nullable=True),
    whole("revision", "0 for the first map of the pass", is_nullable=True),
    flag("is_latest", "whether it is the current map of its pass"),
    flag("is_pruned", "whether its files have been removed"),
    text("scene_id", "pass, as in s1_scenes", is_nullable=True),
    moment("pass_start_utc", "start of the pass", is_nullable=True),
    moment("pass_end_utc", "end of the pass", is_nullable=True),
    text("platform", "S1A to S1D; S1X when not known", is_nullable=True),
    text("orbit_state", "A ascending, D descending, X not known", is_nullable=True),
    whole("relative_orbit", "1 to 175; null when not known", is_nullable=True),
    whole("absolute_orbit", "number since launch; null when not known", is_nullable=True),
    Column(
        "granule_ids",
        pa.list_(pa.string()),
        "",
        "frames of the pass, in order of time",
        is_nullable=True,
    ),
    Column(
        "granule_sha256s", pa.list_(pa.string()), "", "hash of each frame's files", is_nullable=True
    ),
    text("recipe_id", "recipe of the inputs", is_nullable=True),
    text("recipe_fingerprint", "fingerprint of that recipe", is_nullable=True),
    text("checkpoint_id", "checkpoint that made it", is_nullable=True),
    text("checkpoint_fingerprint", "hash over weights and recipe", is_nullable=True),
    text("code_version", "version of the platform", is_nullable=True),
    text("inputs_status", "preliminary or final", is_nullable=True),
    text("input_hash", "one hash over all inputs", is_nullable=True),
    Column(
        "is_in_sample", pa.bool_(), "", "day not after the checkpoint's cut-off", is_nullable=True
    ),
)
MAP_GRID = (
    whole("epsg", "EPSG number of the grid; null when it has none", is_nullable=True),
    Column(
        "affine", pa.list_(pa.float64()), "", "a, b, c, d, e, f of the pixel grid", is_nullable=True
    ),
    whole(
        "grid_row", "EASE-Grid 2.0 100 m row of the corner; null off that grid", is_nullable=True
    ),
    whole(
        "grid_col", "EASE-Grid 2.0 100 m column of the corner; null off that grid", is_nullable=True
    ),
    whole("height", "pixel rows", is_nullable=True),
    whole("width", "pixel columns", is_nullable=True),
    *(
        Column(name, pa.float64(), "deg", f"{side} end of the map, WGS 84", is_nullable=True)
        for name, side in (
            ("lon_min", "western"),
            ("lat_min", "southern"),
            ("lon_max", "eastern"),
            ("lat_max", "northern"),
        )
    ),
)
MAP_FIGURES = (
    whole("n_cells", "cells of the region", is_nullable=True),
    whole("n_valid", "cells with a value", is_nullable=True),
    whole("n_recommended", "cells without a critical or reject bit", is_nullable=True),
    whole(
        "n_outside_applicability",
        "cells unlike the training rows; null without a calibration",
        is_nullable=True,
    ),
    *(
        number(f"sm_{name}_m3m3", "m3/m3", f"{name} of the valid cells", 0, 1)
        for name in ("mean", "p10", "p50", "p90", "sd_mean")
    ),
    number("ndvi_age_median_d", "d", "median age of the newest NDVI", 0, None),
    number("interval_level", "1", "level of the interval; null without a calibration", 0, 1),
    number("interval_width_mean_m3m3", "m3/m3", "mean width of the interval", 0, 1),
    text("path", "folder of the map below the lake", is_nullable=True),
    text("pixel_sha256", "hash of the layers' pixels", is_nullable=True),
    Column(
        "layer_sha256",
        pa.map_(pa.string(), pa.string()),
        "",
        "hash of each layer's pixels",
        is_nullable=True,
    ),
    Column("bytes_total", pa.int64(), "B", "size of its files", is_nullable=True),
)
SM_MAPS = Table(
    "sm_maps",
    "Maps: one row a map, or one row a day without one",
    ("map_id",),
    MAP_TEXTS + MAP_GRID + MAP_FIGURES,
)
