"""Files stay short, functions shorter, and each module says what it is and what it offers."""

from __future__ import annotations

import ast

import pytest

from tests.unit.house.source_tree import ROOT, shipped_modules, tracked_files

LONGEST_FILE = 300
LONGEST_FUNCTION = 60  # lines of code: without docstring, comments and blank lines; forty is the aim
PYTHON_FILES = [str(path.relative_to(ROOT)) for path in tracked_files() if path.suffix == ".py"]
MODULES = shipped_modules()


def long_functions(source: str, limit: int = LONGEST_FUNCTION) -> list[str]:
    """Name the functions with more lines of code than the limit."""
    lines = source.splitlines()
    faults = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            start = node.body[1].lineno if ast.get_docstring(node) and len(node.body) > 1 else node.body[0].lineno
            length = sum(_is_code(line) for line in lines[start - 1 : node.end_lineno])
            if length > limit:
                faults.append(f"{node.name} has {length} lines")
    return faults


def _is_code(line: str) -> bool:
    return bool(line.strip()) and not line.strip().startswith("#")


def undescribed(source: str) -> list[str]:
    """Tell what a module lacks of: a docstring, and, if it holds anything, ``__all__`` naming only what is there."""
    tree = ast.parse(source)
    faults = [] if ast.get_docstring(tree) else ["no docstring"]
    exported = [value for node in tree.body if (value := _value_of_all(node)) is not None]
    if not exported:
        return [*faults, "no __all__"] if len(tree.body) > 1 else faults
    missing = set(ast.literal_eval(exported[0])) - _names(tree)
    return faults + [f"__all__ names {name}, which is not there" for name in sorted(missing)]


def _value_of_all(node: ast.stmt) -> ast.expr | None:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    is_all = any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets)
    return getattr(node, "value", None) if is_all else None


def _names(tree: ast.Module) -> set[str]:
    """Return what a module binds at its top, inside ``if`` and ``try`` too."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


@pytest.mark.parametrize("path", PYTHON_FILES)
def test_a_file_is_short_and_so_are_its_functions(path):
    source = (ROOT / path).read_text()
    assert len(source.splitlines()) <= LONGEST_FILE
    assert long_functions(source) == []


@pytest.mark.parametrize("module", MODULES)
def test_a_module_says_what_it_is_and_what_it_offers(module):
    assert undescribed(MODULES[module].read_text()) == []


def test_a_long_function_is_found_and_its_docstring_does_not_count():
    body = "    x = 1\n" * 5
    assert long_functions(f"def f():\n{body}", limit=4) == ["f has 5 lines"]
    assert long_functions(f'def f():\n    """A.\n\n    B.\n    """\n{body}', limit=5) == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("__all__ = []", "no docstring"),
        ('"""A."""\nimport os', "no __all__"),
        ('"""A."""\n__all__: list[str] = ["b"]', "__all__ names b, which is not there"),
        ('"""A."""\n__all__ = ["b"]', "__all__ names b, which is not there"),
    ],
)
def test_a_module_that_does_not_describe_itself_is_found(source, fault):
    assert undescribed(source) == [fault]
