"""Payload to HTML: templates, style and script are files of this package, inlined into the page."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def page_html(payload: Mapping[str, Any]) -> str:
    """The page of one suite, self-contained."""
    return _render("suite.html.j2", {"suite": payload})


def index_html(
    suites: Sequence[Mapping[str, Any]], methods: Sequence[Mapping[str, Any]] = ()
) -> str:
    """The index: one entry per page, each a payload with its ``file``; the first is the headline.

    Args:
        suites: the payloads.
        methods: what the pages of methods show.
    """
    topics: dict[str, list[tuple[Mapping[str, Any], list[Any]]]] = {}
    for suite in suites:
        for topic in dict.fromkeys(found["topic"] for found in suite["highlights"]):
            shown = [found for found in suite["highlights"] if found["topic"] == topic]
            topics.setdefault(topic, []).append((suite, shown))
    values = {"suites": suites, "methods": methods, "topics": list(topics.items())}
    return _render("index.html.j2", values)


def method_html(method: Mapping[str, Any]) -> str:
    """The page of one method over all studies."""
    return _render("method.html.j2", {"method": method})


def origins_html(leaderboard: Mapping[str, Any]) -> str:
    """The page of a leaderboard of several origins, see site/origins.py."""
    return _render("origins.html.j2", leaderboard)


def _render(name: str, values: Mapping[str, Any]) -> str:
    style, script = _static("page.css"), _static("page.js")
    policy = {
        "default-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "img-src": "data:",
        "style-src": _digest(style),
        "script-src": _digest(script),
    }
    return (
        _environment()
        .get_template(name)
        .render(
            **values,
            style=style,
            script=script,
            policy="; ".join(f"{key} {value}" for key, value in policy.items()),
        )
    )


def _static(name: str) -> str:
    folder = resources.files("nlbench.reports.site") / "static"
    return "\n" + (folder / name).read_text("utf-8")


def _digest(text: str) -> str:
    """The hash under which a content security policy lets this one element through."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("nlbench.reports.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["thousands"] = lambda value: f"{value:,}"
    return environment
