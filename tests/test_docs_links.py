"""Every relative link of the README and the documents leads somewhere, anchors too."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools import docs_hooks

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]


def _anchors(text: str) -> set[str]:
    """Of the headings of a page, as GitHub and Python-Markdown both make them."""
    outside = re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.DOTALL | re.MULTILINE)
    titles = re.findall(r"^#+ +(.*)$", outside, re.MULTILINE)
    return {re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", t).strip().lower()) for t in titles}


def _dead(page: Path) -> list[str]:
    """The links of a page that lead nowhere."""
    dead = []
    for target, anchor in docs_hooks.links(page.read_text("utf-8")):
        file = page.parent / target if target else page
        if not file.exists():
            dead.append(target)
        elif anchor and anchor[1:] not in _anchors(file.read_text("utf-8")):
            dead.append(target + anchor)
    return dead


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    assert _dead(page) == []


def test_dead_links_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A title\n[a](none.md) [b](#a-title) [c](#no) [d](https://x.org)\n```\n[e](no)\n```\n"
    )
    assert _dead(page) == ["none.md", "#no"]


def test_every_document_is_in_the_navigation() -> None:
    named = set(
        re.findall(r"(\w[\w-]*\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE)
    )
    assert named == {page.name for page in PAGES if page.name != "README.md"} | {"index.md"}


def test_the_site_takes_in_what_pages_link_to_and_what_that_links_to() -> None:
    taken = docs_hooks.taken_in()
    assert taken["index.md"] == ROOT / "README.md"
    assert "examples/tour.ipynb" in taken  # linked to by python.md
    assert "results/published/fashion/leaderboard.csv" in taken  # by a report that the README names
    assert not any(place.startswith(("docs/", "..")) for place in taken)


def test_links_are_rewritten_for_the_site() -> None:
    text = "[m](docs/methods.md#a) [w](https://x.org) [r](results/published/fashion/index.md)\n"
    assert docs_hooks.rewritten(text, ROOT / "README.md") == text.replace("docs/", "")
    assert (
        docs_hooks.rewritten("[t](../README.md)\n", ROOT / "docs" / "faq.md") == "[t](index.md)\n"
    )
    report = ROOT / "results" / "published" / "fashion" / "index.md"
    assert docs_hooks.rewritten("[f](accuracy.md)", report) == "[f](accuracy.md)"
    assert docs_hooks.rewritten("```\n[m](docs/methods.md)\n```\n", ROOT / "README.md").count(
        "docs/"
    )


def test_every_page_says_which_version_it_describes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    version, title = docs_hooks.described()
    assert version == project["version"]
    # Either still open or with the day of the release.
    assert re.fullmatch(rf"{re.escape(version)}, (not released yet|20\d\d-\d\d-\d\d)", title)
    config = docs_hooks.on_config(SimpleNamespace())
    assert config.site_name == f"nlbench {version}"
    assert title in config.copyright


def test_the_site_asks_for_no_fonts_and_its_tools_have_reasons() -> None:
    assert "font: false" in (ROOT / "mkdocs.yml").read_text("utf-8")
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    (block,) = re.findall(r"^docs = \[\n(.*?)^\]", text, re.DOTALL | re.MULTILINE)
    wanted = tomllib.loads(text)["project"]["optional-dependencies"]["docs"]
    assert len(re.findall(r'^  "[^"]+", +# \w', block, re.MULTILINE)) == len(wanted)
