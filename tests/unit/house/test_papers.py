"""Papers lead somewhere: every link to a file of the repository is followed, and the README stays one page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.house.source_tree import ROOT

PAPERS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]+)(?:#[^)]*)?\)")
README_LINES = 150


def broken(paper: Path, text: str) -> list[str]:
    links = [target for target in LINK.findall(text) if "://" not in target]
    return [target for target in links if not (paper.parent / target).exists()]


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: str(paper.relative_to(ROOT)))
def test_every_link_to_a_file_is_followed(paper):
    assert broken(paper, paper.read_text(encoding="utf-8")) == []


def test_a_broken_link_is_found():
    assert broken(ROOT / "README.md", "[a](nowhere.md) and [b](https://river) and [c](LICENSE)") == ["nowhere.md"]


def test_every_paper_is_reached_from_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    reached = {(ROOT / target).resolve() for target in LINK.findall(readme) if "://" not in target}
    assert [
        str(paper.relative_to(ROOT)) for paper in PAPERS if paper.name != "README.md" and paper not in reached
    ] == []


def test_the_readme_is_one_page():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= README_LINES
