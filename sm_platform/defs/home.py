"""The Dagster home: its databases are made once, whole, however many commands begin together.

Dagster makes them in place when they are absent. Two processes that do so at once, or one that is
killed over it, leave databases that no later start can read: so they are made aside under a lock.
PostgreSQL makes its tables whole or not at all; there the lock is enough.
"""

import fcntl
import hashlib
import shutil
from pathlib import Path

import dagster as dg
import yaml  # type: ignore[import-untyped]

from sm_platform.defs.resources import CHECKOUT, point_dagster_at, settings

CONFIG = "dagster.yaml"
DRAFT = ".making"
MADE = ".made"
"""All databases are in their place; it holds digests of the configurations put beside them."""
FIRST_DIGEST = "0e0c7fd916500784294107eea5802470be4c4f83dd59f19fdb3ed7d761318116"
"""The configuration of homes that were made before digests were kept."""


def prepare_home() -> Path:
    """The Dagster home, made if need be, with the checkout's dagster.yaml when it has none.

    A copy of an earlier dagster.yaml of the checkout that nobody has edited is brought up to date.
    """
    home = settings().dagster_home
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / MADE).exists():
            _make(home)
        else:
            _renew(home)
    point_dagster_at(home)
    return home


def keeps_sqlite(home: Path) -> bool:
    """Whether the records of a home lie in its own folder, and not on a database server."""
    own = home / CONFIG
    said = yaml.safe_load((own if own.exists() else CHECKOUT / CONFIG).read_text()) or {}
    return isinstance(said, dict) and "sqlite" in said.get("storage", ("sqlite",))


def _make(home: Path) -> None:
    """Put into place what is missing; what a killed process left unfinished is made anew."""
    own = home / CONFIG
    is_ours = not own.exists()
    if keeps_sqlite(home):
        _make_databases(home)
    else:
        _open(home)
    (home / MADE).write_text(_digest(own) if is_ours else "")


def _make_databases(home: Path) -> None:
    draft = home / DRAFT
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    own = home / CONFIG
    shutil.copyfile(own if own.exists() else CHECKOUT / CONFIG, draft / CONFIG)
    _open(draft)
    for entry in draft.iterdir():
        if not (home / entry.name).exists():
            entry.replace(home / entry.name)
    shutil.rmtree(draft)


def _open(home: Path) -> None:
    """Open the instance once, which makes its databases."""
    point_dagster_at(home)
    with dg.DagsterInstance.from_config(str(home)):
        pass


def _renew(home: Path) -> None:
    """Take over a changed dagster.yaml of the checkout, where the home's is an unedited copy."""
    own, ours, made = home / CONFIG, CHECKOUT / CONFIG, home / MADE
    if not own.exists() or _digest(own) == _digest(ours):
        return
    known = [*made.read_text().split(), FIRST_DIGEST]
    if _digest(own) not in known:
        return
    draft = home / f"{CONFIG}.new"
    shutil.copyfile(ours, draft)
    made.write_text("\n".join([*known, _digest(draft)]))  # before it is in its place
    draft.replace(own)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
