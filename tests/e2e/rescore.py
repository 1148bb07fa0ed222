"""Makes scores again in a process that shares nothing with the job: ``python rescore.py DSN < INFERENCES``.

Reads inferences as JSON lines and the artifacts from PostgreSQL, rebuilds River's own objects, scores the recorded
features with them, and prints what it found. It imports none of our code but :func:`model_store.rebuild.rebuild` and
what that needs; the compiled scorer is not there.
"""

from __future__ import annotations

import json
import struct
import sys
from collections import Counter
from hashlib import sha256

import psycopg

from model_store.rebuild import rebuild

ARTIFACT = "SELECT bytes FROM weir.model_artifact WHERE digest = %s ORDER BY part"


def bits(number: float) -> bytes:
    return struct.pack("<d", number)


def main(dsn: str) -> None:
    models, compared, differing = {}, Counter(), []
    with psycopg.connect(dsn) as connection:
        for line in sys.stdin:
            inference = json.loads(line)
            digest = inference["digest"]
            if digest not in models:
                data = b"".join(row[0] for row in connection.execute(ARTIFACT, (digest,)))
                assert sha256(data).hexdigest() == digest
                models[digest] = rebuild(data)
            score = models[digest].score_one(inference["features"])
            compared[inference["version"]] += 1
            if bits(score) != bits(inference["score"]):
                differing.append([inference["transaction_id"], inference["score"], score])
    ours = [name for name in sys.modules if name.partition(".")[0] in ("jobs", "connectors", "udfs", "model_store")]
    print(json.dumps({"compared": compared, "differing": differing, "ours": ours, "numba": "numba" in sys.modules}))


if __name__ == "__main__":
    main(sys.argv[1])
