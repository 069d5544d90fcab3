"""The automation on a disk that fills up, and on one that becomes read-only, and after both.

    sudo python -m experiments.disk FOLDER

The lake of `small_world` lies on a file system of its own in memory (so it needs the right to
mount one). The sensor maps what is there; then the disk is filled and seven days of scenes arrive,
then there is room again; then it fills up while maps are made; then it is read-only. Prints one
line of JSON; exit code 1 when the platform ended, nobody was told, a file is torn, or a pass has
not exactly one current map in the end.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq
import rasterio

from experiments.small_world import SmallWorld, make_world, watched_passes
from sm_platform.defs.instance import open_instance
from sm_platform.defs.map_index import read_index
from sm_platform.defs.serving.parts import serves
from sm_platform.defs.step_failures import why
from sm_platform.sources.archive import advance_clock

LAST, TODAY = date(2025, 4, 25), date(2025, 4, 3)
STEP = timedelta(days=7)
PORT = 3792
SIZE = "600m"
MOST_TOLD, MOST_CHARACTERS = 4, 400
SETTLE_S, TROUBLE_S, RECOVER_S = 900.0, 150.0, 1500.0
CLI = (sys.executable, "-m", "sm_platform.cli")


@dataclass(slots=True)
class Outcome:
    """What was seen."""

    told: dict[str, list[str]] = field(default_factory=dict)
    """What failed runs and skipped ticks said, by trouble, each once and the first few."""
    alerts: list[str] = field(default_factory=list)
    """First lines of what the webhook was sent."""
    recovered_s: dict[str, float] = field(default_factory=dict)
    passes: int = 0
    problems: list[str] = field(default_factory=list)


def main() -> int:
    """Make the world on a small disk, trouble it twice, look at what is left."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    world = SmallWorld(parser.parse_args().folder.resolve())
    os.environ.update(world.environment())
    messages: list[str] = []
    os.environ["SM_ALERT_WEBHOOK"] = _listen(messages)
    world.layout.root.mkdir(parents=True)
    disk = str(world.layout.root)
    _do("mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", disk)
    try:
        outcome = _run(make_world(world.root, LAST, TODAY))
    finally:
        _do("umount", disk)
    outcome.alerts = [json.loads(one)["text"].splitlines()[0] for one in messages]
    print(json.dumps(asdict(outcome)))
    return 1 if outcome.problems else 0


def _run(world: SmallWorld) -> Outcome:
    outcome = Outcome()
    with subprocess.Popen([*CLI, "up", "--port", str(PORT)]) as platform:  # noqa: S603
        try:
            _wait_for(lambda: _is_mapped(world), SETTLE_S)
            for name in TROUBLES:
                _endure(world, name, outcome)
                if platform.poll() is not None:
                    outcome.problems.append("the platform ended")
                    break
            time.sleep(20)  # what was asked for besides ends
        finally:
            platform.send_signal(signal.SIGINT)
    _look(world, outcome)
    return outcome


@contextmanager
def full(root: Path) -> Iterator[None]:
    """A disk without room."""
    filler = root / ".filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(1 << 16)):
                pass
        except OSError:
            _say("The disk is full.")
    yield
    filler.unlink()


@contextmanager
def read_only(root: Path) -> Iterator[None]:
    """A disk that nothing can be written to."""
    _do("mount", "-o", "remount,ro", str(root))
    _say("The disk is read-only.")
    yield
    _do("mount", "-o", "remount,rw", str(root))


MIDWAY = "full while at work"
TROUBLES: dict[str, Callable[[Path], AbstractContextManager[None]]] = {
    "full": full,
    MIDWAY: full,
    "read-only": read_only,
}


def _endure(world: SmallWorld, name: str, outcome: Outcome) -> None:
    """Scenes of seven days arrive in trouble; or are at work when it begins."""
    before, trouble = time.time(), TROUBLES[name]
    if name == MIDWAY:
        advance_clock(world.archive, STEP)
        _wait_for(_is_at_work, TROUBLE_S)
    with trouble(world.layout.root):
        if name != MIDWAY:
            advance_clock(world.archive, STEP)
        time.sleep(TROUBLE_S)
        if not serves(PORT):
            outcome.problems.append(f"{name}: the UI does not answer")
    told = [one for one in _told_since(before) if "Cannot write" in one]
    outcome.told[name] = list(dict.fromkeys(told))[:MOST_TOLD]
    if not told:
        outcome.problems.append(f"{name}: nobody was told")
    began = time.monotonic()
    if not _wait_for(lambda: _is_mapped(world), RECOVER_S):
        outcome.problems.append(f"{name}: not every pass was mapped after it")
    outcome.recovered_s[name] = round(time.monotonic() - began)


def _is_at_work() -> bool:
    """Whether a run has started its steps."""
    with open_instance() as instance:
        return bool(instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])))


def _told_since(moment: float) -> list[str]:
    """Reasons of failed steps and skipped ticks since a moment (seconds since 1970)."""
    found = []
    with open_instance() as instance:
        for state in instance.all_instigator_state():
            ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, after=moment)
            found += [tick.skip_reason for tick in ticks if tick.skip_reason]
        for record in instance.get_run_records(
            dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE])
        ):
            if record.create_timestamp.timestamp() < moment:
                continue
            steps = instance.all_logs(
                record.dagster_run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE
            )
            for step in steps:
                found.append(why(step.get_dagster_event())[:MOST_CHARACTERS])
    return found


def _listen(messages: list[str]) -> str:
    """A webhook on loopback that keeps what it is sent; its address."""

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802
            messages.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/hook"


def _is_mapped(world: SmallWorld) -> bool:
    return all(_current(world, one) == 1 for one in set(watched_passes(world)))


def _current(world: SmallWorld, one: tuple[str, date, str]) -> int:
    """Current maps of a pass; one without data counts as one."""
    region, day, scene = one
    own = [row for row in read_index(world.layout, region, day) if row["scene_id"] == scene]
    return sum(row["is_latest"] for row in own) or int(any(r["status"] == "no_data" for r in own))


def _wait_for(is_so: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            return False
        time.sleep(5)
    return True


def _look(world: SmallWorld, outcome: Outcome) -> None:
    passes = set(watched_passes(world))
    outcome.passes = len(passes)
    wrong = [one for one in passes if _current(world, one) != 1]
    outcome.problems += [f"{one}: {_current(world, one)} current maps" for one in wrong]
    for path in world.layout.root.rglob("*.parquet"):
        pq.read_table(path)
    for path in world.layout.maps.rglob("*.tif"):
        with rasterio.open(path) as file:
            file.read()
    left = [path for path in (world.layout.root / ".aside").rglob("*") if path.is_file()]
    outcome.problems += [f"left aside: {path}" for path in left]


def _do(*words: str) -> None:
    subprocess.run(words, check=True)  # noqa: S603


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
