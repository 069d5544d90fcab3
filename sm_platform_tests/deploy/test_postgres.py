"""The platform on PostgreSQL: maps, a backfill through the daemon, a database that goes away."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import dagster as dg
import pytest
import yaml
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from sm_platform.defs.home import MADE
from sm_platform.defs.resources import CHECKOUT
from sm_platform.defs.serving import keeping, parts, pools
from sm_platform.densesm.checkpoint import save
from sm_platform.densesm.network import Architecture
from sm_platform.schema.recipes import EOV_2025
from sm_platform_tests.defs.seed_folder import PASSES, write_folder
from sm_platform_tests.densesm.making import random_checkpoint
from sm_platform_tests.deploy.cluster import Cluster, running_cluster
from sm_platform_tests.deploy.held_graph import DAYS, GO, WORKERS, defs
from sm_platform_tests.desk import Desk

PATIENCE_S = 60.0
GRAPH = "sm_platform_tests.deploy.held_graph"
HELD = dg.AssetKey("held")
RUN = ("run", "--region", "delta", "--start", PASSES[0], "--end", PASSES[1])
OPEN = (BulkActionStatus.REQUESTED, BulkActionStatus.FAILING)


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


@pytest.fixture
def instance(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    for name, value in desk.environment.items():
        monkeypatch.setenv(name, value)
    with desk.instance() as found:
        yield found


def test_database_that_is_away_is_told_and_maps_are_made_once_it_is_back(
    desk: Desk, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, source = desk.root / "dagster_home", ("--archive", desk.root / "in")
    cluster.control("-m", "fast", "stop")
    answer = desk.run(*RUN, *source)
    cluster.control("start")
    assert answer.code == 1
    assert "see that PostgreSQL runs" in answer.err
    assert not (home / MADE).exists()
    desk.done(*RUN, *source, "--checkpoint", "eov")
    assert (home / MADE).exists()
    assert not list(home.rglob("*.db"))
    monkeypatch.setenv("SM_POSTGRES_URL", desk.more["SM_POSTGRES_URL"])
    assert desk.days_materialized("sm_maps", "delta") == {str(day) for day in PASSES[:2]}
    with desk.instance() as instance:
        assert instance.get_dynamic_partitions("regions") == ["delta"]


@pytest.fixture
def group(instance: dg.DagsterInstance, tmp_path: Path) -> Iterator[keeping.Group]:
    """Code server and daemon of the small graph."""
    pools.set_limits(instance, {pools.MEMORY: 1})
    with (tmp_path / "lock").open("w") as lock, parts.code_place(tmp_path) as place:
        both = (parts.code_server(place, GRAPH), parts.daemon(place))
        found = keeping.guarded_group(lock.fileno(), both)
        try:
            yield found
        finally:
            keeping.stop(found)


def test_backfill_ends_whole_whatever_is_killed_and_restarted(
    instance: dg.DagsterInstance, group: keeping.Group, cluster: Cluster
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
    cluster.control("-m", "fast", "restart")
    (workers.parent / GO).touch()
    wait_for(lambda: status(instance) not in OPEN, group)
    assert status(instance) == BulkActionStatus.COMPLETED_SUCCESS
    assert instance.get_materialized_partitions(HELD) == set(DAYS.get_partition_keys())
    assert not instance.event_log_storage.get_concurrency_info(pools.MEMORY).claimed_slots


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
