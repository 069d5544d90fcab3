"""The platform on PostgreSQL: maps, a backfill through the daemon, a database that goes away."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import dagster as dg
import pytest
import yaml
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from sm_platform.defs.home import MADE, prepare_home
from sm_platform.defs.resources import CHECKOUT
from sm_platform.defs.serving import keeping, parts, pools
from sm_platform.densesm.checkpoint import save
from sm_platform.densesm.network import Architecture
from sm_platform.schema.recipes import EOV_2025
from sm_platform_tests.defs.seed_folder import PASSES, write_folder
from sm_platform_tests.densesm.making import random_checkpoint
from sm_platform_tests.deploy.cluster import Cluster, running_cluster
from sm_platform_tests.deploy.held_graph import DAYS, GO, WORKERS, defs
from sm_platform_tests.desk import Desk, Running

PATIENCE_S = 60.0
GRAPH = "sm_platform_tests.deploy.held_graph"
HELD = dg.AssetKey("held")
RUN = ("run", "--region", "delta", "--start", PASSES[0], "--end", PASSES[1])
NOWHERE = "postgresql+psycopg2://sm@/sm?host=/nowhere"
OPEN = (BulkActionStatus.REQUESTED, BulkActionStatus.FAILING)


@dataclass(frozen=True, slots=True)
class Commands:
    """What was started: a run, and a command without a database, with its home."""

    maps: Running
    away: Running
    away_home: Path


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as found:
        yield found


@pytest.fixture(scope="module")
def desk(cluster: Cluster, server: IO[str], tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk whose records are in PostgreSQL, with a checkpoint and the files of a region."""
    settings = {"SM_FIRST_DAY": "2024-12-18", "SM_MIN_LOOKBACK_SHARE": "0"}
    more = settings | {"SM_POSTGRES_URL": cluster.url}
    found = Desk(tmp_path_factory.mktemp("desk"), server, more)
    config = found.root / "dagster_home" / "dagster.yaml"
    config.parent.mkdir()
    config.write_text(hurried((CHECKOUT / "deploy" / "dagster.postgres.yaml").read_text()))
    (found.models / "eov").mkdir(parents=True)
    made = random_checkpoint(Architecture(1, 8), recipe=EOV_2025)
    save(replace(made, checkpoint_id="eov"), found.models / "eov")
    write_folder(found.root / "in", "delta", PASSES[:2])
    return found


def hurried(text: str) -> str:
    """The configuration with shorter waits between two looks."""
    config = yaml.safe_load(text)
    config["run_coordinator"]["config"]["dequeue_interval_seconds"] = 1
    config["run_monitoring"] |= {"poll_interval_seconds": 2, "free_slots_after_run_end_seconds": 1}
    return str(yaml.safe_dump(config))


@pytest.fixture(scope="module")
def instance(desk: Desk) -> Iterator[dg.DagsterInstance]:
    """The records of the desk, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in desk.environment.items():
            patch.setenv(name, value)
        with dg.DagsterInstance.from_config(str(prepare_home())) as found:
            yield found


@pytest.fixture(scope="module")
def commands(desk: Desk, instance: dg.DagsterInstance) -> Commands:
    """Maps are made, and a command waits for a database that is not there, meanwhile."""
    nowhere = replace(desk, more=desk.more | {"SM_POSTGRES_URL": NOWHERE}, root=desk.root / "away")
    copy = nowhere.root / "dagster_home"
    copy.mkdir(parents=True)
    shutil.copy(desk.root / "dagster_home" / "dagster.yaml", copy)
    source = "--archive", desk.root / "in", "--checkpoint", "eov"
    return Commands(desk.start(*RUN, *source), nowhere.start("prepare"), copy)


@pytest.fixture
def group(instance: dg.DagsterInstance, tmp_path: Path) -> Iterator[keeping.Group]:
    """Code server and daemon of the small graph."""
    pools.set_limits(instance, {pools.STATIC: 1})
    with (tmp_path / "lock").open("w") as lock, parts.code_place(tmp_path) as place:
        both = (parts.code_server(place, GRAPH), parts.daemon(place))
        found = keeping.guarded_group(lock.fileno(), both)
        try:
            yield found
        finally:
            keeping.stop(found)


def test_backfill_ends_whole_whatever_is_killed_and_restarted(
    instance: dg.DagsterInstance, group: keeping.Group, cluster: Cluster, commands: Commands
) -> None:
    """Worker and code server die together, then the database is restarted under the next worker.

    Nobody is left who saw the worker die: the daemon has to find out, free its slot and retry.
    """
    workers = Path(instance.root_directory) / WORKERS
    instance.add_backfill(backfill(instance))
    wait_for(lambda: workers.exists() and list(workers.iterdir()), group)
    first = next(workers.iterdir())
    server = group.kept[parts.CODE_SERVER].process
    assert server is not None
    for pid in (server.pid, int(first.name)):
        os.kill(pid, signal.SIGKILL)
    first.unlink()
    wait_for(lambda: list(workers.iterdir()), group)
    commands.maps.wait()
    cluster.control("-m", "fast", "restart")
    (workers.parent / GO).touch()
    wait_for(lambda: status(instance) not in OPEN, group)
    assert status(instance) == BulkActionStatus.COMPLETED_SUCCESS
    assert instance.get_materialized_partitions(HELD) == set(DAYS.get_partition_keys())
    assert not instance.event_log_storage.get_concurrency_info(pools.STATIC).claimed_slots


def test_maps_are_made_and_shown(
    desk: Desk, instance: dg.DagsterInstance, commands: Commands
) -> None:
    answer = commands.maps.wait()
    assert answer.code == 0, answer.err
    keys = {f"{day}|delta" for day in PASSES[:2]}
    assert instance.get_materialized_partitions(dg.AssetKey("sm_maps")) == keys
    assert instance.get_dynamic_partitions("regions") == ["delta"]
    assert not list((desk.root / "dagster_home").rglob("*.db"))


def test_database_that_does_not_answer_is_told(commands: Commands) -> None:
    answer = commands.away.wait()
    assert answer.code == 1
    assert "see that PostgreSQL runs" in answer.err
    assert not (commands.away_home / MADE).exists()


def wait_for(what: Callable[[], object], group: keeping.Group) -> None:
    until = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < until
        keeping.watch(group, print)
        time.sleep(0.2)


def status(instance: dg.DagsterInstance) -> BulkActionStatus:
    found = instance.get_backfill("days")
    assert found is not None
    return found.status


def backfill(instance: dg.DagsterInstance) -> PartitionBackfill:
    """A request for all days of the small graph, as the UI writes it."""
    return PartitionBackfill.from_asset_partitions(
        "days",
        asset_graph=defs.resolve_asset_graph(),
        partition_names=DAYS.get_partition_keys(),
        asset_selection=[HELD],
        backfill_timestamp=time.time(),
        tags={},
        dynamic_partitions_store=instance,
        all_partitions=False,
        title=None,
        description=None,
        run_config=None,
    )
