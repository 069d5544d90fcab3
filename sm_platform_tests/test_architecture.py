from collections.abc import Callable
from pathlib import Path

import pytest

import sm_platform
from sm_platform_tests import architecture
from sm_platform_tests.architecture import Module

MODULES = architecture.modules(Path(sm_platform.__file__).parent)
RULES = (
    architecture.foreign_rooms,
    architecture.imports_dagster,
    architecture.reads_environment,
    architecture.mentions_truth,
    architecture.reads_truth,
    architecture.overgrown,
    architecture.vague_names,
)
LONG_BODY = "def f():\n" + '    """Said."""\n' + "    x = 1\n" * 41
SIMULATED = "sm_platform.sources.simulated"
PLANTED = [
    (architecture.foreign_rooms, "lake/store.py", "import sm_platform.maps.cog"),
    (architecture.foreign_rooms, "lake/store.py", "from sm_platform import maps"),
    (architecture.foreign_rooms, "lake/store.py", "from ..maps import cog"),
    (architecture.foreign_rooms, "lake/store.py", "def f():\n    from sm_platform.maps import c"),
    (architecture.foreign_rooms, "lake/store.py", "from sm_platform.defs.resources import Lake"),
    (architecture.foreign_rooms, "schema/rows.py", "from sm_platform.lake.store import read"),
    (architecture.foreign_rooms, "grid/window.py", "from sm_platform.schema.rows import take"),
    (architecture.foreign_rooms, "errors.py", "from sm_platform.grid.window import pad"),
    (architecture.imports_dagster, "lake/store.py", "import dagster as dg"),
    (architecture.imports_dagster, "grid/calendar.py", "from dagster_shared import seven"),
    (architecture.reads_environment, "lake/layout.py", "import os\nos.environ['SM_DATA_LAKE']"),
    (architecture.reads_environment, "defs/jobs.py", "from os import getenv\ngetenv('A')"),
    (architecture.reads_environment, "lake/layout.py", "import os as o\no.getenv('A')"),
    (architecture.mentions_truth, "trust/metrics.py", "path = root / 'truth'"),
    (architecture.mentions_truth, "cli.py", "path = f'{root}/truth/{day}.npz'"),
    (architecture.reads_truth, "defs/training.py", f"from {SIMULATED}.truth import read_truth"),
    (architecture.reads_truth, "defs/sampling.py", f"from {SIMULATED}.truth import truth_days"),
    (architecture.reads_truth, "defs/sampling.py", f"from {SIMULATED} import truth as t"),
    (architecture.reads_truth, "defs/mapping.py", f"import {SIMULATED}.truth as t"),
    (architecture.reads_truth, "defs/mapping.py", f"from {SIMULATED} import *"),
    (architecture.reads_truth, "densesm/training.py", "from ..sources.simulated import truth"),
    (architecture.overgrown, "maps/cog.py", LONG_BODY),
    (architecture.overgrown, "maps/cog.py", "x = 1\n" * 301),
    (architecture.vague_names, "maps/utils.py", ""),
    (architecture.vague_names, "core/maps.py", ""),
]
ALLOWED = [
    (architecture.foreign_rooms, "lake/store.py", "from sm_platform.schema.tables import Table"),
    (architecture.foreign_rooms, "lake/store.py", "from sm_platform.lake.layout import Layout"),
    (architecture.foreign_rooms, "lake/store.py", "from .layout import Layout"),
    (architecture.foreign_rooms, "maps/stac.py", "from sm_platform import __version__"),
    (architecture.foreign_rooms, "schema/rows.py", "from sm_platform.grid import calendar"),
    (architecture.foreign_rooms, "defs/assets/maps.py", "from sm_platform.maps import cog"),
    (architecture.imports_dagster, "defs/jobs.py", "import dagster as dg"),
    (architecture.reads_environment, "defs/resources.py", "import os\nos.environ['A']"),
    (architecture.mentions_truth, "sources/simulated/files.py", "path = root / 'truth'"),
    (architecture.mentions_truth, "trust/metrics.py", "text = 'rmse against the truth'"),
    (architecture.reads_truth, "defs/evaluation_set.py", f"import {SIMULATED}.truth"),
    (architecture.reads_truth, "sources/simulated/build.py", "from .truth import write_truth"),
    (architecture.reads_truth, "defs/demo.py", f"from {SIMULATED}.build import write_archive"),
    (architecture.overgrown, "maps/cog.py", LONG_BODY.removesuffix("    x = 1\n")),
    (architecture.overgrown, "maps/cog.py", "x = 1\n" * 300),
    (architecture.vague_names, "maps/score.py", ""),
]
Rule = Callable[[Module], object]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_package_keeps_the_rule(rule: Rule) -> None:
    broken = {module.path: rule(module) for module in MODULES if rule(module)}
    assert not broken


def test_every_folder_says_what_it_is_for() -> None:
    assert not architecture.unexplained_packages(MODULES)


@pytest.mark.parametrize(("rule", "path", "text"), PLANTED)
def test_rule_finds_a_planted_fault(rule: Rule, path: str, text: str) -> None:
    assert rule(Module(path, text))


@pytest.mark.parametrize(("rule", "path", "text"), ALLOWED)
def test_rule_lets_the_allowed_pass(rule: Rule, path: str, text: str) -> None:
    assert not rule(Module(path, text))


def test_folder_without_a_docstring_is_found() -> None:
    found = [
        Module("__init__.py", '"""The package."""'),
        Module("lake/__init__.py", ""),
        Module("maps/cog.py", '"""Files."""'),
    ]
    assert architecture.unexplained_packages(found) == {"lake", "maps"}


def test_every_file_is_of_a_known_kind() -> None:
    alone = {module.room for module in MODULES if "/" not in module.path}
    assert alone <= {"__init__", "errors", "definitions", "cli", "__main__"}
