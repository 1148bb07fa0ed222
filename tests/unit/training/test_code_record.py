from __future__ import annotations

import subprocess
from pathlib import Path

from jobs.code_record import code_record


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false")
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_clean_commit_a_changed_file_and_no_repository(tmp_path: Path) -> None:
    assert code_record(tmp_path) == {"commit": "unknown", "dirty": True}
    git(tmp_path, "init", "-q")
    assert code_record(tmp_path) == {"commit": "unknown", "dirty": True}
    (tmp_path / "file").write_text("a")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-qm", "one")
    assert code_record(tmp_path) == {"commit": git(tmp_path, "rev-parse", "HEAD"), "dirty": False}
    (tmp_path / "file").write_text("b")
    assert code_record(tmp_path)["dirty"] is True
