"""Models as data: the artifact format, export and load, the compiled scorer, the gate's judgement, the registry.

A River model becomes bytes by :func:`model_store.export.export_artifact`, :func:`model_store.admission.admit` judges
them, :func:`model_store.compiled_scorer.load_scorer` scores with them, and :func:`model_store.rebuild.rebuild` makes
the River object again. Nothing is re-exported here: importing the package must not load numba or MLflow.
"""

from __future__ import annotations

__all__: list[str] = []
