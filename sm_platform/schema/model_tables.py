"""Tables of what is learnt and made: features, labels, samples, checkpoints, maps."""

import pyarrow as pa

from sm_platform.schema.recipes import N_INPUTS, SCALARS
from sm_platform.schema.tables import Column, Table, code, flag, moment, number, text, whole

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

SITE_CATALOG = Table(
    "site_catalog",
    "Sites: pixels of pure land cover where labels are read",
    ("site_id",),
    (
        whole("site_id", "number of the site in its region"),
        CELL,
        Column("lon_deg", pa.float64(), "deg", "longitude of the pixel centre, WGS 84"),
        Column("lat_deg", pa.float64(), "deg", "latitude of the pixel centre, WGS 84"),
        code("land_cover_code", "class with the largest share (WorldCover v200)", pa.uint8()),
        whole("block_id", "3 km block of the site, for splits"),
    ),
    is_dated=False,
)

SM_OBSERVATIONS = Table(
    "sm_observations",
    "Soil moisture labels at sites; a rejected one is kept with its reason",
    ("site_id", "granule_id"),
    (
        whole("site_id", "site, as in site_catalog"),
        text("granule_id", "granule that holds the value"),
        moment("sensed_utc", "time of sensing"),
        number("sm_m3m3", "m3/m3", "volumetric soil moisture; null when the file has none"),
        number("support_m", "m", "side of the area that the value stands for", 0, None),
        number("depth_m", "m", "lower end of the layer", 0, None),
        text("source", "product, for example planet_swc"),
        text("label_type", "product, model, in_situ or simulated"),
        text("reason", "why it is not used; null when it is good", is_nullable=True),
    ),
)

TRAINING_SAMPLES = Table(
    "training_samples",
    "Labels with the network inputs of the nearest pass; the recipe is in the file's note",
    ("site_id", "scene_id"),
    (
        whole("site_id", "site, as in site_catalog"),
        SCENE,
        whole("block_id", "3 km block of the site, for splits"),
        number("sm_m3m3", "m3/m3", "label", 0, 1),
        number("time_difference_h", "h", "time of the label minus time of the pass", -12, 12),
        text("source", "product of the label"),
        text("label_type", "product, model, in_situ or simulated"),
        Column("qa", pa.uint16(), "1", "quality bits of the pixel"),
        Column("inputs", pa.list_(pa.float32(), N_INPUTS), "1", "the 153 inputs, scaled to 0..1"),
    ),
)

CHECKPOINTS = Table(
    "checkpoints",
    "Checkpoints of a region; the day is the cut-off: no label of that day or later was used",
    ("checkpoint_id",),
    (
        text("checkpoint_id", "folder name in the model store"),
        text("checkpoint_fingerprint", "hash over weights and recipe"),
        text("recipe_id", "recipe of its rows"),
        text("recipe_fingerprint", "fingerprint of that recipe"),
        whole("n_members", "networks in the ensemble"),
        whole("n_samples", "training rows; null when imported", is_nullable=True),
        text(
            "reference",
            "what the figures compare with: product, in_situ, simulated",
            is_nullable=True,
        ),
        number("rmse_m3m3", "m3/m3", "root mean square error on blocks not trained on", 0, 1),
        number("bias_m3m3", "m3/m3", "mean error on blocks not trained on", -1, 1),
        number("r", "1", "correlation on blocks not trained on", -1, 1),
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
    text("platform", "S1A to S1D; S1X not known", is_nullable=True),
    text("orbit_state", "A, D or X", is_nullable=True),
    whole("relative_orbit", "null when not known", is_nullable=True),
    whole("absolute_orbit", "null when not known", is_nullable=True),
    Column("granule_ids", pa.list_(pa.string()), "", "frames of the pass", is_nullable=True),
    Column("granule_sha256s", pa.list_(pa.string()), "", "their hashes", is_nullable=True),
    text("recipe_id", "recipe of the inputs", is_nullable=True),
    text("recipe_fingerprint", "its fingerprint", is_nullable=True),
    text("checkpoint_id", "checkpoint that made it", is_nullable=True),
    text("checkpoint_fingerprint", "its fingerprint", is_nullable=True),
    text("code_version", "version of the platform", is_nullable=True),
    text("inputs_status", "preliminary or final", is_nullable=True),
    text("input_hash", "one hash over all inputs", is_nullable=True),
    Column(
        "is_in_sample", pa.bool_(), "", "day not after the checkpoint's cut-off", is_nullable=True
    ),
)
MAP_GRID = (
    whole("epsg", "null when the grid has none", is_nullable=True),
    Column("affine", pa.list_(pa.float64()), "", "a, b, c, d, e, f", is_nullable=True),
    whole(
        "grid_row", "EASE-Grid 2.0 100 m row of the corner; null off that grid", is_nullable=True
    ),
    whole("grid_col", "EASE-Grid 2.0 100 m column; null off that grid", is_nullable=True),
    whole("height", "rows", is_nullable=True),
    whole("width", "columns", is_nullable=True),
    *(
        Column(name, pa.float64(), "deg", "bound, WGS 84", is_nullable=True)
        for name in ("lon_min", "lat_min", "lon_max", "lat_max")
    ),
)
MAP_FIGURES = (
    whole("n_cells", "cells of the region", is_nullable=True),
    whole("n_valid", "cells with a value", is_nullable=True),
    whole("n_recommended", "cells without a critical or reject bit", is_nullable=True),
    whole("n_outside_applicability", "null without a calibration", is_nullable=True),
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
