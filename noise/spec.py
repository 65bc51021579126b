"""NoiseSpec: the one-line name of a noise setting, parsed, checked and printed canonically."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from urllib.parse import unquote

from nlbench.noise.errors import NoiseError, nearest
from nlbench.noise.registry import Model, get, split_kind

MIXTURE = "mixture"


@dataclass(frozen=True)
class NoiseSpec:
    """Kind, nominal rate and options of a noise setting.

    Equal settings are equal objects and print the same: options are sorted, defaults dropped,
    the rate in its shortest form. Kinds without a rate have rate 0.0. A mixture has its ``parts``
    and the rate 1 - product of (1 - rate of a part).
    """

    kind: str
    rate: float = 0.0
    options: tuple[tuple[str, str], ...] = ()
    parts: tuple[NoiseSpec, ...] = ()

    def __post_init__(self) -> None:
        model = get(self.kind)
        if (self.kind == MIXTURE) != bool(self.parts):
            raise NoiseError("a mixture is written as its parts: 'symmetric:0.2+instance:0.2'")
        if self.parts:
            object.__setattr__(self, "rate", _checked_parts(self.parts))
            return
        object.__setattr__(self, "rate", _checked_rate(model, self.rate))
        object.__setattr__(self, "options", _checked_options(model, self.options))

    @classmethod
    def parse(cls, text: str | NoiseSpec) -> NoiseSpec:
        """Read ``kind[:argument][:option=value]...``; NoiseError names what is wrong where.

        A kind from outside is written ``module:name``. Several joined by ``+`` are a mixture.
        ``%XX`` escapes encode characters with a meaning (``%3A`` for a colon in a file name,
        ``%2B`` for a plus).
        """
        if isinstance(text, NoiseSpec):
            return text
        if not isinstance(text, str) or not text.strip():
            raise NoiseError(f"noise {text!r} is not a specification such as 'symmetric:0.4'")
        if "+" in text:
            return cls(MIXTURE, parts=tuple(cls.parse(part) for part in text.split("+")))
        kind, rest = split_kind(text.strip())
        model = get(kind)
        rate = 0.0
        options: list[tuple[str, str]] = []
        if model.argument:
            if not rest or "=" in rest[0]:
                raise NoiseError(f"noise '{text}': {kind} needs {_argument(model)}")
            value = rest.pop(0)
            if model.argument == "rate":
                rate = _parsed_rate(text, value)
            else:
                options.append((model.argument, unquote(value)))
        for item in rest:
            name, equals, value = item.partition("=")
            if not equals:
                raise NoiseError(f"noise '{text}': '{item}' is not of the form option=value")
            options.append((name, unquote(value)))
        return cls(kind, rate, tuple(options))

    def __str__(self) -> str:
        if self.parts:
            return "+".join(map(str, self.parts))
        model = get(self.kind)
        given = dict(self.options)
        words = [self.kind]
        if model.argument == "rate":
            words.append(_shortest(self.rate))
        elif model.argument:
            words.append(_escaped(given.pop(model.argument)))
        return ":".join(words + [f"{name}={_escaped(value)}" for name, value in given.items()])

    @property
    def has_rate(self) -> bool:
        """Whether the kind, or every part of the mixture, is written with a rate."""
        if self.parts:
            return all(part.has_rate for part in self.parts)
        return get(self.kind).argument == "rate"

    def values(self, dataset: str | None = None, num_classes: int = 0) -> dict[str, str]:
        """Return all options of the kind with their values, defaults filled in."""
        values = dict(self.options)
        for option in get(self.kind).options:
            if option.name in values:
                continue
            if option.settle is not None:
                values[option.name] = option.settle(dataset, num_classes)
            elif option.default is not None:
                values[option.name] = option.default
        return values

    def settled(self, dataset: str | None, num_classes: int) -> NoiseSpec:
        """Return the spec with what depends on the data set (the flip map) named in it."""
        if self.parts:
            parts = tuple(part.settled(dataset, num_classes) for part in self.parts)
            return NoiseSpec(self.kind, parts=parts)
        return NoiseSpec(self.kind, self.rate, as_options(self.values(dataset, num_classes)))


def _checked_parts(parts: tuple[NoiseSpec, ...]) -> float:
    if len(parts) < 2 or any(part.parts for part in parts):
        raise NoiseError(f"a mixture has two or more plain parts, got {len(parts)}")
    for part in parts:
        if not get(part.kind).truth:
            raise NoiseError(
                f"a mixture cannot have the part '{part}': its true labels are unknown"
            )
    # as decimals, so that 0.2 and 0.3 make 0.44 and not 0.44000000000000006
    return float(1 - math.prod(1 - Fraction(repr(part.rate)) for part in parts))


def as_options(values: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Turn a mapping into the sorted pairs that a NoiseSpec holds."""
    return tuple(sorted(values.items()))


def _argument(model: Model) -> str:
    if model.argument == "rate":
        return f"a rate, as in '{model.name}:0.4'"
    option = model.option(model.argument)
    example = option.choices[0] if option.choices else option.name.upper()
    return f"a {option.name}, as in '{model.name}:{example}'"


def _parsed_rate(text: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise NoiseError(f"noise '{text}': rate '{value}' is not a number in [0, 1)") from None


def _checked_rate(model: Model, rate: float) -> float:
    value = float(rate)
    if model.argument != "rate":
        if value != 0.0:
            raise NoiseError(f"{model.name}: takes no rate, got {value!r}")
        return 0.0
    if not math.isfinite(value) or not 0.0 <= value < 1.0:
        raise NoiseError(f"{model.name}: rate {_shortest(value)} is outside [0, 1)")
    if value >= model.limit:
        limit = _shortest(model.limit)
        raise NoiseError(
            f"{model.name}: rate {_shortest(value)} is not below {limit}: {model.limit_reason}"
        )
    return abs(value)


def _checked_options(
    model: Model, options: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    kept: dict[str, str] = {}
    for name, value in options:
        option = model.option(name)
        if name in kept:
            raise NoiseError(f"{model.name}: option '{name}' is given twice")
        if option.choices is not None and value not in option.choices:
            hint = nearest(value, option.choices)
            raise NoiseError(f"{model.name}: {name}='{value}' is not a choice; {hint}")
        if not value:
            raise NoiseError(f"{model.name}: option '{name}' is empty")
        kept[name] = value
    return as_options({n: v for n, v in kept.items() if v != model.option(n).default})


def _shortest(value: float) -> str:
    return repr(value)


def _escaped(value: str) -> str:
    for mark in "%:=+ \t\n":  # the percent sign first: the others bring new ones
        value = value.replace(mark, f"%{ord(mark):02X}")
    return value
