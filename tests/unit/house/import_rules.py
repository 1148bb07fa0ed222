"""The rules of who may import what, as functions from sources to sentences: no sentence, no fault."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.unit.house.source_tree import PACKAGES, imports_of, is_under

# Lower knows nothing of higher. The longest matching prefix counts, so udfs.domain and udfs.operators differ from udfs.
LAYERS = {
    "sql": 0,
    "udfs": 0,
    "udfs.domain": 0,
    "model_store": 1,
    "udfs.operators": 2,
    "connectors": 3,
    "jobs": 4,
}
NOT_ON_TASK_MANAGERS = ("mlflow", "boto3", "botocore")
ONLY_IMPORTER_OF_MLFLOW = "model_store.registry"


def layer_of(module: str) -> int | None:
    """Return the layer of one of our modules, None of a foreign one."""
    prefixes = [prefix for prefix in LAYERS if is_under(module, prefix)]
    return LAYERS[max(prefixes, key=len)] if prefixes else None


def upward_imports(module: str, imports: Iterable[str]) -> list[str]:
    """Name the imports of a module that point to a higher layer."""
    own = layer_of(module)
    assert own is not None, f"{module} lies in no layer"
    return [f"{module} imports {name}" for name in sorted(imports) if (layer_of(name) or 0) > own]


def mlflow_imports(module: str, imports: Iterable[str]) -> list[str]:
    """Name the imports of MLflow outside the registry."""
    if module == ONLY_IMPORTER_OF_MLFLOW:
        return []
    return [f"{module} imports {name}" for name in sorted(imports) if is_under(name, "mlflow")]


def closure(starts: Iterable[str], modules: Mapping[str, Path]) -> dict[str, str]:
    """Follow imports from the given modules; return each name that is reached, ours or foreign, and who imports it.

    Importing ``a.b`` runs ``a/__init__.py`` too, so the packages above a module belong to it.
    """
    reached = {start: "a TaskManager" for start in starts}
    waiting = list(reached)
    while waiting:
        module = waiting.pop()
        found = set() if module not in modules else _runtime_imports(module, modules[module])
        for name in found | _packages_above(module):
            known = name in modules or name.split(".")[0] not in PACKAGES
            if known and name not in reached:
                reached[name] = module
                waiting.append(name)
    return reached


def _runtime_imports(module: str, path: Path) -> set[str]:
    return imports_of(path.read_text(), module, is_package=path.name == "__init__.py", typing_only=False)


def _packages_above(module: str) -> set[str]:
    parts = module.split(".")
    return {".".join(parts[:end]) for end in range(1, len(parts))} if parts[0] in PACKAGES else set()


def forbidden_on_task_managers(reached: Mapping[str, str], modules: Mapping[str, Path]) -> list[str]:
    """Name what TaskManagers would import and must not, each with the chain of modules that leads to it."""
    faults = []
    for name in sorted(reached):
        if name not in modules and any(is_under(name, library) for library in NOT_ON_TASK_MANAGERS):
            chain = [name]
            while chain[-1] in reached:
                chain.append(reached[chain[-1]])
            faults.append(" <- ".join(chain))
    return faults
