"""Tables of the ground truth: sites, observations at them, training samples and their roles."""

import pyarrow as pa

from sm_platform.schema.recipes import N_INPUTS
from sm_platform.schema.tables import Column, Table, code, flag, moment, number, text, whole

SITE = text("site_id", "site, as in site_catalog")
SCENE = text("scene_id", "pass, as in s1_scenes")
SOURCE = text("source", "label source, for example planet_swc")
LABEL_TYPE = text("label_type", "product, model, in_situ or simulated")
IS_SIMULATED = flag("is_simulated", "whether the label comes from a simulated archive")
SUPPORT = number("support_m", "m", "side of the area that the value stands for; 0 a point", 0)
STATION = text("station_id", "network and station; null for a cell", is_nullable=True)
SENSED = moment("sensed_utc", "time of sensing")
SM_READ = number("sm_m3m3", "m3/m3", "volumetric soil moisture; null when the file has none")
DEPTH_FROM = number("depth_from_m", "m", "upper end of the layer", 0)
DEPTH_TO = number("depth_to_m", "m", "lower end of the layer", 0)
SENSOR = text("sensor", "instrument of a station", is_nullable=True)
QUALITY = text(
    "provider_reason",
    "quality: what the provider says against it; null when the provider calls it good",
    is_nullable=True,
)
REASON = text("reason", "why it is not used; null when it is good", is_nullable=True)
LON = Column("lon_deg", pa.float64(), "deg", "longitude of the cell's centre or the sensor")
LAT = Column("lat_deg", pa.float64(), "deg", "latitude of the cell's centre or the sensor")
BLOCK = whole("block_id", "flat index of the 3 km EASE-Grid 2.0 cell of the site, for splits")
FOOTPRINT_SHARE = number("footprint_share", "1", "share of the footprint's pixels with radar", 0, 1)
QA = Column("qa", pa.uint16(), "1", "quality bits of the row, as of a pixel of the map")
INUNDATED_SHARE = number(
    "inundated_share",
    "1",
    "share of the land around (900 m, or the site's cell) under water; null when not known",
    0,
    1,
)
INPUTS = Column("inputs", pa.list_(pa.float32(), N_INPUTS), "1", "the 153 inputs, scaled to 0..1")
APART_H = number("time_difference_h", "h", "time of the reading minus time of the pass")

SITE_CATALOG = Table(
    "site_catalog",
    "Sites: cells of pure land cover and stations where labels are read",
    ("site_id",),
    (
        text("site_id", "level-row-col of its cell, or st- and the station: the same everywhere"),
        text("site_kind", "cell or station"),
        text("level", "EASE-Grid 2.0 level of the site's cell: 100m, 1km, 3km or 9km"),
        whole("cell_row", "row of that cell on the globe"),
        whole("cell_col", "column of that cell on the globe"),
        whole("cell_id", "flat row-major index of the region's pixel that holds the place"),
        LON,
        LAT,
        code("land_cover_code", "class with the largest share (WorldCover v200)", pa.uint8()),
        number("purity", "1", "share of that class in the cell", 0, 1),
        code("texture_code", "soil: 0 not known, 1 coarse, 2 medium, 3 fine"),
        number("mean_sm_m3m3", "m3/m3", "mean label there when it was drawn", 0, 1),
        BLOCK,
        STATION,
    ),
    is_dated=False,
)

STATION_READINGS = Table(
    "station_readings",
    "Series at places as their files tell them, judged; a rejected reading is kept with its reason",
    ("granule_id", "reading_no"),
    (
        text("granule_id", "granule that holds the reading"),
        whole("reading_no", "place of the reading in its granule"),
        SOURCE,
        LABEL_TYPE,
        IS_SIMULATED,
        STATION,
        LON,
        LAT,
        DEPTH_FROM,
        DEPTH_TO,
        SENSOR,
        SENSED,
        SM_READ,
        QUALITY,
        REASON,
    ),
    is_dated=False,
)

SM_OBSERVATIONS = Table(
    "sm_observations",
    "Soil moisture read at sites near a radar pass; a rejected reading is kept with its reason",
    ("site_id", "granule_id", "reading_no"),
    (
        SITE,
        text("granule_id", "granule that holds the reading"),
        whole("reading_no", "place of the reading among those of its granule at its site"),
        SOURCE,
        LABEL_TYPE,
        IS_SIMULATED,
        text("pass_name", "overpass or step within the granule; empty when there is one"),
        SENSED,
        SM_READ,
        QUALITY,
        SUPPORT,
        DEPTH_FROM,
        DEPTH_TO,
        STATION,
        SENSOR,
        text("scene_id", "nearest pass, as in s1_scenes"),
        APART_H,
        REASON,
    ),
)

SITE_FEATURES = Table(
    "site_features",
    "Network inputs of each site for each pass, at the site's support; the recipe is in the note",
    ("site_id", "scene_id"),
    (
        SITE,
        SCENE,
        FOOTPRINT_SHARE,
        QA,
        INUNDATED_SHARE,
        INPUTS,
    ),
)

TRAINING_SAMPLES = Table(
    "training_samples",
    "Labels with the network inputs of their pass; the recipe is in the file's note",
    ("site_id", "scene_id", "source"),
    (
        SITE,
        SCENE,
        SOURCE,
        BLOCK,
        number("sm_m3m3", "m3/m3", "label", 0, 1),
        SENSED,
        APART_H,
        LABEL_TYPE,
        IS_SIMULATED,
        SUPPORT,
        STATION,
        FOOTPRINT_SHARE,
        QA,
        INUNDATED_SHARE,
        INPUTS,
    ),
)

SAMPLE_SPLITS = Table(
    "sample_splits",
    "Role of each sample by split scheme; the day is the cut-off: only earlier labels are in it",
    ("scheme", "site_id", "scene_id", "source"),
    (
        text("scheme", "block, time, block_time, region, or random for comparison only"),
        SITE,
        SCENE,
        SOURCE,
        Column("sample_day", pa.date32(), "", "day of the sample's partition"),
        BLOCK,
        SUPPORT,
        text("role", "train, validation, calibration, test or buffer (left out)"),
        number(
            "weight",
            "1",
            "weight of a row in the training, 0 beside water; 1 for rows that judge",
            0,
        ),
        flag("is_comparison_only", "rows of one site on both sides: never to be judged by"),
    ),
)
