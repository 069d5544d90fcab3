"""A year of two regions through the daemon, against plain calls of the same functions.

Every pass of both regions (48 x 48 pixels) is landed, extracted, mapped and drawn. Told apart are
the seconds in our steps, and those of Dagster: storing records, starting processes of runs, and
the time in which no run is going. `python -m benchmarks.automation_backfill [DAYS]`; 365 days take
about ten minutes.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import dagster as dg

from benchmarks._memory import peak_mib
from benchmarks._plain_days import make_days
from experiments.small_world import RADAR_FIRST, SmallWorld, make_world
from sm_platform.defs.backfill.planning import Place
from sm_platform.defs.backfill.progress import Look, Progress
from sm_platform.defs.instance import open_instance
from sm_platform.defs.lake_access import find_region, save_region
from sm_platform.defs.launch import Launcher
from sm_platform.defs.map_chain import STATIC
from sm_platform.defs.serving.workers import worker_of
from sm_platform.grid.calendar import days_between
from sm_platform.lake.layout import Layout
from sm_platform.sources.archive import archive_regions

N_DAYS = 365
PORT = 3649
LOOK_S = 5.0
PATIENCE_S = 3600.0
CLI = (sys.executable, "-m", "sm_platform.cli")
STEP_ENDS = {
    dg.DagsterEventType.STEP_START,
    dg.DagsterEventType.STEP_OUTPUT,
    dg.DagsterEventType.STEP_SUCCESS,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.PIPELINE_STARTING,
}


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of all runs of a backfill; runs go on beside each other, so these overlap."""

    in_steps_s: float
    """From the start of a step until it hands over its result."""
    recording_s: float
    """From there until Dagster has stored what it was told of each partition."""
    starting_s: float
    """From asking for a run's process to its first step."""
    idle_s: float
    """Of the whole time, that without a run in a process."""
    n_runs: int


@dataclass(frozen=True, slots=True)
class Carried:
    """A backfill that the daemon has carried out."""

    seen: Progress
    asking_s: float
    wall_s: float
    worker_mib: int
    daemon_mib: int


def inside(root: Path, n_days: int) -> dict[str, object]:
    """The figures, measured in a process whose environment points into the folder."""
    days = days_between(RADAR_FIRST, RADAR_FIRST + timedelta(n_days - 1))
    world = make_world(root, days[-1])
    names = sorted(archive_regions(world.archive))
    plain_s, n_maps, plain_mib = _plain(world, names, n_days)
    with open_instance() as instance:
        place = Place(world.layout, instance)
        carried = _carry_out(place, names, (str(days[0]), str(days[-1])))
        spent = _spent(instance, carried)
    made = sum(one.n_maps for one in carried.seen.regions)
    dagster_s = spent.recording_s + spent.starting_s + spent.idle_s
    return {
        "name": "automation_backfill",
        "unit": "s/map",
        "ours": round(carried.wall_s / made, 3),
        "reference": round(plain_s / n_maps, 3),
        "ratio": round(carried.wall_s / made / (plain_s / n_maps), 2),
        "peak_mib": carried.worker_mib,
        "daemon_mib": carried.daemon_mib,
        "reference_mib": plain_mib,
        "state": carried.seen.state,
        "days": n_days * len(names),
        "maps": made,
        "maps_by_reference": n_maps,
        "partitions": carried.seen.n_keys,
        "runs": spent.n_runs,
        "wall_s": round(carried.wall_s),
        "asking_s": round(carried.asking_s, 1),
        "our_overhead_s_per_map": round((spent.in_steps_s - plain_s) / made, 3),
        "dagster_overhead_s_per_map": round(dagster_s / made, 3),
        "dagster_recording_s": round(spent.recording_s),
        "dagster_starting_s": round(spent.starting_s),
        "dagster_idle_s": round(spent.idle_s),
    }


def _plain(world: SmallWorld, names: Sequence[str], n_days: int) -> tuple[float, int, int]:
    """Seconds, maps and MiB of plain calls, on a lake of their own; static layers come first."""
    instance = open_instance()
    for name in names:
        Launcher(instance, name, lambda _: None).once(STATIC)
    layout = Layout(world.root / "plain")
    _copy(world.layout.root, layout.root)
    days = days_between(RADAR_FIRST, RADAR_FIRST + timedelta(n_days - 1))
    began = time.perf_counter()
    n_maps = 0
    for name in names:
        region = find_region(world.layout, name)
        save_region(layout, region)
        n_maps += make_days(layout, region, days)
    return time.perf_counter() - began, n_maps, peak_mib()


def _copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-r", str(source), str(target)], check=True)  # noqa: S603, S607


def _carry_out(place: Place, names: Sequence[str], ends: tuple[str, str]) -> Carried:
    """Ask, start the platform, wait for the end."""
    regions = [word for name in names for word in ("--region", name)]
    asked = ["backfill", *regions, "--start", ends[0], "--end", ends[1], "--no-watch"]
    began = time.perf_counter()
    told = subprocess.run([*CLI, *asked], capture_output=True, text=True, check=True)  # noqa: S603
    asking_s = time.perf_counter() - began
    backfill_id = told.stdout.strip()
    began = time.perf_counter()
    with subprocess.Popen([*CLI, "up", "--port", str(PORT)]) as platform:  # noqa: S603
        try:
            seen, peaks = _wait(place, backfill_id, platform)
        finally:
            platform.send_signal(signal.SIGINT)
    return Carried(seen, asking_s, time.perf_counter() - began, *peaks)


def _wait(
    place: Place, backfill_id: str, platform: "subprocess.Popen[bytes]"
) -> tuple[Progress, tuple[int, int]]:
    """The backfill at its end, and the largest worker and process of the platform (MiB)."""
    look, until = Look(place, backfill_id), time.monotonic() + PATIENCE_S
    worker_mib = daemon_mib = 0
    while not (seen := look.now()).is_over:
        if time.monotonic() > until or platform.poll() is not None:
            raise TimeoutError(f"The backfill did not end: {seen}")
        of_it = dg.RunsFilter(
            statuses=[dg.DagsterRunStatus.STARTED], tags={"dagster/backfill": backfill_id}
        )
        workers = [worker_of(place.instance, run) for run in place.instance.get_runs(of_it)]
        pids = [one.pid for one in workers if one is not None]
        worker_mib = max([worker_mib, *map(_peak_of, pids)])
        daemon_mib = max([daemon_mib, *map(_peak_of, _children(platform.pid))])
        time.sleep(LOOK_S)
    return seen, (worker_mib, daemon_mib)


def _peak_of(pid: int) -> int:
    """Largest memory of a process so far (MiB), 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(one.split()[1]) >> 10 for one in lines if one.startswith("VmHWM")), 0)


def _children(pid: int) -> list[int]:
    """Processes that a process has started, and theirs."""
    own = []
    for folder in Path(f"/proc/{pid}/task").glob("*/children"):
        own += [int(child) for child in folder.read_text().split()]
    return [*own, *(grandchild for child in own for grandchild in _children(child))]


def _spent(instance: dg.DagsterInstance, carried: Carried) -> Spent:
    """Where the time of its runs went, by the events of their steps."""
    of_it = dg.RunsFilter(tags={"dagster/backfill": carried.seen.backfill_id})
    parts, spans = [], []
    for record in instance.get_run_records(of_it):
        moments = _moments(instance, record.dagster_run.run_id)
        parts.append(_parts(moments))
        if moments and record.end_time:
            spans.append((moments[0][0], record.end_time))
    in_steps, recording, starting = (sum(column) for column in zip(*parts, strict=True))
    return Spent(in_steps, recording, starting, carried.wall_s - _covered(spans), len(parts))


Moment = tuple[float, dg.DagsterEventType, str | None]


def _moments(instance: dg.DagsterInstance, run_id: str) -> list[Moment]:
    """Time, kind and step of the events that matter, in order of time."""
    events = instance.all_logs(run_id, of_type=STEP_ENDS)
    told = [(one.timestamp, one.get_dagster_event()) for one in events]
    return sorted((when, event.event_type, event.step_key) for when, event in told)


def _parts(moments: Sequence[Moment]) -> tuple[float, float, float]:
    """Seconds in steps, recording, and starting of one run."""
    began: dict[str | None, float] = {}
    handed: dict[str | None, float] = {}
    in_steps = recording = 0.0
    for when, kind, step in moments:
        if kind is dg.DagsterEventType.STEP_START:
            began[step] = when
        elif kind is dg.DagsterEventType.STEP_OUTPUT and step not in handed:
            handed[step] = when
            in_steps += when - began[step]
        elif step in began and kind is not dg.DagsterEventType.PIPELINE_STARTING:
            recording += when - handed[step] if step in handed else 0.0
            in_steps += 0.0 if step in handed else when - began[step]
    starting = min(began.values()) - moments[0][0] if began else 0.0
    return in_steps, recording, starting


def _covered(spans: Sequence[tuple[float, float]]) -> float:
    """Seconds within at least one of the spans."""
    total, end = 0.0, 0.0
    for first, last in sorted(spans):
        total += max(0.0, last - max(first, end))
        end = max(end, last)
    return total


def run(n_days: int = N_DAYS) -> Mapping[str, object]:
    """Seconds for each map through the daemon and by plain calls, and where the rest went."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        env = {**SmallWorld(root).environment(), "SM_AUTOMATION": "off"}
        child = [sys.executable, "-m", "benchmarks.automation_backfill", "--inside", str(root)]
        subprocess.run([*child, str(n_days)], env=env, stdout=sys.stderr, check=True)  # noqa: S603
        found: Mapping[str, object] = json.loads((root / "figures.json").read_text())
        return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        place, length = Path(sys.argv[2]), int(sys.argv[3])
        (place / "figures.json").write_text(json.dumps(inside(place, length)))
    else:
        print(json.dumps(run(*map(int, sys.argv[1:]))))
