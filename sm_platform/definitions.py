"""What Dagster loads: the assets of the platform with their resources."""

import warnings

import dagster as dg

warnings.filterwarnings("ignore", category=dg.BetaWarning)
warnings.filterwarnings("ignore", category=dg.PreviewWarning)

from sm_platform.defs.assets import (  # noqa: E402 - the warnings come while assets are defined
    checkpoints,
    drivers,
    features,
    granules,
    labels,
    maps,
    scenes,
    static,
)
from sm_platform.defs.resources import resources  # noqa: E402

defs = dg.Definitions(
    assets=dg.load_assets_from_modules(
        [granules, scenes, drivers, static, features, labels, checkpoints, maps]
    ),
    resources=resources(),
    executor=dg.in_process_executor,
)
