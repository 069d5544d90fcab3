"""An operator asks for days of two small regions, two of whose files are damaged.

`python -m sm_platform_tests.defs.backfill_story FOLDER` plays it below the folder, in one process,
with the very rounds of the daemon; what was said and stored at each stage goes to a JSON file.
"""

import json
import logging
import shutil
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import dagster as dg
import torch
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.backfill import execute_backfill_iteration

from sm_platform.cli import app
from sm_platform.defs.backfill.planning import Place
from sm_platform.defs.backfill.progress import Look, reasons
from sm_platform.defs.backfill.queueing import WHY
from sm_platform.defs.instance import open_instance
from sm_platform.defs.lake_access import save_region
from sm_platform.defs.launch_tags import RANGE_END, RANGE_START
from sm_platform.defs.map_index import read_index
from sm_platform.defs.resources import settings
from sm_platform.densesm.checkpoint import Checkpoint, Member, save
from sm_platform.densesm.network import Architecture, DenseSM
from sm_platform.errors import SmPlatformError
from sm_platform.grid.calendar import days_between
from sm_platform.lake.layout import Layout
from sm_platform.schema.recipes import EOV_2025
from sm_platform.schema.region import Region
from sm_platform.sources.seed_layout import region_window
from sm_platform_tests.defs.seed_folder import PASSES, write_folder

GOOD, BAD, UNTAUGHT = "paddy", "terrace", "fallow"
DAYS = days_between(PASSES[0], PASSES[-1])
NO_RADAR, NO_WEATHER = PASSES[1], PASSES[0]
"""Days whose files of the bad region are damaged."""
HOME = """telemetry: {enabled: false}
run_coordinator: {module: dagster.core.run_coordinator, class: DefaultRunCoordinator}
run_launcher:
  module: dagster._core.launcher.sync_in_memory_run_launcher
  class: SyncInMemoryRunLauncher
event_log_storage:
  module: dagster._core.storage.event_log
  class: ConsolidatedSqliteEventLogStorage
  config: {base_dir: {env: DAGSTER_HOME}}
"""
ORIGIN = LoadableTargetOrigin(module_name="sm_platform.definitions")
MOST_ROUNDS = 12
TO_ASK = ["--start", str(DAYS[0]), "--end", str(DAYS[-1])]


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended."""

    out: str
    err: str
    error: str | None


def command(*words: str) -> Said:
    """`sm-platform backfill WORDS` in this process."""
    out, err, error = StringIO(), StringIO(), None
    with redirect_stdout(out), redirect_stderr(err):
        try:
            app(["backfill", *words], standalone_mode=False)
        except SmPlatformError as raised:
            error = f"{type(raised).__name__}: {raised}"
    return Said(out.getvalue(), err.getvalue(), error)


def play(root: Path) -> dict[str, Any]:
    """What there is to tell of each stage."""
    layout = Layout(settings().data_lake)
    _prepare(root, layout)
    told: dict[str, Any] = {"refused": _refusals(layout)}
    place = Place(layout, open_instance())
    both = ["--region", GOOD, "--region", BAD, *TO_ASK]
    one = ["--region", GOOD, *TO_ASK, "--again", "--no-watch"]
    told["asked"] = command(*both, "--name", "early days", "--no-watch")
    first = told["asked"].out.strip()
    told["asked_twice"] = command(*both, "--no-watch")
    told["first"] = _carried_out(place, first)
    told["listed"], told["shown"] = command("list"), command("show", first)
    told["over"] = command("cancel", first)
    _repair(root)
    told["retried"] = command("retry", first, "--no-watch")
    print(told["first"], told["retried"])
    told["second"] = _carried_out(place, told["retried"].out.strip())
    told["nothing"] = command(*both)
    told["again"] = _carried_out(place, command(*one, "--assets", "sm_maps").out.strip())
    last = command(*one).out.strip()
    told["cancelled"] = command("cancel", last)
    told["last"] = _carried_out(place, last)
    return told


def _prepare(root: Path, layout: Layout) -> None:
    """Two regions with their folders and a network of random weights, and one without any."""
    home = settings().dagster_home
    home.mkdir(parents=True)
    (home / "dagster.yaml").write_text(HOME)
    torch.manual_seed(1)
    one = Architecture(1, 8)
    member = Member(one.name, one, DenseSM(one).state_dict())
    folder = settings().models / "random"
    folder.mkdir(parents=True)
    told = {"trained_until": "2024-12-18"}
    save(Checkpoint("random", EOV_2025.recipe_id, EOV_2025.fingerprint, (member,), told), folder)
    source = root / "folder"
    for name, checkpoint in ((GOOD, "random"), (BAD, "random"), (UNTAUGHT, None)):
        write_folder(source, name)
        window = region_window(source, name)
        region = Region(name, window, "seed_layout", str(source), checkpoint_id=checkpoint)
        save_region(layout, region)
    _radar(root).write_bytes(b"nothing")
    _weather(root).write_bytes(b"nothing")


def _radar(root: Path) -> Path:
    return root / "folder" / BAD / f"data/s1_images/S1_{NO_RADAR}.tif"


def _weather(root: Path) -> Path:
    return root / "folder" / BAD / f"data/weather_images/Weather_{NO_WEATHER}.tif"


def _repair(root: Path) -> None:
    """The provider delivers both files once more, whole."""
    for file, other in ((_radar(root), GOOD), (_weather(root), GOOD)):
        whole = Path(str(file).replace(f"/{BAD}/", f"/{other}/"))
        shutil.copyfile(whole, file)


def _refusals(layout: Layout) -> dict[str, str | None]:
    """What is said of what cannot be asked for, before anything is queued."""
    of = ["--region", GOOD]
    asked = {
        "region": ["--region", "padi", *TO_ASK],
        "order": [*of, "--start", "2025-01-06", "--end", "2025-01-03"],
        "future": [*of, "--start", "2025-01-03", "--end", "2999-01-01"],
        "early": [*of, "--start", "2014-01-01", "--end", "2025-01-03"],
        "no_day": [*of, "--start", "2025-1-3", "--end", "2025-01-04"],
        "no_days": of,
        "asset": [*of, *TO_ASK, "--assets", "sm_map"],
        "checkpoint": [*of, "--region", UNTAUGHT, *TO_ASK],
        "title": [*of, *TO_ASK, "--name", "x" * 101],
        "id": ["show", "nonesuch"],
        "local": [*of, *TO_ASK, "--local"],
    }
    return {name: command(*words).error for name, words in asked.items()}


def _carried_out(place: Place, backfill_id: str) -> dict[str, Any]:
    """Rounds of the daemon until the backfill is over, and what it left behind."""
    target = InProcessWorkspaceLoadTarget(InProcessCodeLocationOrigin(ORIGIN, location_name="here"))
    look = Look(place, backfill_id)
    with WorkspaceProcessContext(place.instance, target) as workspace:
        for _ in range(MOST_ROUNDS):
            if look.now().is_over:
                break
            list(execute_backfill_iteration(workspace, logging.getLogger("rounds")))
    seen = look.now()
    runs = place.instance.get_runs(dg.RunsFilter(tags={"dagster/backfill": backfill_id}))
    return {
        "progress": asdict(seen),
        "reasons": list(reasons(place.layout, seen)),
        "maps": {name: _maps(place.layout, name) for name in (GOOD, BAD)},
        "runs": [_told(run) for run in runs],
    }


def _told(run: dg.DagsterRun) -> dict[str, Any]:
    ends = [run.tags.get(name, "") for name in (RANGE_START, RANGE_END)]
    assets = sorted(key.to_user_string() for key in run.asset_selection or ())
    return {"assets": assets, "range": ends, "why": run.tags.get(WHY)}


def _maps(layout: Layout, region: str) -> list[tuple[str, int, bool]]:
    """Scene, revision and whether it is current, of each map of the days."""
    rows = [row for day in DAYS for row in read_index(layout, region, day) if row["map_id"]]
    return [(row["scene_id"], row["revision"], row["is_latest"]) for row in rows]


def main(root: Path) -> None:
    """Play it and leave `told.json` in the folder."""
    told = play(root)
    plain = {name: asdict(one) if isinstance(one, Said) else one for name, one in told.items()}
    (root / "told.json").write_text(json.dumps(plain, default=str, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
