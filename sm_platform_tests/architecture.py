"""Rules of the house as functions from one parsed file to what it breaks."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "sm_platform"
FOUNDATIONS = {"errors": set[str](), "grid": {"errors"}, "schema": {"errors", "grid"}}
"""What each foundation may import besides itself."""
ROOF = {"definitions", "defs", "cli", "__main__"}
READS_ENVIRONMENT = {"defs/resources.py", "cli/__init__.py"}
KNOWS_TRUTH = "sources/simulated/"
READS_TRUTH = "defs/evaluation_set.py"
"""Beside the simulation itself: what learns or maps must not know the truth."""
TRUTH = f"{PACKAGE}.sources.simulated.truth"
VAGUE = {"utils", "helpers", "common", "base", "misc", "manager", "core"}
MAX_FILE_LINES = 300
MAX_BODY_LINES = 40

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Module:
    """One file of the package; `path` is relative to it, with forward slashes."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def room(self) -> str:
        """Its top-level folder or module: `grid`, `lake`, `cli`; `__init__` for the package's."""
        return self.path.split("/")[0].removesuffix(".py")


def modules(package: Path) -> list[Module]:
    """Every Python file below the package, in order of path."""
    return [
        Module(path.relative_to(package).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(package.rglob("*.py"))
    ]


def imported(module: Module) -> set[str]:
    """Dotted names of all imports, anywhere in the file; relative ones made absolute."""
    found: set[str] = set()
    home = [PACKAGE, *module.path.split("/")[:-1]]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = home[: len(home) - node.level + 1] if node.level else []
            start = ".".join([*above, *([node.module] if node.module else [])])
            found |= {f"{start}.{alias.name}" for alias in node.names}
    return found


def foreign_rooms(module: Module) -> set[str]:
    """Rooms that this file imports and may not."""
    parts = [name.split(".") for name in imported(module)]
    reached = {p[1] for p in parts if p[0] == PACKAGE and len(p) > 1 and p[1] != "__version__"}
    if module.room in ROOF:
        return set()
    allowed = FOUNDATIONS.get(module.room, set(FOUNDATIONS))
    return reached - allowed - {module.room}


def imports_dagster(module: Module) -> bool:
    """Whether a file outside the roof imports dagster or a package of it."""
    tops = {name.split(".")[0] for name in imported(module)}
    return module.room not in ROOF and any(top.startswith("dagster") for top in tops)


def reads_environment(module: Module) -> bool:
    """Whether a file that may not touches the environment of the process."""
    names = {"environ", "getenv", "putenv", "environb"}
    used = {node.attr for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)}
    taken = {name.removeprefix("os.") for name in imported(module) if name.startswith("os.")}
    return module.path not in READS_ENVIRONMENT and bool(names & (used | taken))


def mentions_truth(module: Module) -> bool:
    """Whether a file outside the simulation spells the archive's truth folder in a text."""
    texts = (
        node.value
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    is_named = any("truth" in text.split("/") for text in texts)
    return is_named and not module.path.startswith(KNOWS_TRUTH)


def reads_truth(module: Module) -> bool:
    """Whether a file other than the evaluation's can open the archive's truth."""
    may = module.path.startswith(KNOWS_TRUTH) or module.path == READS_TRUTH
    reached = {f"{TRUTH.rpartition('.')[0]}.*", TRUTH}
    names = {name for name in imported(module) if name in reached or name.startswith(f"{TRUTH}.")}
    return bool(names) and not may


def functions(module: Module) -> Iterator[tuple[str, int]]:
    """Name and lines of body (without docstring) of every function, nested ones included."""
    for node in ast.walk(module.tree):
        if isinstance(node, FunctionNode):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            yield node.name, (node.end_lineno or 0) - body[0].lineno + 1


def overgrown(module: Module) -> list[str]:
    """Functions of more than 40 lines of body, and the file itself above 300 lines."""
    lines = len(module.text.splitlines())
    found = [f"{name}: {n} lines" for name, n in functions(module) if n > MAX_BODY_LINES]
    return found + ([f"{lines} lines"] if lines > MAX_FILE_LINES else [])


def vague_names(module: Module) -> set[str]:
    """Parts of the path that say nothing about what is inside."""
    return VAGUE & {part.removesuffix(".py").strip("_") for part in module.path.split("/")}


def unexplained_packages(found: list[Module]) -> set[str]:
    """Folders with code whose `__init__.py` is absent or has no docstring."""
    folders = {m.path.rpartition("/")[0] for m in found}
    explained = {
        m.path.rpartition("/")[0]
        for m in found
        if m.path.endswith("__init__.py") and ast.get_docstring(m.tree)
    }
    return folders - explained
