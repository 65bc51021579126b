"""The toy's numbers as files: runs.csv, epochs.csv, toy.json, and index.md with what is seen."""

from __future__ import annotations

import csv
import io
import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from tabulate import tabulate

from nlbench.benchmark.machine.environment import version
from nlbench.benchmark.store import names
from nlbench.benchmark.toy.measure import Value, bayes_accuracy, provenance
from nlbench.benchmark.toy.train import HIDDEN, TEST_PER_CLASS, Drawn, Setting, Trained
from nlbench.noise import whole
from nlbench.reports.render.files import harmless_cell
from nlbench.reports.stats.interval import mean_interval
from nlbench.reports.stats.paired import paired_t

LIBRARIES = ("torch", "numpy", "scikit-learn", "matplotlib", "pillow")
Row = dict[str, Value]


@dataclass(frozen=True)
class Result:
    """One method: its text on the command line, its title, its networks and their numbers.

    Attributes:
        text: as in ``--methods``.
        title: as in the figure.
        trained: the networks of all seeds.
        runs: numbers of each seed at the last epoch (``toy_measure.measure``).
        curve: numbers of the first seed at each recorded epoch.
    """

    text: str
    title: str
    trained: Trained
    runs: tuple[Row, ...]
    curve: tuple[Row, ...]

    def column(self, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """(seeds,) values of one number; empty where it does not exist."""
        values = [row[name] for row in self.runs]
        return np.array([v for v in values if v is not None], dtype=np.float64)


def note(result: Result, frame: int, seeds: int) -> str:
    """Text below a panel: accuracy, and where the drainage mass is."""
    row = result.curve[frame]
    lines = [f"test accuracy {_percent(row['test_accuracy'])}"]
    if seeds > 1:
        found = mean_interval(100 * result.column("test_accuracy"))
        lines[0] += f"  ({seeds} seeds: {found.mean:.1f} ± {found.sd:.1f})"
    clean, flipped = row[names.MEAN_CLEAN], row[names.MEAN_FLIPPED]
    if clean is not None:
        text = f"mean p_d: clean points {clean:.2f}"
        lines.append(text if flipped is None else f"{text}, flipped {flipped:.2f}")
    return "\n".join(lines)


def write(
    setting: Setting,
    drawn: Sequence[Drawn],
    results: Sequence[Result],
    command: str,
    folder: Path,
    still: bool,
) -> str:
    """Write all files but the pictures; the table comes back, for the terminal."""
    _csv(
        folder / "runs.csv",
        [
            {"method": r.text, "seed": seed, **row}
            for r in results
            for seed, row in zip(setting.seeds, r.runs, strict=True)
        ],
    )
    _csv(
        folder / "epochs.csv",
        [
            {"method": r.text, "seed": setting.seeds[0], "epoch": epoch, **row}
            for r in results
            for epoch, row in zip(r.trained.epochs, r.curve, strict=True)
        ],
    )
    facts = _facts(setting, drawn, results, command)
    text = json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False)
    whole.write_text(folder / "toy.json", text + "\n")
    table = _table(results)
    page = _page(facts, caption(setting, drawn, results), table, still)
    whole.write_text(folder / "index.md", page)
    return table


def caption(setting: Setting, drawn: Sequence[Drawn], results: Sequence[Result]) -> str:
    """What is drawn and what is seen, in words, whoever comes out ahead."""
    first, n = drawn[0], len(setting.seeds)
    best = 100 * float(np.mean([bayes_accuracy(setting, d) for d in drawn]))
    flips = ", ".join(
        f"{count} of {i} to {j}"
        for i, row in enumerate(first.labels.transition_counts.tolist())
        for j, count in enumerate(row)
        if i != j and count
    )
    lines = [
        f"{len(first.points)} training points, {setting.geometry.summary};"
        f" labels {first.labels.spec} (flipped: {flips or 'none'}).",
        f"Networks of seed {setting.seeds[0]} after {setting.epochs} epochs.",
        "Colour and shape: the label that the networks were given; black rim: that label is wrong."
        " Solid line: border of the network's classes; dashed: the best possible one. Hatched: p_d,"
        " the drainage output's probability, is above that of every class; the class drawn below"
        " the hatching is the closed-set prediction, which leaves the drainage output out.",
        f"Over {n} seed{'s' if n > 1 else ''}, accuracy on clean test points (%; best possible"
        f" {best:.1f}): {'; '.join(f'{r.title}: {_spread(r)}' for r in results)}.",
        *_comparisons(results),
        *(_drainage(r) for r in results if len(r.column(names.MEAN_CLEAN))),
    ]
    return " ".join(lines)


def _comparisons(results: Sequence[Result]) -> list[str]:
    """Each method against the first: what so many seeds decide and what not."""
    base, *others = results
    lines = []
    for other in others:
        test = paired_t(100 * other.column("test_accuracy"), 100 * base.column("test_accuracy"))
        if test.estimate is None or test.low is None or test.high is None:
            continue
        word = "above" if test.low > 0 else "below" if test.high < 0 else "not told apart from"
        lines.append(
            f"{other.title} is {word} {base.title}: {_signed(test.estimate)} points"
            f" [{_signed(test.low)}, {_signed(test.high)}]"
        )
    ending = " (paired 95 % Student intervals, not corrected for their number)."
    return ["; ".join(lines) + ending] if lines else []


def _drainage(result: Result) -> str:
    """Where the drainage output wins, and how well it finds flipped labels."""
    parts = [f"{result.title}: drained are {_share(result, 'drained_clean')} of the clean"]
    if len(result.column(names.SHARE_FLIPPED)):
        mass, loss = (_mean(result, key) for key in (names.TOY_AUROC, "auroc_loss"))
        parts.append(
            f" and {_share(result, 'drained_flipped')} of the flipped training points; as a"
            f" detector of flipped labels p_d has AUROC {mass}, the same network's loss {loss}"
        )
    else:
        parts.append(" training points")
    return "".join(parts) + " (means over seeds)."


def _table(results: Sequence[Result]) -> str:
    heads = ["method", "test accuracy", "memorised", "drained: clean", "flipped"]
    heads += ["mean p_d: clean", "flipped", "AUROC p_d", "AUROC loss"]
    rows = []
    for r in results:
        shares = [
            _share(r, key) for key in ("flipped_fit_given", names.SHARE_CLEAN, names.SHARE_FLIPPED)
        ]
        keys = (names.MEAN_CLEAN, names.MEAN_FLIPPED, names.TOY_AUROC, "auroc_loss")
        rows.append([r.title, _spread(r), *shares, *(_mean(r, key) for key in keys)])
    return tabulate(rows, headers=heads, tablefmt="pipe", disable_numparse=True)


def _page(facts: dict[str, Any], words: str, table: str, still: bool) -> str:
    moving = [] if still else ["![the same over the epochs](toy.gif)", ""]
    names = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    lines = [
        "# The toy: what each method makes of flipped labels in the plane",
        "",
        "[![decision regions of each method](toy.png)](toy.pdf)",
        "",
        f"*{words}*",
        "",
        *moving,
        table,
        "",
        "Test accuracy in %: mean ± standard deviation over seeds; the others are means. Memorised:"
        " flipped training points that are predicted as their wrong label. AUROC: how well p_d, or"
        " the loss, tells flipped from clean training points (0.5 is chance). p_d is computed from"
        " the point alone, the loss from the point and its label.",
        "",
        f"Made by `{facts['command']}`; every seed is in `runs.csv`, the drawn one over the epochs"
        f" in `epochs.csv`. All methods: {facts['network']}; the same points, labels, first weights"
        f" and batches (fingerprints in `toy.json`). {names}.",
    ]
    return "\n".join(lines) + "\n"


def _facts(
    setting: Setting, drawn: Sequence[Drawn], results: Sequence[Result], command: str
) -> dict[str, Any]:
    recipe = setting.recipe
    return {
        "schema": 1,
        "command": command,
        "data": {
            "name": setting.data,
            "train": len(drawn[0].points),
            "test": len(drawn[0].test_points),
            "test_per_class": TEST_PER_CLASS,
            "bayes_accuracy": [bayes_accuracy(setting, d) for d in drawn],
        },
        "noise": {
            "spec": str(drawn[0].labels.spec),
            "realised": [d.labels.realised_rate for d in drawn],
            "transition": drawn[0].labels.transition_counts.tolist(),
        },
        "network": f"a perceptron with two hidden layers of {HIDDEN} ReLU units, {setting.epochs}"
        f" epochs of SGD (momentum {recipe.momentum}, batches of {recipe.batch_size}, rate"
        f" {recipe.lr} with cosine decay)",
        "recipe": recipe.to_dict(),
        "seeds": list(setting.seeds),
        "pairing": provenance(results[0].trained, drawn),
        "methods": [
            {
                "method": r.text,
                "title": r.title,
                "name": r.trained.method.name,
                "params": r.trained.method.params(),
                "numbers": {key: _summary(r, key) for key in r.runs[0]},
            }
            for r in results
        ],
        "versions": {
            "nlbench": version(),
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in LIBRARIES},
        },
    }


def _summary(result: Result, key: str) -> dict[str, Value] | None:
    values = result.column(key)
    if not len(values):
        return None
    found = mean_interval(values)
    return {"mean": _round(found.mean), "sd": _round(found.sd)}


def _csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {k: _round(v) if isinstance(v, float) else harmless_cell(v) for k, v in row.items()}
        for row in rows
    )
    whole.write_text(path, text.getvalue())


def _round(value: Value) -> Value:
    return None if value is None else round(value, 6)


def _spread(result: Result) -> str:
    found = mean_interval(100 * result.column("test_accuracy"))
    return f"{found.mean:.1f}" + ("" if found.sd is None else f" ± {found.sd:.1f}")


def _share(result: Result, key: str) -> str:
    values = result.column(key)
    return _percent(float(values.mean())) if len(values) else "–"


def _mean(result: Result, key: str) -> str:
    values = result.column(key)
    return f"{values.mean():.2f}" if len(values) else "–"


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−")


def _percent(value: Value) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"
