"""The picture of docs/architecture.md: folders as boxes, imports as arrows, read from the source.

``python -m tools.house`` draws docs/architecture.svg anew. A room is a folder of one of the
packages, a package that has none, or the files of nlbench/ itself; it is drawn above everything
that it imports. Each arrow has its two rooms as its id in the file.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "architecture.svg"
COLOURS = {
    "noise": "#d9ead3",
    "baselines": "#fce5cd",
    "benchmark": "#d6e4f5",
    "reports": "#ead9ee",
    "nlbench": "#eeeeee",
    "cli": "#eeeeee",
    "api": "#eeeeee",
}
WHOLE = ("noise", "baselines", "cli", "api")  # packages that are one room
NO_ROOM = ("__init__", "__main__", "outside")  # of nlbench/; outside.py is for all to import
WIDTH, HEIGHT, GAP, STEP = 2.3, 0.62, 0.35, 1.35


def modules() -> dict[str, Path]:
    """Every module of ours by its name below ``nlbench``."""
    folders = {name: ROOT / name for name in ("noise", "baselines", "benchmark", "reports")}
    folders |= {name: ROOT / "nlbench" / name for name in ("cli", "api")}
    files = sorted((ROOT / "nlbench").glob("*.py"))
    return {path.stem: path for path in files if path.stem not in NO_ROOM} | {
        ".".join((name, *path.relative_to(folder).with_suffix("").parts)): path
        for name, folder in folders.items()
        for path in sorted(folder.rglob("*.py"))
    }


def room(module: str) -> str | None:
    """``benchmark/store`` for ``benchmark.store.record``, ``noise`` for everything in noise.

    Loose files of benchmark and reports (errors, public names) belong to no room.
    """
    parts = module.removesuffix(".__init__").split(".")
    if (ROOT / "nlbench" / f"{parts[0]}.py").is_file() and parts[0] not in NO_ROOM:
        return "nlbench"
    if parts[0] in WHOLE:
        return parts[0]
    place = "/".join(parts[:2])
    return place if len(parts) > 1 and (ROOT / place).is_dir() else None


def imports() -> dict[str, set[str]]:
    """Room -> the rooms that it imports."""
    known = modules()
    found: dict[str, set[str]] = {place: set() for name in known if (place := room(name))}
    for name, path in known.items():
        mine = room(name)
        for target in _targets(ast.parse(path.read_text("utf-8"))) if mine else ():
            theirs = room(target.removeprefix("nlbench."))
            if mine and theirs in found and theirs != mine:
                found[mine].add(theirs)
    return found


def _targets(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nlbench"):
            for alias in node.names:
                yield f"{node.module}.{alias.name}"
                yield str(node.module)


def levels(graph: Mapping[str, set[str]]) -> dict[str, int]:
    """Room -> how many rooms are below it on the longest path."""
    found: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():
        found[name] = 1 + max((found[below] for below in graph.get(name, ())), default=-1)
    return found


def direct(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The graph without arrows that a longer way replaces: what is left can be read."""
    below: dict[str, set[str]] = {}
    for name in TopologicalSorter(graph).static_order():
        below[name] = set().union(*({t} | below[t] for t in graph.get(name, ())), set())
    return {
        name: {t for t in targets if not any(t in below[other] for other in targets - {t})}
        for name, targets in graph.items()
    }


def draw(graph: Mapping[str, set[str]]) -> Figure:
    """Boxes on their levels, arrows down."""
    height = levels(graph)
    rows: dict[int, list[str]] = defaultdict(list)
    for name in sorted(graph, key=lambda n: (list(COLOURS).index(n.split("/")[0]), n)):
        rows[height[name]].append(name)
    widest = max(map(len, rows.values())) * (WIDTH + GAP)
    place = {}
    for level, names in rows.items():
        left = (widest - len(names) * (WIDTH + GAP)) / 2
        for number, name in enumerate(names):
            place[name] = (left + number * (WIDTH + GAP), level * STEP)
    figure = Figure(figsize=(widest * 0.8, (max(rows) + 1) * STEP * 0.8))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(-GAP, widest)
    axes.set_ylim(-GAP, max(rows) * STEP + HEIGHT + GAP)
    axes.set_axis_off()
    for name, targets in direct(graph).items():
        for target in sorted(targets):
            x, y = place[name]
            to_x, to_y = place[target]
            start, end = (x + WIDTH / 2, y), (to_x + WIDTH / 2, to_y + HEIGHT)
            arrow = FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=9, color="#777777")
            arrow.set_gid(f"{name} to {target}")
            axes.add_patch(arrow)
    for name, (x, y) in place.items():
        colour = COLOURS[name.split("/")[0]]
        box = FancyBboxPatch((x, y), WIDTH, HEIGHT, "round,pad=0.02", fc=colour, ec="#555555")
        axes.add_patch(box)
        axes.text(x + WIDTH / 2, y + HEIGHT / 2, name, ha="center", va="center", fontsize=9)
    return figure


def main() -> None:
    """Draw the picture."""
    with mpl.rc_context({"svg.hashsalt": "nlbench", "svg.fonttype": "none"}):
        draw(imports()).savefig(PICTURE, metadata={"Date": None})


if __name__ == "__main__":
    main()
