"""Methods as the toy is asked for them: a name, hyper-parameters, and a title for the figure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nlbench import baselines
from nlbench.baselines import Method
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.selection import variant

GREEK = {"alpha": "α", "beta": "β"}
# What float(), int() and bool() do not read.
_WORDS: dict[str, object] = {"none": None, "true": True, "false": False}


@dataclass(frozen=True)
class Asked:
    """One entry of ``--methods``: its text, what the figure calls it, the method."""

    text: str
    title: str
    method: Method


def methods_of(words: Iterable[str]) -> list[Asked]:
    """The methods that these words name, each with the hyper-parameters written with it.

    Raises:
        MethodError: unknown method, hyper-parameter or value.
        UserError: one twice.
    """
    asked = [_asked(word) for word in words]
    for at, each in enumerate(asked):
        if each.method in [other.method for other in asked[:at]]:
            raise UserError(f"--methods: {each.text!r} is the same as one before it")
    return asked


def _asked(word: str) -> Asked:
    """``name:alpha=0.1``; a colon without an equals sign belongs to the name (module:Class)."""
    name, settings = variant(word)
    params = {key: _value(value) for key, value in settings.items()}
    method = baselines.create(name, params)
    shown = [f"{GREEK.get(key, key)} = {_written(value)}" for key, value in params.items()]
    return Asked(word, ", ".join([method.title, *shown]), method)


def _value(text: str) -> object:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _written(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower()
