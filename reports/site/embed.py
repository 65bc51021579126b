"""The report's own files inside a page: figures and CSV files as data: URIs, Markdown as HTML."""

from __future__ import annotations

import base64
import html
import re
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from nlbench.reports.figures.drawn import Drawn

DPI, CSS_DPI = 160, 96  # figures are saved at DPI; CSS counts 96 pixels an inch
LARGEST = 400_000  # bytes of a file that a page still carries
TYPES = {".csv": "text/csv", ".tex": "text/plain", ".md": "text/markdown", ".png": "image/png"}
ELSEWHERE = frozenset({"index.md", "accuracy.md"})  # their content is on the page itself
_WEB = re.compile(r"https?://")


def data_uri(path: Path) -> str:
    """A file as a ``data:`` URI."""
    text = base64.b64encode(path.read_bytes()).decode("ascii")
    return f"data:{TYPES.get(path.suffix, 'application/octet-stream')};base64,{text}"


def figures(drawn: Sequence[Drawn], files: Iterable[Path]) -> list[dict[str, Any]]:
    """Every figure of the report in its order, then any other PNG file among its files."""
    captions = {file: each.caption for each in drawn for file in each.files}
    pictures = [file for each in drawn for file in each.files]
    pictures += [file for file in files if file not in captions]
    # Shown with the first table.
    first = next((png for each in drawn if each.block is not None for png in each.files[:1]), None)
    return [
        {
            "name": png.stem,
            "first": png is first,
            "caption": (caption := captions.get(png, png.stem)),
            "alt": re.split(r"[;:.](?:\s|$)", caption, maxsplit=1)[0],
            "src": data_uri(png),
            "width": round(width * CSS_DPI / DPI),
            "height": round(height * CSS_DPI / DPI),
        }
        for png in pictures
        if png.suffix == ".png"
        for width, height in [_size(png)]
    ]


def tables(files: Iterable[Path]) -> list[dict[str, Any]]:
    """Every Markdown file of the report as HTML, whatever its name; of a large one no content."""
    found = []
    for path in files:
        if path.suffix == ".md" and path.name not in ELSEWHERE:
            if path.stat().st_size > LARGEST:
                found.append({"name": path.stem, "title": path.stem, "html": None})
                continue
            title, body = markdown_html(path.read_text("utf-8"), path.stem)
            found.append({"name": path.stem, "title": title or path.stem, "html": body})
    return found


def downloads(files: Iterable[Path]) -> list[dict[str, Any]]:
    """The CSV and LaTeX files: carried by the page, or only named where they are large."""
    found = []
    for path in files:
        if path.suffix in (".csv", ".tex"):
            size = path.stat().st_size
            carried = data_uri(path) if size <= LARGEST else None
            found.append({"name": path.name, "bytes": size, "href": carried})
    return found


def markdown_html(text: str, name: str) -> tuple[str, str]:
    """Markdown as (title, HTML): raw HTML stays text, only links to the web stay links.

    Args:
        text: CommonMark with pipe tables.
        name: told to those who do not see the table's box.
    """
    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    reader.add_render_rule("table_open", _table_open(name))
    reader.add_render_rule("table_close", _table_close)
    tokens = reader.parse(text)
    title = ""
    if len(tokens) > 1 and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        title = "".join(t.content for t in tokens[1].children or [] if t.type.startswith("text"))
        tokens = tokens[3:]
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + 2, 6)}"
        if token.children:
            token.children = _without_local_links(token.children)
        if "style" in token.attrs:  # column alignment, which the page's policy would refuse
            right = "right" in str(token.attrs.pop("style"))
            token.attrs |= {"class": "num"} if right else {}
    return title, reader.renderer.render(tokens, reader.options, {})


def _without_local_links(children: list[Token]) -> list[Token]:
    """Files beside the report are not beside the page."""
    kept: list[Token] = []
    web: list[bool] = []
    for token in children:
        if token.type == "link_open":
            web.append(bool(_WEB.match(str(token.attrs.get("href", "")))))
        if token.type in ("link_open", "link_close"):
            keep = web[-1] if token.type == "link_open" else web.pop()
            if not keep:
                continue
        kept.append(token)
    return kept


def _table_open(name: str) -> Any:
    def rule(
        self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType
    ) -> str:
        del self, tokens, at, options, env
        label = html.escape(f"table of {name}")
        return f'<div class="scroll" role="region" tabindex="0" aria-label="{label}">\n<table>\n'

    return rule


def _table_close(
    self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType
) -> str:
    del self, tokens, at, options, env
    return "</table>\n</div>\n"


def _size(png: Path) -> tuple[int, int]:
    """Width and height in the header of a PNG file."""
    with png.open("rb") as file:
        width, height = struct.unpack(">II", file.read(24)[16:])
    return width, height
