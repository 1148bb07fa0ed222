"""The only place that talks to a Maven repository, by jgo; which repository that is, jgo knows and not this project."""

from __future__ import annotations

import hashlib
import os
import ssl
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from udfs.domain.errors import StackError

__all__ = ["closure", "download", "sha256_of"]

_ATTEMPTS = 4
_TIMEOUT_S = 60


def _artifact(context: Any, coordinate: str) -> Any:  # noqa: ANN401
    group, name, version, *rest = coordinate.split(":")
    packaging = rest[0] if rest else "jar"
    classifier = rest[1] if len(rest) > 1 else ""
    return context.project(group, name).at_version(version).artifact(classifier=classifier, packaging=packaging)


def _trust_what_the_system_trusts() -> None:
    # requests brings a list of authorities of its own; behind a proxy only the system's list holds the proxy's.
    system = (ssl.get_default_verify_paths().cafile, "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/cert.pem")
    found = next((file for file in system if file and Path(file).exists()), None)
    if found and not {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"} & os.environ.keys():
        os.environ["REQUESTS_CA_BUNDLE"] = found


def sha256_of(path: Path) -> str:
    """Return the hexadecimal sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def download(coordinate: str, target: Path, sha256: str | None) -> None:
    """Fetch one file, without its dependencies, and put it in place whole or not at all.

    Parameters
    ----------
    coordinate
        ``group:artifact:version[:packaging[:classifier]]``.
    target
        Where the file ends up.
    sha256
        What it must be; None accepts what comes, for writing the lock.

    Raises
    ------
    StackError
        If it cannot be had after several attempts, or is not the file that was locked.
    """
    from jgo.maven import MavenContext

    _trust_what_the_system_trusts()
    target.parent.mkdir(parents=True, exist_ok=True)
    reason = ""
    for attempt in range(_ATTEMPTS):
        # jgo writes in place: a folder of one's own keeps half a file away from the cache and from another `weir up`.
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=target.parent) as folder:
            try:
                context = MavenContext(repo_cache=Path(folder), timeout=_TIMEOUT_S)
                file = Path(_artifact(context, coordinate).resolve())
                got = sha256_of(file)
            except Exception as error:  # jgo lets through what requests, http and its own checks raise
                reason = f"{type(error).__name__}: {str(error)[:200]}"
            else:
                if sha256 in (None, got):
                    file.replace(target)
                    return
                reason = f"its sha256 is {got} and jars.lock says {sha256}"
        time.sleep(0 if attempt == _ATTEMPTS - 1 else 0.5 * 2**attempt)
    msg = f"{coordinate} could not be downloaded: {reason}. Check the network and run the command again."
    raise StackError(msg)


def closure(coordinates: Iterable[str], cache: Path) -> list[str]:
    """Resolve coordinates with all they need at run time; for writing the lock only.

    One coordinate's dependency management is not applied to another ("raw"): log4j's would set Kafka's clients back.
    """
    from jgo.maven import MavenContext
    from jgo.parse import Coordinate

    context = MavenContext(repo_cache=cache, timeout=_TIMEOUT_S)
    wanted = []
    for text in coordinates:
        coordinate = Coordinate.parse(text)
        coordinate.raw = True
        wanted.append(context.create_dependency(coordinate))
    inputs, transitive = context.resolver.resolve(wanted)
    return sorted(f"{each.groupId}:{each.artifactId}:{each.version}" for each in inputs + transitive)
