"""An operator asks for days of two small regions, two of whose files are damaged.

`python -m sm_platform_tests.defs.backfill_story FOLDER` plays it below the folder, in one process,
with the very rounds of Dagster's daemon; what was said and stored at each stage goes to a JSON file.
"""

import json
import logging
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from datetime import date
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
from sm_platform.defs.backfill.planning import CHAIN, STATIC, Place
from sm_platform.defs.backfill.progress import Look, reasons
from sm_platform.defs.instance import open_instance
from sm_platform.defs.lake_access import save_region
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
from sm_platform_tests.defs.seed_folder import PASSES, write_folder, write_radar

GOOD, BAD = "paddy", "terrace"
DAYS = days_between(PASSES[0], PASSES[-1])
NO_RADAR, NO_WEATHER = PASSES[1], PASSES[0]
"""Days whose files of the bad region are damaged."""
HOME = """telemetry: {enabled: false}
run_launcher:
  module: dagster._core.launcher.sync_in_memory_run_launcher
  class: SyncInMemoryRunLauncher
event_log_storage:
  module: dagster._core.storage.event_log
  class: ConsolidatedSqliteEventLogStorage
  config: {base_dir: {env: DAGSTER_HOME}}
"""
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
    regions = ["--region", GOOD, "--region", BAD]
    told["asked"] = asdict(command(*regions, *TO_ASK, "--name", "early days", "--no-watch"))
    first = told["asked"]["out"].strip()
    told["targets"] = _targets(first)
    told["asked_twice"] = asdict(command(*regions, *TO_ASK, "--no-watch"))
    told["first"] = _carried_out(layout, first)
    told["listed"], told["shown"] = asdict(command("list")), asdict(command("show", first))
    told["over"] = asdict(command("cancel", first))
    _repair(root)
    told["retried"] = asdict(command("retry", first, "--no-watch"))
    second = told["retried"]["out"].strip()
    told["retry_targets"] = _targets(second)
    told["second"] = _carried_out(layout, second)
    told["nothing"] = asdict(command(*regions, *TO_ASK))
    again = command("--region", GOOD, *TO_ASK, "--again", "--assets", "sm_maps", "--no-watch")
    told["again"] = _carried_out(layout, again.out.strip())
    last = command("--region", GOOD, *TO_ASK, "--again", "--no-watch").out.strip()
    told["cancelled"] = asdict(command("cancel", last))
    told["last"] = _carried_out(layout, last)
    return told


def _prepare(root: Path, layout: Layout) -> None:
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
    for name in (GOOD, BAD):
        write_folder(root / "folder", name)
        window = region_window(root / "folder", name)
        save_region(layout, Region(name, window, "seed_layout", str(root / "folder"), None, "random"))
    bad = root / "folder" / BAD / "data"
    (bad / f"s1_images/S1_{NO_RADAR}.tif").write_bytes(b"nothing")
    (bad / f"weather_images/Weather_{NO_WEATHER}.tif").write_bytes(b"nothing")


def _refusals(layout: Layout) -> dict[str, str | None]:
    """What is said of days and regions that cannot be, before anything is queued."""
    fallow = Region("fallow", region_window_of(layout), "seed_layout", "nowhere")
    save_region(layout, fallow)
    of = ["--region", GOOD]
    asked = {
        "region": ["--region", "padi", *TO_ASK],
        "order": [*of, "--start", "2025-01-06", "--end", "2025-01-03"],
        "future": [*of, "--start", "2025-01-03", "--end", "2999-01-01"],
        "early": [*of, "--start", "2014-01-01", "--end", "2025-01-03"],
        "no_day": [*of, "--start", "2025-1-3", "--end", "2025-01-04"],
        "no_days": of,
        "asset": [*of, *TO_ASK, "--assets", "sm_map"],
        "checkpoint": [*of, "--region", "fallow", *TO_ASK],
        "title": [*of, *TO_ASK, "--name", "x" * 101],
        "id": ["show", "nonesuch"],
    }
    return {name: command(*words).error for name, words in asked.items()}
