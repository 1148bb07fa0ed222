"""Kernels compile wherever the code comes from, once, and without a thread."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from model_store import kernels as module
from model_store.compiled_scorer import warm_up

ROOT = Path(__file__).parents[3]
SCRIPT = """
import threading
import model_store.kernels as kernels
assert ".zip" in kernels.__file__, kernels.__file__
from model_store.compiled_scorer import warm_up
warm_up()
warm_up()
assert threading.active_count() == 1
print(kernels.kernels().exp_is_pythons)
"""


def test_a_swap_compiles_nothing(trees):
    warm_up()
    assert module.kernels() is module.kernels()
    misses = module.kernels.cache_info().misses
    module.kernels()
    assert module.kernels.cache_info().misses == misses


@pytest.mark.parametrize("cache_dir", ["usable", "a file is in its place"])
def test_code_from_a_zip_compiles_with_or_without_a_place_for_the_cache(tmp_path, cache_dir):
    with zipfile.ZipFile(tmp_path / "bundle.zip", "w") as bundle:
        for folder in ("model_store", "udfs"):
            for path in (ROOT / folder).rglob("*.py"):
                bundle.write(path, path.relative_to(ROOT))
    cache = tmp_path / "cache"
    cache.mkdir() if cache_dir == "usable" else cache.write_text("not a folder")
    environment = os.environ | {
        "PYTHONPATH": str(tmp_path / "bundle.zip"),
        "NUMBA_CACHE_DIR": str(cache),
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "True"


def test_a_copy_in_another_folder_finds_what_the_first_compiled(tmp_path):
    script = SCRIPT.replace('assert ".zip" in kernels.__file__, kernels.__file__\n', "")
    for folder in ("first", "second"):
        for package in ("model_store", "udfs"):
            shutil.copytree(ROOT / package, tmp_path / folder / package, ignore=shutil.ignore_patterns("__pycache__"))
        environment = os.environ | {
            "PYTHONPATH": str(tmp_path / folder),
            "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
            "NUMBA_CACHE_LOCATOR_CLASSES": "model_store.kernel_cache.KernelCache",
            "NUMBA_DEBUG_CACHE": "1",
        }
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        loaded, saved = done.stdout.count("data loaded from"), done.stdout.count("data saved to")
        assert (loaded, saved) == ((0, 5) if folder == "first" else (5, 0)), done.stdout


def test_a_damaged_cache_is_compiled_anew(monkeypatch):
    import numba

    calls = []

    def njit(signature, *, cache, **options):
        calls.append(cache)
        if cache:
            msg = "invalid load key"
            raise EOFError(msg)
        return numba.njit(signature, cache=False, **options)

    monkeypatch.setattr(module, "numba", type("numba", (), {"njit": staticmethod(njit)}))
    compiled = module._compile(module.source.exponential, "float64(float64)")
    assert (compiled(0.0), calls) == (1.0, [True, False])
