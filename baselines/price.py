"""What a method costs by its declaration, and what it must know beyond the given labels."""

from __future__ import annotations

from nlbench.baselines.method import Method

# Long enough that shares of the epochs come out whole.
EPOCHS = 1000


def cost(method: Method) -> str:
    """How many images go through networks for one of cross-entropy's, and what makes it so."""
    if method.own_cost:
        return method.own_cost
    stages = method.stages(EPOCHS)
    passes = sum(stage.epochs for stage in stages) / EPOCHS
    factors = {"networks": method.members, "views": method.views, "passes": passes}
    words = [f"{value:g} {name}" for name, value in factors.items() if value != 1]
    total = method.members * method.views * passes
    text = f"{total:g}" + (f" ({', '.join(words)})" if words else "")
    sweeps = type(method).wants_sweep is not Method.wants_sweep or any(s.look for s in stages)
    return text + (" + sweeps" if sweeps else "")


def told(method: Method) -> str:
    """What the method must be told, and whether it chooses by labels held out; "" for nothing."""
    words = [name.replace("_", " ") for name in sorted(method.asks())]
    stages = method.stages(EPOCHS)
    if any("best" in (stage.start, stage.look) for stage in stages):
        words.append("noisy validation")
    return ", ".join(words)
