"""Which runs a method's name selects: its own name, the one in tables, or that of a variant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any

from nlbench import baselines
from nlbench.benchmark.errors import UserError, unknown
from nlbench.benchmark.spec.run_spec import RunSpec


def picked(specs: Sequence[RunSpec], words: Iterable[str], where: str) -> tuple[RunSpec, ...]:
    """The runs that any of the words names, in their own order.

    A word is a method's name (``drainage``, ``module:Class``), its title (``Drainage``), in capital
    or small letters where that leaves one method, or either of them with settings that pick
    variants: ``drainage:alpha=0.1``, or ``Drainage(alpha=0.1)`` as tables write it. Settings
    of the recipe are called ``recipe.lr``.

    Args:
        specs: what there is to choose from.
        words: what the user typed.
        where: what the specs are of, for messages.

    Raises:
        UserError: a word that names no run, with the nearest one that does; or two methods.
    """
    names = tuple(dict.fromkeys(spec.method.name for spec in specs))
    titles = {name: baselines.get(name).title for name in names}
    found: set[str] = set()
    for word in words:
        name, settings = variant(word)
        named = _named(name, titles, where)
        runs = [spec for spec in specs if spec.method.name == named]
        for key, text in settings.items():
            runs = _having(runs, key, text, f"{word!r}, {where}")
        found |= {spec.run_id for spec in runs}
    return tuple(spec for spec in specs if spec.run_id in found)


def shard(specs: Sequence[RunSpec], number: int, of: int) -> tuple[RunSpec, ...]:
    """One of so many parts without overlap, counted from 1; the same whatever is done already.

    Sizes differ by one at most. Runs are dealt in the order of their ids, which is as good as
    chance, so that no part gets all of a slow method; within a part they keep their own order.

    Raises:
        UserError: there is no such part.
    """
    if not 1 <= number <= of:
        raise UserError(f"shard {number} of {of}: should be one from 1 to {of}")
    mine = set(sorted(spec.run_id for spec in specs)[number - 1 :: of])
    return tuple(spec for spec in specs if spec.run_id in mine)


def variant(word: str) -> tuple[str, dict[str, str]]:
    """A method's name and the settings written with it.

    >>> variant("module:Class:alpha=0.1:beta=3")
    ('module:Class', {'alpha': '0.1', 'beta': '3'})
    >>> variant("Drainage(alpha=0.1, beta=3)")
    ('Drainage', {'alpha': '0.1', 'beta': '3'})
    """
    name, inside = _brackets(word)
    if "=" in inside:
        parts = list(_apart(inside))
    else:
        first, *rest = word.split(":")
        name = ":".join([first, *(part for part in rest if "=" not in part)])
        parts = [part for part in rest if "=" in part]
    pairs = (part.partition("=") for part in parts)
    return name, {key.strip(): value.strip() for key, _, value in pairs}


def split(text: str) -> list[str]:
    """``a,B(x=1, y=2)`` as two words: a comma inside brackets separates nothing."""
    return [word.strip() for word in _apart(text) if word.strip()]


def _apart(text: str) -> Iterator[str]:
    """What commas outside brackets separate."""
    start = depth = 0
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            yield text[start:at]
            start = at + 1
    yield text[start:]


def _brackets(word: str) -> tuple[str, str]:
    """``A(x=(1, 2))`` as what stands before its last pair of brackets and what is inside."""
    depth = 0
    for at in range(len(word) - 1, -1, -1):
        depth += (word[at] == ")") - (word[at] == "(")
        if depth <= 0:
            return word[:at].strip(), word[at + 1 : -1]
    return word, ""


def _named(word: str, titles: dict[str, str], where: str) -> str:
    """The method's name; exact ones come first, so that a title never hides a name."""
    tests: tuple[Callable[[str], bool], ...] = (
        lambda name: word == name,
        lambda name: word == titles[name],
        lambda name: word.lower() in (name.lower(), titles[name].lower()),
    )
    for test in tests:
        found = [name for name in titles if test(name)]
        if len(found) == 1:
            return found[0]
        if found:
            raise UserError(f"method {word!r} of {where} may be {' or '.join(sorted(found))}")
    shown = [title for name, title in titles.items() if title.lower() != name.lower()]
    raise unknown("method", word, (*titles, *shown), where)


def _having(runs: Sequence[RunSpec], key: str, text: str, where: str) -> list[RunSpec]:
    """Those with this setting; as tables round it, if none has exactly this value."""
    known = list(dict.fromkeys(name for spec in runs for name in _settings(spec)))
    if key not in known:
        raise unknown("setting", key, known, where)
    values = [_settings(spec).get(key) for spec in runs]
    for same in (_exact, _rounded):
        found = [run for run, value in zip(runs, values, strict=True) if same(value, text)]
        if found:
            return found
    there = ", ".join(sorted({_written(value) for value in values}))
    raise UserError(f"method {where}: no run has {key} = {text}; there is {there}")


def _settings(spec: RunSpec) -> dict[str, Any]:
    # Every field, as in the labels of tables: to_dict leaves some out at their default.
    recipe = {f"recipe.{f.name}": getattr(spec.recipe, f.name) for f in fields(spec.recipe)}
    return {**spec.method.values, **recipe}


def _exact(value: Any, text: str) -> bool:
    number = _number(text)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or number is None:
        return _close(str(value)) == _close(text)
    return value == number


def _close(text: str) -> str:
    """In small letters, without spaces."""
    return "".join(text.lower().split())


def _rounded(value: Any, text: str) -> bool:
    number = _number(text)
    return number is not None and isinstance(value, float) and _written(value) == f"{number:g}"


def _written(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
