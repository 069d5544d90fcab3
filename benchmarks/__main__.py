"""`python -m benchmarks [NAME]`: each benchmark's figures as one JSON line, in order of name."""

import importlib
import json
import pkgutil
import sys

import benchmarks


def names() -> list[str]:
    """Modules of this package that are benchmarks: each has `run() -> dict`."""
    found = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return sorted(name for name in found if not name.startswith("_"))


def main(wanted: list[str]) -> int:
    """Run the wanted benchmarks, all when none is named; 2 for a name that does not exist."""
    unknown = sorted(set(wanted) - set(names()))
    if unknown:
        print(f"No benchmark is called {unknown[0]}: use {', '.join(names())}.", file=sys.stderr)
        return 2
    for name in wanted or names():
        figures = importlib.import_module(f"benchmarks.{name}").run()
        print(json.dumps(figures), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
