"""An operator asks for days of two small regions, two of whose files are damaged.

`python -m sm_platform_tests.defs.backfill_story FOLDER` plays it below the folder, in one process,
with the very rounds of the daemon; what was said and stored at each stage goes to a JSON file.
"""

import json
import logging
import shutil
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import dagster as dg
import torch
from dagster._core.execution.backfill import (
    BulkActionsFilter,
    BulkActionStatus,
    PartitionBackfill,
)
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.backfill import execute_backfill_iteration
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import (
    QueuedRunCoordinatorDaemon,
)

from sm_platform.cli import app
from sm_platform.defs.backfill.planning import Place
from sm_platform.defs.backfill.progress import Look, reasons
from sm_platform.defs.backfill.queueing import WHY
from sm_platform.defs.backfill.resuming import resume_backfills
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
DAYS = days_between(*PASSES[:3:2])
NO_RADAR, NO_WEATHER = PASSES[1], PASSES[0]
"""Days whose files of the bad region are damaged; the radar's is delivered again, whole."""
RADAR = f"data/s1_images/S1_{NO_RADAR}.tif"
WEATHER = f"data/weather_images/Weather_{NO_WEATHER}.tif"
HOME = """telemetry: {enabled: false}
run_coordinator: {module: sm_platform.defs.serving.run_queue, class: RunQueue}
run_launcher:
  module: dagster._core.launcher.sync_in_memory_run_launcher
  class: SyncInMemoryRunLauncher
event_log_storage:
  module: sm_platform.defs.serving.records
  class: EventRecords
  config: {base_dir: {env: DAGSTER_HOME}}
run_storage:
  module: sm_platform.defs.serving.records
  class: RunRecords
  config: {base_dir: {env: DAGSTER_HOME}}
"""
"""Runs are carried out at once by the process that asks for them."""
ORIGIN = LoadableTargetOrigin(module_name="sm_platform.definitions")
MOST_ROUNDS = 12
TO_ASK = ["--start", str(DAYS[0]), "--end", str(DAYS[-1])]
OF_BOTH = ["--region", GOOD, "--region", BAD, *TO_ASK]
OF_GOOD = ["--region", GOOD]


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended."""

    out: str
    err: str
    error: str | None


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the operator's requests are carried out."""

    place: Place
    workspace: WorkspaceProcessContext
    queue: QueuedRunCoordinatorDaemon

    def carry_out(self, backfill_id: str) -> dict[str, Any]:
        """Rounds of the daemon until the backfill is over; what it left behind."""
        look = Look(self.place, backfill_id)
        for _ in range(MOST_ROUNDS):
            if look.now().is_over:
                break
            self.go_round()
        seen = look.now()
        of_it = dg.RunsFilter(tags={"dagster/backfill": backfill_id})
        return {
            "progress": asdict(seen),
            "reasons": list(reasons(self.place.layout, seen)),
            "maps": {name: _maps(self.place.layout, name) for name in (GOOD, BAD)},
            "runs": [_told(run) for run in self.place.instance.get_runs(of_it)],
        }

    def go_round(self) -> None:
        """What the daemon does every now and then: runs are asked for, then carried out."""
        list(execute_backfill_iteration(self.workspace, logging.getLogger("rounds")))
        list(self.queue.run_iteration(self.workspace))

    def begin_at_page_of(self, job: str, region: str) -> dict[str, list[str]]:
        """All days of a region, as the page of a job asks for them; days mapped, by run."""
        instance = self.place.instance
        here = self.workspace.create_request_context().get_code_location("here")
        (repository,) = here.get_repositories().values()
        partition_set = repository.get_partition_set(f"{job}_partition_set")
        asked = PartitionBackfill(
            "frompage",
            BulkActionStatus.REQUESTED,
            from_failure=False,
            tags={},
            backfill_timestamp=time.time(),
            partition_set_origin=partition_set.get_remote_origin(),
            partition_names=[f"{day}|{region}" for day in DAYS],
        )
        instance.add_backfill(asked)
        for _ in range(2):
            self.go_round()
        of_it = dg.RunsFilter(tags={"dagster/backfill": asked.backfill_id})
        return {run.run_id: _mapped(instance, run.run_id) for run in instance.get_runs(of_it)}


def _mapped(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """Keys whose map a run has reported."""
    logs = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    events = [one.dagster_event for one in logs if one.dagster_event]
    return sorted(str(one.partition) for one in events if one.asset_key == dg.AssetKey("sm_maps"))


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
    _prepare(root)
    told: dict[str, Any] = {"refused": _refusals()}
    place = Place(Layout(settings().data_lake), open_instance())
    target = InProcessWorkspaceLoadTarget(InProcessCodeLocationOrigin(ORIGIN, location_name="here"))
    queue = QueuedRunCoordinatorDaemon(interval_seconds=1)
    with WorkspaceProcessContext(place.instance, target) as workspace, queue:
        desk = Desk(place, workspace, queue)
        told["none_yet"] = command("list")
        told["asked"] = command(*OF_BOTH, "--name", "early days", "--no-watch")
        first = told["asked"].out.strip()
        told["asked_twice"] = command(*OF_BOTH, "--no-watch")
        told["first"] = desk.carry_out(first)
        told["listed"], told["shown"] = command("list"), command("show", first)
        told["over"] = command("cancel", first)
        told["resumed"] = _resumed(place)
        shutil.copyfile(root / "folder" / GOOD / RADAR, root / "folder" / BAD / RADAR)
        told["retried"] = command("retry", first, "--no-watch")
        told["second"] = desk.carry_out(told["retried"].out.strip())
        told["nothing"] = command(*OF_GOOD, *TO_ASK)
        told["again"] = command(*OF_BOTH, "--again", "--assets", "sm_maps", "--no-watch")
        last = told["again"].out.strip()
        told["cancelled"] = command("cancel", last)
        told["third"] = desk.carry_out(last)
        told["third_shown"] = command("show", last)
        told["from_page"] = desk.begin_at_page_of("map_passes", GOOD)
    return told


def _resumed(place: Place) -> dict[str, Any]:
    """What goes on by itself: of wrong data nothing, and what nobody knows the reason of once."""
    now, failures = datetime.now(UTC), place.layout.root / "failures"
    wrong_data = resume_backfills(place, now)
    aside = failures.rename(place.layout.root / "forgotten")
    lost, again = resume_backfills(place, now), resume_backfills(place, now)
    aside.rename(failures)
    (queued,) = place.instance.get_backfills(
        BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED])
    )
    place.instance.update_backfill(queued.with_status(BulkActionStatus.CANCELED))
    parent = queued.tags["dagster/parent_backfill_id"]
    return {"wrong_data": wrong_data, "lost": lost, "again": again, "parent": parent}


def _prepare(root: Path) -> None:
    """Two regions with their folders and a network of random weights, and one without any."""
    now, source = settings(), root / "folder"
    now.dagster_home.mkdir(parents=True)
    (now.dagster_home / "dagster.yaml").write_text(HOME)
    torch.manual_seed(1)
    one = Architecture(1, 8)
    member = Member(one.name, one, DenseSM(one).state_dict())
    (now.models / "random").mkdir(parents=True)
    told = {"trained_until": "2024-12-18"}
    checkpoint = Checkpoint("random", EOV_2025.recipe_id, EOV_2025.fingerprint, (member,), told)
    save(checkpoint, now.models / "random")
    for name, chosen in ((GOOD, "random"), (BAD, "random"), (UNTAUGHT, None)):
        write_folder(source, name, DAYS)
        window = region_window(source, name)
        region = Region(name, window, "seed_layout", str(source), checkpoint_id=chosen)
        save_region(Layout(now.data_lake), region)
    for file in (RADAR, WEATHER):
        (source / BAD / file).write_bytes(b"nothing")


def _refusals() -> dict[str, str | None]:
    """What is said of what cannot be asked for, before anything is queued."""
    asked = {
        "region": ["--region", "padi", *TO_ASK],
        "order": [*OF_GOOD, "--start", "2025-01-05", "--end", "2025-01-03"],
        "future": [*OF_GOOD, "--start", "2025-01-03", "--end", "2999-01-01"],
        "early": [*OF_GOOD, "--start", "2014-01-01", "--end", "2025-01-03"],
        "no_day": [*OF_GOOD, "--start", "2025-1-3", "--end", "2025-01-04"],
        "no_days": OF_GOOD,
        "asset": [*OF_GOOD, *TO_ASK, "--assets", "sm_map"],
        "checkpoint": [*OF_GOOD, "--region", UNTAUGHT, *TO_ASK],
        "title": [*OF_GOOD, *TO_ASK, "--name", "x" * 101],
        "id": ["show", "nonesuch"],
        "local": [*OF_GOOD, *TO_ASK, "--local"],
    }
    return {name: command(*words).error for name, words in asked.items()}


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
