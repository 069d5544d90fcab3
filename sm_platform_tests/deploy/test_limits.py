"""Limits of runs and pools come from the environment of the daemon."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from sm_platform.defs.home import prepare_home
from sm_platform.defs.resources import run_limits
from sm_platform.defs.serving import pools
from sm_platform.errors import UsageError


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """An instance with the checkout's own configuration."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    with dg.DagsterInstance.from_config(str(prepare_home())) as found:
        yield found


def test_pools_get_the_slots_of_the_environment(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools.set_limits(instance, pools.wanted_limits())
    assert pools.limits_of(instance) == {"memory": 1} | dict.fromkeys(pools.PROVIDERS, 2)
    monkeypatch.setenv("SM_PROVIDER_STEPS", "5")
    monkeypatch.setenv("SM_MEMORY_STEPS", "3")
    pools.set_limits(instance, pools.wanted_limits())
    assert pools.limits_of(instance) == {"memory": 3} | dict.fromkeys(pools.PROVIDERS, 5)
    assert instance.event_log_storage.get_concurrency_info("memory").slot_count == 3


def test_queue_is_as_long_as_the_variable_says(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text, runs in (("", 3), ("7", 7)):
        monkeypatch.setenv("SM_MAX_RUNS", text)
        queue = instance.get_concurrency_config().run_queue_config
        assert queue is not None
        assert queue.max_concurrent_runs == runs
        assert queue.max_user_code_failure_retries > 0


@pytest.mark.parametrize("name", ["SM_MAX_RUNS", "SM_MEMORY_STEPS", "SM_PROVIDER_STEPS"])
@pytest.mark.parametrize("text", ["0", "101", "2.5", "many"])
def test_limit_that_is_wrong_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(UsageError, match=f"{name} is '{text}': write a whole number from 1 to 100"):
        run_limits()
