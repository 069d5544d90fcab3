"""Thirty regions with eight years of days: how long loading, ticks and the UI take.

876,900 materializations of 10 assets lie in the event log, 150,000 granules in the archive's index.
The limits are 10 s to load the definitions, 5 s for a tick, 3 s for the page of `sm_maps` with its
partitions drawn. `python -m benchmarks.automation_catalog [FOLDER]` keeps the catalog (6 GB, some
minutes to make) in the folder, if one is named, for the next time.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from dagster._core.definitions.partitions.context import partition_loading_context

from benchmarks._catalog_world import FIRST, LOOKED_BACK_TO, N_REGIONS
from benchmarks._page_time import seconds_until
from experiments.small_world import SmallWorld
from sm_platform.definitions import defs
from sm_platform.defs.instance import open_instance
from sm_platform.defs.resources import LakeResource
from sm_platform.defs.serving.parts import serves
from sm_platform.defs.watching.sensor import FIND_MISSED, SENSORS
from sm_platform.defs.watching.sweep import SCHEDULES

PORT = 3648
PATIENCE_S = 180
LIMITS = {"load": 10.0, "sensor": 5.0, "sensor_from_nothing": 5.0, "schedule": 5.0, "page": 3.0}
"""Seconds."""
DRAWN = r"text=/Materialized \([1-9]/"
"""The count above the partitions, once it is known."""
LOAD = "from sm_platform.definitions import defs; defs.get_repository_def().load_all_definitions()"
N_MADE = "materializations.txt"
Environment = Mapping[str, str]


def run(folder: str | None = None) -> Mapping[str, object]:
    """Seconds of each, beside its limit; the page is the slower of its second and third visit."""
    with tempfile.TemporaryDirectory() as other:
        root = Path(folder or other).resolve()
        root.mkdir(exist_ok=True)
        env = {**SmallWorld(root).environment(), "SM_AUTOMATION": "off"}
        env["SM_FIRST_DAY"] = str(LOOKED_BACK_TO)
        if not (root / N_MADE).exists():
            _child(["benchmarks._catalog_world", str(root)], env, root / "making.txt")
            (root / N_MADE).write_text((root / "making.txt").read_text().splitlines()[-1])
        env["SM_FIRST_DAY"] = str(FIRST)
        _child(["benchmarks.automation_catalog", "--ticks", str(root)], env, root / "ticks.txt")
        seconds = {"load": _timed(lambda: _python(["-c", LOAD], env))}
        seconds |= json.loads((root / "ticks.json").read_text())
        with _platform(env) as address:
            visits = seconds_until(f"{address}/assets/sm_maps?view=partitions", DRAWN)
        seconds |= {"first_page": visits[0], "page": max(visits[1:])}
        rounded = {f"{name}_s": round(value, 2) for name, value in seconds.items()}
        kept = all(seconds[name] <= limit for name, limit in LIMITS.items())
        return {
            "name": "automation_catalog",
            "unit": "s",
            **rounded,
            "limits_s": LIMITS,
            "is_within": kept,
            "regions": N_REGIONS,
            "materializations": int((root / N_MADE).read_text()),
        }


def ticks(root: Path) -> Mapping[str, float]:
    """Seconds of ticks over all regions: the sensor from nothing and with nothing new, a schedule.

    Raises:
        RuntimeError: a tick would ask for runs, so it is not what it is meant to be.
    """
    lake = {"lake": LakeResource(root=str(SmallWorld(root).layout.root))}
    repository = defs.get_repository_def()
    found: dict[str, float] = {}
    with (
        open_instance() as instance,
        partition_loading_context(dynamic_partitions_store=instance),
    ):
        cursor = None
        for name in ("sensor_from_nothing", "sensor"):
            began = time.perf_counter()
            context = dg.build_sensor_context(
                instance, cursor, repository_def=repository, resources=lake
            )
            told = SENSORS[0].evaluate_tick(context)
            found[name], cursor = time.perf_counter() - began, told.cursor
            asked = [one for one in told.run_requests if one.job_name != FIND_MISSED.name]
            if asked:
                raise RuntimeError(f"{name}: asks for {asked[:3]}")
        refresh = next(one for one in SCHEDULES if one.name == "daily_refresh")
        now = datetime.now(UTC)
        began = time.perf_counter()
        refresh.evaluate_tick(
            dg.build_schedule_context(
                instance,
                scheduled_execution_time=now,
                repository_def=repository,
                resources=lake,
            )
        )
        found["schedule"] = time.perf_counter() - began
    return found


@contextmanager
def _platform(env: Environment) -> Iterator[str]:
    """`sm-platform up`; its address once it answers."""
    command = [sys.executable, "-m", "sm_platform.cli", "up", "--port", str(PORT)]
    address = f"http://127.0.0.1:{PORT}"
    with subprocess.Popen(command, env=dict(env), stdout=sys.stderr) as process:  # noqa: S603
        try:
            until = time.monotonic() + PATIENCE_S
            while not serves(PORT):
                if time.monotonic() > until:
                    raise TimeoutError(f"{address} did not answer for {PATIENCE_S} s")
                time.sleep(1)
            yield address
        finally:
            process.send_signal(signal.SIGINT)


def _child(words: list[str], env: Environment, out: Path) -> None:
    with out.open("w") as told:
        command = [sys.executable, "-m", *words]
        subprocess.run(command, env=dict(env), stdout=told, check=True)  # noqa: S603


def _python(words: list[str], env: Environment) -> None:
    subprocess.run([sys.executable, *words], env=dict(env), check=True)  # noqa: S603


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ticks"]:
        place = Path(sys.argv[2])
        (place / "ticks.json").write_text(json.dumps(ticks(place)))
    else:
        print(json.dumps(run(*sys.argv[1:2])))
