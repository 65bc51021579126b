"""The report as web pages: one self-contained HTML file per suite, and an index of them."""

from __future__ import annotations

from nlbench.reports.site.labels import LabelSets
from nlbench.reports.site.payload import Commands, payload
from nlbench.reports.site.render import index_html, page_html
from nlbench.reports.site.write import Page, write_pages

__all__ = [
    "Commands",
    "LabelSets",
    "Page",
    "index_html",
    "page_html",
    "payload",
    "write_pages",
]
