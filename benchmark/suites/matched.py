"""A suite of profile matched trains all methods alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.spec.matched import WORDS, Equal, unequal
from nlbench.benchmark.spec.run_spec import RunSpec


def refuse_unequal(specs: Sequence[RunSpec], where: str) -> None:
    """Refuse runs of profile ``matched`` whose recipes are not the same for all methods.

    Args:
        specs: of one part of a suite.
        where: is named in the error.

    Raises:
        UserError: naming what differs, with the values of each method.
    """
    values: dict[str, set[Equal]] = defaultdict(set)
    # Many runs share a recipe, and to hash one takes longer than to make its run.
    for spec in {(s.profile, s.method.name, id(s.recipe)): s for s in specs}.values():
        if spec.profile == "matched":
            values[spec.method.name].add(Equal.of(spec.recipe))
    names = unequal(values)
    if not names:
        return
    own = "; ".join(
        f"{method}: {' or '.join(sorted({value.words(names) for value in found}))}"
        for method, found in values.items()
    )
    words = ", ".join(WORDS[name] for name in names)
    raise UserError(
        f"{where}: profile 'matched' means that learning rate, L1, L2, precision and epochs are"
        f" equal for all methods, and {words} differ ({own}); train every method with each value,"
        " or use profile 'official' or 'tuned'"
    )
