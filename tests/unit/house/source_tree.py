"""What the house rules look at: the files of the repository and the imports in them, read without running anything."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGES = ("connectors", "jobs", "model_store", "sql", "udfs")


def tracked_files(root: Path = ROOT) -> list[Path]:
    """Return what git tracks or would track; without git, every file outside hidden and built folders."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=root, capture_output=True, check=False)
    if listing.returncode == 0:
        files = [root / name for name in listing.stdout.decode().split("\0") if name]
    else:
        files = [path for path in root.rglob("*") if not _is_built(path.relative_to(root))]
    return sorted(path for path in files if path.is_file())


def _is_built(path: Path) -> bool:
    return any(part in {"build", "dist", "__pycache__"} or part.startswith(".") for part in path.parts if part != ".ci")


def shipped_modules(root: Path = ROOT) -> dict[str, Path]:
    """Return every module of the packages that are shipped, by its dotted name."""
    return {
        module_name(path.relative_to(root)): path
        for package in PACKAGES
        for path in sorted((root / package).rglob("*.py"))
        if "__pycache__" not in path.parts
    }


def module_name(path: Path) -> str:
    """Return the dotted name of a source file given by its path from the root.

    >>> module_name(Path("udfs/domain/__init__.py")), module_name(Path("jobs/cli.py"))
    ('udfs.domain', 'jobs.cli')
    """
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(source: str, module: str, *, is_package: bool = False, typing_only: bool = True) -> set[str]:
    """Return the dotted names a module imports anywhere, inside functions too.

    ``from a import b`` gives ``a`` and ``a.b``: b may be a module. With ``typing_only=False`` the imports under
    ``if TYPE_CHECKING`` are left out: they do not happen when the program runs.

    >>> sorted(imports_of("from . import b\\nimport os.path", "udfs.a"))
    ['os.path', 'udfs', 'udfs.b']
    """
    found: set[str] = set()
    for node in _walk(ast.parse(source), typing_only=typing_only):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, module, is_package=is_package)
            found.add(base)
            found.update(f"{base}.{alias.name}" for alias in node.names if alias.name != "*")
    return found


def _walk(tree: ast.AST, *, typing_only: bool) -> Iterator[ast.AST]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        skipped = not typing_only and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        waiting.extend(node.orelse if skipped else ast.iter_child_nodes(node))


def _absolute(node: ast.ImportFrom, module: str, *, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    up = node.level - 1 if is_package else node.level
    return ".".join([*parts[: len(parts) - up], *([node.module] if node.module else [])])


def is_under(name: str, parent: str) -> bool:
    """Tell whether a dotted name is a module or lies below it.

    >>> is_under("udfs.domain.event", "udfs.domain"), is_under("udfs.domainx", "udfs.domain")
    (True, False)
    """
    return name == parent or name.startswith(f"{parent}.")
