"""A backfill through the daemon whose processes are killed (-9) at random moments.

    python -m experiments.kills FOLDER [--kills 30] [--last 2025-06-30] [--seed 1]

Kills run workers, the code server, the daemon, the web server, `up` itself and all together; `up`
is started again where it was killed, as a service manager would. Prints one line of JSON; exit
code 1 when a pass has not exactly one current map, a file is torn, a materialization is lost, a
run is left open or a pool slot is held. The archive is that of `small_world`.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq
import rasterio

from experiments.small_world import RADAR_FIRST, SmallWorld, make_world
from sm_platform.defs.instance import open_instance
from sm_platform.defs.map_index import read_index
from sm_platform.defs.scenes import read_scenes
from sm_platform.lake import store
from sm_platform.schema.driver_tables import S1_SCENES

OPEN = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
PORT = "3790"
WAIT_S = (2.0, 12.0)
END_S = 1800.0
WORKER, CODE, DAEMON, WEB, UP = "spawn_main", "api grpc", "dagster._daemon", "webserver", " up "
VICTIMS = (WORKER, WORKER, WORKER, CODE, DAEMON, WEB, UP, "all")


@dataclass(slots=True)
class Outcome:
    """What was done and what was found afterwards."""

    kills: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    passes: int = 0
    mapped: int = 0
    no_data: int = 0
    problems: list[str] = field(default_factory=list)


def main() -> int:
    """Make the world, ask for the backfill, kill, wait, look."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--last", type=date.fromisoformat, default=date(2025, 6, 30))
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    world = SmallWorld(asked.folder.resolve())
    os.environ.update(world.environment())
    os.environ["SM_AUTOMATION"] = "off"
    make_world(world.root, asked.last)
    outcome = _run(world, asked)
    _look(world, outcome)
    told = {f.name: getattr(outcome, f.name) for f in fields(outcome)} | {
        "kills": dict(outcome.kills)
    }
    print(json.dumps(told))
    return 1 if outcome.problems else 0


def _run(world: SmallWorld, asked: argparse.Namespace) -> Outcome:
    """Kill until the number is reached, then let it end."""
    draw = random.Random(asked.seed)  # noqa: S311 - moments, not secrets
    outcome, began = Outcome(), time.monotonic()
    days = ["--start", str(RADAR_FIRST), "--end", str(asked.last)]
    _command("backfill", *_regions(), *days, "--no-watch")
    up = _start_up(world)
    while sum(outcome.kills.values()) < asked.kills and not _is_over():
        time.sleep(draw.uniform(*WAIT_S))
        victim = draw.choice(VICTIMS)
        killed = _kill(victim, world)
        if killed:
            outcome.kills[victim.strip()] = outcome.kills.get(victim.strip(), 0) + 1
            _say(f"{victim}: {killed} processes killed")
        if up.poll() is not None:
            up = _start_up(world)
    while not _is_over() and time.monotonic() - began < END_S:
        time.sleep(5)
        if up.poll() is not None:
            up = _start_up(world)
    outcome.seconds = round(time.monotonic() - began, 1)
    time.sleep(30)  # monitoring frees what dead runs held
    up.send_signal(signal.SIGINT)
    up.wait(60)
    return outcome


def _regions() -> list[str]:
    return ["--region", "red-river", "--region", "highland"]


def _command(*words: str) -> str:
    line = [sys.executable, "-m", "sm_platform.cli", *words]
    run = subprocess.run(line, capture_output=True, text=True, check=False)  # noqa: S603
    _say(run.stdout[-600:] + run.stderr[-600:])
    return run.stdout


def _start_up(world: SmallWorld) -> subprocess.Popen[bytes]:
    log = (world.root / "up.log").open("ab")
    line = [sys.executable, "-m", "sm_platform.cli", "up", "--port", PORT]
    return subprocess.Popen(line, stdout=log, stderr=log)  # noqa: S603


def _processes(world: SmallWorld) -> Iterator[tuple[int, str]]:
    """Processes of this world: those whose environment names its home."""
    mark = f"DAGSTER_HOME={world.home}".encode()
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and int(folder.name) != os.getpid():
            try:
                if mark in (folder / "environ").read_bytes():
                    line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    yield int(folder.name), f" {line} "
            except OSError:
                continue


def _kill(victim: str, world: SmallWorld) -> int:
    """Kill one kind of process, or everything; how many there were."""
    found = [pid for pid, line in _processes(world) if victim == "all" or victim in line]
    for pid in found:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return len(found)


def _is_over() -> bool:
    """Whether the newest backfill has made everything: one that lost runs goes on as another."""
    with open_instance() as instance:
        newest = max(instance.get_backfills(), key=lambda one: one.backfill_timestamp)
        return bool(newest.status.value == "COMPLETED_SUCCESS")


def _look(world: SmallWorld, outcome: Outcome) -> None:
    """Look at every pass, every file, every key, every run and every slot."""
    for region in ("red-river", "highland"):
        _look_at_passes(world, region, outcome)
    for path in world.layout.root.rglob("*.parquet"):
        pq.read_table(path)
    for path in world.layout.maps.rglob("*.tif"):
        with rasterio.open(path) as file:
            file.read()
    with open_instance() as instance:
        _look_at_records(instance, outcome.problems)
        _look_at_runs(instance, outcome.problems)


def _look_at_passes(world: SmallWorld, region: str, outcome: Outcome) -> None:
    """One current map of each pass, or a row that tells why there is none; never two makings."""
    days = [d for d in store.days_made(world.layout, S1_SCENES, region) if d >= RADAR_FIRST]
    for day in days:
        rows = read_index(world.layout, region, day)
        for scene in read_scenes(world.layout, region, day):
            own = [row for row in rows if row["scene_id"] == scene.scene_id]
            current = [row for row in own if row["is_latest"]]
            empty = [row for row in own if row["status"] == "no_data" and not current]
            outcome.passes += 1
            outcome.mapped += len(current)
            outcome.no_data += len(empty)
            if len(current) + len(empty) != 1 or any(row["revision"] for row in current):
                what = f"{len(current)} maps, {len(empty)} without data, {len(own)} rows"
                outcome.problems.append(f"{region} {day} {scene.scene_id}: {what}")


def _look_at_runs(instance: dg.DagsterInstance, problems: list[str]) -> None:
    """No run is left open, no pool slot is held."""
    for run in instance.get_runs(dg.RunsFilter(statuses=OPEN)):
        problems.append(f"run {run.run_id} is still {run.status.value}")
    log = instance.event_log_storage
    for pool in log.get_concurrency_keys():
        if log.get_concurrency_info(pool).active_slot_count:
            problems.append(f"pool {pool} is held")


def _look_at_records(instance: dg.DagsterInstance, problems: list[str]) -> None:
    """Every day of every region is materialized, as far as its region and day were asked for."""
    if not _is_over():
        problems.append("the backfill did not make everything")
    for asset in ("s1_granules", "s1_scenes", "s1_backscatter", "weather", "sm_maps"):
        made = instance.get_materialized_partitions(dg.AssetKey(asset))
        day = RADAR_FIRST
        last = max(date.fromisoformat(key.split("|")[0]) for key in made)
        while day <= last:
            for region in ("red-river", "highland"):
                if f"{day}|{region}" not in made:
                    problems.append(f"{asset} {day}|{region} is not materialized")
            day += timedelta(1)


def _say(text: str) -> None:
    print(text.strip(), file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
