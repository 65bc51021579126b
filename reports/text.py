"""How numbers are written: one place, so that every output agrees digit for digit."""

from __future__ import annotations

MINUS = "−"
NONE = "–"
# Of percentages; CSVs and rendered tables start from the same rounded numbers.
DECIMALS = 6


def number(value: float | None, digits: int = 2, sign: bool = False) -> str:
    """A number with fixed digits and a true minus sign; ``–`` for none, never 0.00.

    >>> number(-1.005, 1), number(None), number(2.0, 1, sign=True)
    ('−1.0', '–', '+2.0')
    """
    if value is None or value != value:
        return NONE
    text = f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("+-")
    return text.replace("-", MINUS)


def interval(low: float | None, high: float | None, digits: int = 2, before: str = "") -> str:
    """``[1.00, 2.00]`` after what is to be before it; empty for none.

    >>> interval(-1, 2), interval(None, None), interval(1, 2, 0, before=" ")
    ('[−1.00, 2.00]', '', ' [1, 2]')
    """
    if low is None or high is None or low != low or high != high:
        return ""
    return f"{before}[{number(low, digits)}, {number(high, digits)}]"


def p_value(p: float | None) -> str:
    """A p-value as a cell shows it: ``0.004``, ``< 0.001``, ``–``."""
    if p is None or p != p:
        return NONE
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def p_equals(p: float | None) -> str:
    """A p-value after its name: ``= 0.004``, ``< 0.001``."""
    text = p_value(p)
    return text if text.startswith("<") else f"= {text}"


def rate(value: float | None) -> str:
    """A noise rate in [0, 1] in its shortest form, three decimals at most."""
    return NONE if value is None or value != value else f"{round(value, 3):g}"


def plural(count: int, noun: str) -> str:
    """``1 seed``, ``5 seeds``."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def listing(words: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def one_line(text: str) -> str:
    """Any text as one line."""
    return " ".join(text.split())


def rounded(value: float | None) -> float | None:
    """A number of a CSV file, DECIMALS decimals; ``None`` for none and for NaN."""
    return None if value is None or value != value else round(value, DECIMALS)


def significant(value: float | None) -> float | None:
    """Six significant digits; ``None`` for none and for NaN."""
    return None if value is None or value != value else float(f"{value:.6g}")
