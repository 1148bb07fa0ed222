"""What the API is compared with: a River model in a bare FastAPI route (``-m tests.bench.bare_river ARTIFACT PORT``)."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from model_store.rebuild import rebuild

__all__ = ["main"]


def main(artifact: str, port: str) -> None:
    model, app = rebuild(Path(artifact).read_bytes()), FastAPI()

    @app.post("/score")
    async def score(row: dict[str, float]) -> dict[str, float]:
        return {"score": model.score_one(row)}

    uvicorn.run(app, port=int(port), log_level="warning", access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
