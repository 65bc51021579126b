"""Broken input, drawn from a seed: suites, noise lines, label files, command lines."""

from __future__ import annotations

import datetime
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from importlib import resources
from typing import Any

import numpy as np

Rng = np.random.Generator

NUMBERS = (
    0, -1, 1, 2, 3, 10**9, 10**12, 10**30, -(10**20), 2**63, 0.5, -0.5, 1e-300, 1e308, -0.0,
    float("inf"), float("-inf"), float("nan"),
)  # fmt: skip
TEXTS = (
    "", " ", "x", "\0", "\n", "a\nb", "é", "\u202e", "../nowhere", "/", "~", "os:system",
    "nlbench.baselines:Method", "a:b:c", "%", "%s", "{}", "symmetric:0.4", "symmetric:1e999",
    "symmetric:nan", "ce", "digits", "npz:", "npz:../x", "folder:/", "classes:4", "classes:0",
    "classes:99999999999999999999", "classes:4:split=\u0663", "foreign:", "foreign:images:/",
    "foreign:images:", "=1+1", "mlp", "x" * 10_000, "1", "-1", "1e9", "true", "None",
)  # fmt: skip
OTHERS: tuple[Any, ...] = (
    True, False, [], {}, [[]], [{}], [0], [""], ["ce", "ce"], [None], {"name": 1}, {"name": "ce"},
    {"": 0}, [1, "a"], [1.5], [-1], [10**9], [True], {"a": {"b": {"c": [1]}}},
    datetime.datetime(2026, 1, 1), datetime.date(2026, 1, 1), datetime.time(1, 2),
    list(range(500)), [["ce"]], [float("nan")], {"alpha": [0.1, float("inf")]},
)  # fmt: skip
# Words of noise lines that come first are kinds.
KINDS = 13
KEYS = (
    "epochs", "name", "seeds", "noise", "methods", "recipe", "dataset", "unknown", "holdout",
    "milestones", "betas", "optimizer", "sam_rho", "eval_every", "precision", "schedule", "augment",
    "budget", "rule", "metrics", "test", "report", "tune", "parts", "profile", "model", "baseline",
    "title", "size", "train_per_class", "lr", "alpha", "q", "", "\0", "ä", "a.b", "hypothesis",
)  # fmt: skip


def suites(rng: Rng) -> Iterator[bytes]:
    """TOML files without end: suites of ours with some values, some keys or some bytes changed."""
    folder = resources.files("nlbench.benchmark.suites")
    texts = [p.read_text("utf-8") for p in sorted(folder.iterdir(), key=str) if _is_toml(p.name)]
    while True:
        text = texts[rng.integers(len(texts))]
        kind = rng.integers(10)
        if kind < 7:
            values = tomllib.loads(text)
            for _ in range(1 + rng.integers(3)):
                change(values, rng)
            yield toml(values).encode("utf-8", "surrogatepass")
        elif kind < 9:
            yield broken(text.encode(), rng)
        else:
            yield deep(rng)


def change(values: dict[str, Any], rng: Rng) -> None:
    """Change one value anywhere in a nest of tables and lists, or a key, in place."""
    places = list(_places(values))
    holder, key = places[rng.integers(len(places))]
    kind = rng.integers(8)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, dict):
        holder[KEYS[rng.integers(len(KEYS))]] = value(rng)
    elif kind == 2 and isinstance(holder, dict):
        other = KEYS[rng.integers(len(KEYS))]
        holder[other] = deepcopy(holder.pop(key))
    elif kind == 3:
        holder[key] = [deepcopy(holder[key])]
    elif kind == 4:
        other_holder, other_key = places[rng.integers(len(places))]
        holder[key] = deepcopy(other_holder[other_key])
    else:
        holder[key] = value(rng)


def value(rng: Rng) -> Any:
    """A value of some type that hardly any key has."""
    kinds: tuple[Sequence[Any], ...] = (NUMBERS, TEXTS, OTHERS)
    of = kinds[rng.integers(3)]
    return deepcopy(of[int(rng.integers(len(of)))])


def broken(content: bytes, rng: Rng) -> bytes:
    """Bytes with some of them flipped, cut out, doubled, or what no text has put in."""
    for _ in range(1 + rng.integers(4)):
        at, to = sorted(int(n) for n in rng.integers(0, len(content) + 1, 2))
        kind = rng.integers(6)
        if kind == 0:
            content = content[:at]
        elif kind == 1:
            content = content[:at] + content[to:]
        elif kind == 2:
            content = content[:to] + content[at:to] + content[to:]
        elif kind == 3:
            extra = (
                b"\xff",
                b"\0",
                b"\xed\xa0\x80",
                b"\xef\xbb\xbf",
                b"\r",
                b"\x1b[2J",
                b"9" * 5000,
            )
            content = content[:at] + extra[rng.integers(len(extra))] + content[at:]
        elif at < len(content):
            content = content[:at] + bytes([rng.integers(256)]) + content[at + 1 :]
        if not content:
            break
    return content


def deep(rng: Rng) -> bytes:
    """Nests without end, numbers of thousands of digits, tables of thousands of keys."""
    n = int((10, 200, 5000, 100_000)[rng.integers(4)])
    forms = (
        f"a = {'[' * n}",
        f"a = {'[' * n}{']' * n}",
        f"a = {'{a = ' * n}1{'}' * n}",
        f"{'a.' * n}a = 1",
        f"[{'a.' * n}a]",
        f"seeds = {'9' * n}",
        "".join(f"k{i} = {i}\n" for i in range(n)),
        f"title = '{'x' * n}'",
        "\n[[parts]]" * min(n, 5000),
        f"seeds = 1e{'9' * min(n, 300)}",
    )
    return forms[rng.integers(len(forms))].encode()


def noise_lines(rng: Rng) -> Iterator[str]:
    """Noise lines without end, most of them wrong; the first KINDS words are kinds of noise."""
    words = (
        "symmetric", "asymmetric", "pair", "instance", "pmd", "clean", "given", "human", "file",
        "confidence", "openset", "transition", "mixture", "", " ", "Symmetric", "symétrique", "\0",
        "0.4", "0", "1", "-0.1", "1e400", "nan", "inf", "0.45", ".5", "0x1p-1", "１", "1_0",
        "map=block5", "map=", "scale=unit", "from=mnist", "from=x", "type=1", "a=b=c", "=", "%",
        "%zz", "%00", "%2F", "/etc/passwd", "../x", "map=/dev/zero", "path=/", "+", "++", ":", "::",
        "rand1", "worst", "aggre", "noisy_fine", "x" * 5000, "map=x\ny", "pool=9", "from=x:pool=1",
        "pool=99999999999", "base=1", "column=a", "check=none", "count=bernoulli",
        "legacy=truncated", "majority=allow", "path=.", "0.999999", "1e-320", "rate=0.4",
        "set=worst", "bias=legacy",
    )  # fmt: skip
    while True:
        parts = []
        for _ in range(1 + rng.integers(3) * rng.integers(2)):
            first = words[int(rng.integers(KINDS if rng.integers(4) else len(words)))]
            rest = [words[int(n)] for n in rng.integers(KINDS, len(words), rng.integers(4))]
            parts.append(":".join([first, *rest]))
        yield "+".join(parts)


# Names that lead out of the folder an attack works in are not among these: some are written to.
WORDS = (
    "quick", "tiny.toml", "nosuch", "nosuch.toml", "", " ", "-", "--", "empty", "tiny.toml/x",
    "results", "results/runs", "/dev/null", "/dev/full", "/proc/none/x", "a\0b", "é", "x" * 300,
    "0", "1", "-1", "nan", "inf", "1e9", "0-4", "4-0", "0-99999999999", "9" * 5000, "auto", "cpu",
    "cuda", "cuda:99", "cuda:-1", "loky", "serial", "dask", "stack", "graph", "loop", "last",
    "noisy_val", "clean_val", "oracle", "leaderboard", "tables", "figures", "ce", "gce,ce",
    "drainage:alpha=0.1", "ce:x=1", "ce(x=", "os:system", "a:b", "clean", "symmetric:0.4",
    "symmetric:9", "digits", "mnist", "npz:x.npz", "folder:empty", "methods", "suites", "noise",
    "merge", "import", "export", "make", "audit", "a.csv", "a.npz", "a.tar.gz", "out", "\udce9",
)  # fmt: skip
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "run": (
        "--profile", "--methods", "--noise", "--seeds", "--device", "--gpus", "--workers",
        "--threads", "--executor", "--loaders", "--backend", "--slots", "--minutes", "--checkpoint",
        "--retry", "--force", "--keep-old", "--mode", "--compile", "--no-download", "--data",
    ),
    "status": ("--profile", "--methods", "--noise", "--seeds"),
    "report": ("--rule", "--only", "--reread", "--out", "--methods", "--seeds", "--noise"),
    "tune": ("--out",),
    "store": ("--profile", "--methods", "--noise", "--seeds", "--bound"),
    "leaderboard": ("--out",),
    "compare": ("--baseline", "--difference", "--unit", "--classes", "--common", "--out", "--only"),
    "site": ("--own", "--rule", "--out"),
    "noise": ("--dataset", "--seed", "--out", "--train-per-class", "--json"),
    "list": ("--markdown",),
    "publish": (),
    "nosuch": (),
}  # fmt: skip


def command_lines(rng: Rng) -> Iterator[list[str]]:
    """Words of command lines without end; nothing is trained by any of them."""
    names = list(COMMANDS)
    while True:
        name = names[int(rng.integers(len(names)))]
        words = [name]
        options = ("--results", "--help", "--nosuch", *COMMANDS[name])
        words += [WORDS[int(n)] for n in rng.integers(0, len(WORDS), 1 + rng.integers(3))]
        for _ in range(rng.integers(4)):
            words.append(options[int(rng.integers(len(options)))])
            if rng.integers(4):
                words.append(WORDS[int(rng.integers(len(WORDS)))])
        if name == "run":
            words.append("--dry-run")
        if name in ("report", "compare", "site", "publish"):
            words += ["--workers", "1"]
        yield words


def toml(values: Mapping[str, Any]) -> str:
    """TOML text of plain values: scalars first, then tables inline."""
    return "".join(f"{_text(key)} = {_toml(val)}\n" for key, val in values.items())


def _toml(val: Any) -> str:
    if isinstance(val, dict):
        return "{" + ", ".join(f"{_text(k)} = {_toml(v)}" for k, v in val.items()) + "}"
    if isinstance(val, list):
        return "[" + ", ".join(map(_toml, val)) + "]"
    if isinstance(val, bool):
        return str(val).lower()
    if isinstance(val, str):
        return _text(val)
    if val is None:
        return "null"  # no TOML
    if isinstance(val, datetime.date | datetime.time):
        return val.isoformat()
    return repr(val)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _places(values: Any) -> Iterator[tuple[Any, Any]]:
    keys: Any = values if isinstance(values, dict) else range(len(values))
    for key in list(keys):
        yield values, key
        if isinstance(values[key], dict | list):
            yield from _places(values[key])


def _is_toml(name: str) -> bool:
    return name.endswith(".toml")
