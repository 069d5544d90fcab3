"""What lies in the lake before the browser looks: a region, its maps, sites, labels, a bad file.

`python -m sm_platform_tests.ui_story FOLDER REGION DAY` makes it below the folder, in one process;
the radar file of the day, the one after the last that is mapped, is none.
"""

import sys
from datetime import date
from pathlib import Path

import numpy as np
import torch

from sm_platform.cli import app
from sm_platform.defs.instance import open_instance
from sm_platform.defs.lake_access import find_region
from sm_platform.defs.launch import Launcher
from sm_platform.defs.resources import settings
from sm_platform.densesm.checkpoint import Checkpoint, Member, save
from sm_platform.densesm.network import Architecture, DenseSM
from sm_platform.grid.calendar import days_between
from sm_platform.grid.window import Raster
from sm_platform.lake import store
from sm_platform.lake.layout import Layout
from sm_platform.lake.rasters import raster_rows, window_note
from sm_platform.schema.driver_tables import LAND_COVER_CELLS, SHARES
from sm_platform.schema.recipes import EOV_2025
from sm_platform_tests.defs.seed_folder import NORTH, SIDE_DEG, WEST, write_folder

FIRST, LAST = "2025-01-03", "2025-01-05"
NAMED = {"site": "plot", "lon": "lon", "lat": "lat", "time": "time", "value": "theta"}
"""Columns of the plot's file by the options that name them."""
CROPS, WETLAND = 40, 90
HOURS, GOOD_HOURS = 72, 60
"""Readings of the plot; after the good ones it tells percent."""


def tell(root: Path, region: str, damaged: str) -> None:
    """Map the region, bring land cover and readings, choose sites, fail on one day's radar."""
    _store_network(root / "models" / "random")
    data = write_folder(root / "folder", region)
    (data / f"s1_images/S1_{damaged}.tif").write_text("<html>503 Service Unavailable</html>")
    of = ["--region", region]
    archive = ["--archive", str(root / "folder"), "--checkpoint", "random"]
    steps = ["--download", "--extract", "--process", "--inference"]
    app(["run", *of, "--start", FIRST, "--end", LAST, *archive, *steps], standalone_mode=False)
    _store_land_cover(Layout(settings().data_lake), region)
    file = str(_readings(root / "soil.csv"))
    columns = [word for option, name in NAMED.items() for word in (f"--{option}", name)]
    what = ["--unit", "m3/m3", "--depth-m", "0.05"]
    app(["labels", "add-csv", *of, file, *columns, *what], standalone_mode=False)
    _look(region, date.fromisoformat(damaged))


def _look(region: str, damaged: date) -> None:
    days = days_between(date.fromisoformat(FIRST), date.fromisoformat(LAST))
    launcher = Launcher(open_instance(), region, lambda text: print(text, file=sys.stderr))
    launcher.once(["station_readings"])
    launcher.once(["site_catalog"], {"site_catalog": {"count": 8, "min_purity": 0.5}})
    launcher.over(["sm_observations"], days)
    launcher.once(["label_report"])
    launcher.over(["s1_granules", "s1_scenes", "s1_backscatter"], [days[-1], damaged])
    if list(launcher.failures) != [damaged]:
        raise SystemExit(f"{damaged} alone is to fail, not {launcher.failures}")


def _store_network(folder: Path) -> None:
    torch.manual_seed(1)
    one = Architecture(1, 8)
    member = Member(one.name, one, DenseSM(one).state_dict())
    told = {"trained_until": "2024-12-18"}
    folder.mkdir(parents=True)
    save(Checkpoint("random", EOV_2025.recipe_id, EOV_2025.fingerprint, (member,), told), folder)


def _store_land_cover(layout: Layout, region: str) -> None:
    """Crops in the west, wetland in the east: folders of the seed system have none."""
    window = find_region(layout, region).window
    code = np.full(window.shape, CROPS, np.uint8)
    code[:, window.shape[1] // 2 :] = WETLAND
    values = {f"{name}_share": np.zeros(window.shape, np.float32) for name in SHARES}
    values["crop_share"][code == CROPS] = 1
    values["wetland_share"][code == WETLAND] = 1
    rows = raster_rows(Raster(window, {**values, "land_cover_code": code}))
    note = {"inputs": "drawn", "grid": window_note(window), "status": "made", "rows": rows.num_rows}
    store.write(layout, LAND_COVER_CELLS, rows, region=region, note=note)


def _readings(file: Path) -> Path:
    """Hourly readings of three days at a plot in the middle of the region."""
    lon, lat = WEST + SIDE_DEG / 2, NORTH - SIDE_DEG / 2
    lines = ["plot,lon,lat,time,theta"]
    for hour in range(HOURS):
        theta = 0.25 + 0.001 * hour if hour < GOOD_HOURS else 31.0 + hour / 10
        day = f"2025-01-{3 + hour // 24:02d}T{hour % 24:02d}:00:00Z"
        lines.append(f"middle,{lon:.5f},{lat:.5f},{day},{theta:.3f}")
    file.write_text("\n".join(lines) + "\n")
    return file


if __name__ == "__main__":
    tell(Path(sys.argv[1]), *sys.argv[2:])
