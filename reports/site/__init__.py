"""The report as web pages: one self-contained HTML file per suite, and an index of them."""

from __future__ import annotations

from reports.site.labels import LabelSets
from reports.site.payload import Commands, payload
from reports.site.render import index_html, page_html
from reports.site.write import Page, write_pages

__all__ = [
    "Commands",
    "LabelSets",
    "Page",
    "index_html",
    "page_html",
    "payload",
    "write_pages",
]
