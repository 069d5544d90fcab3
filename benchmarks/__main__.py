"""`python -m benchmarks [NAME]`: each benchmark's figures as one JSON line, in order of name."""

import importlib
import json
import pkgutil
import sys

import benchmarks

LONG = {"automation_backfill", "automation_catalog", "automation_new_scene"}
"""Minutes and gigabytes: run when they are named."""


def names() -> list[str]:
    """Modules of this package that are benchmarks: each has `run() -> dict`."""
    found = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return sorted(name for name in found if not name.startswith("_"))


def main(wanted: list[str]) -> int:
    """Run the wanted benchmarks, none named: all but the long ones; 2 for an unknown name."""
    unknown = sorted(set(wanted) - set(names()))
    if unknown:
        print(f"No benchmark is called {unknown[0]}: use {', '.join(names())}.", file=sys.stderr)
        return 2
    for name in wanted or sorted(set(names()) - LONG):
        figures = importlib.import_module(f"benchmarks.{name}").run()
        print(json.dumps(figures), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
