"""The sources of a run's parts from outside, its method apart: noise, network, metrics, ..."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator
from importlib.metadata import version
from types import ModuleType

from nlbench import noise
from nlbench.benchmark import datasets, metrics, models
from nlbench.benchmark.pipeline import augment_kinds, augment_outside
from nlbench.benchmark.runs.source_files import digest_of, source_lines
from nlbench.benchmark.spec import recipe
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.noise import NoiseSpec
from nlbench.outside import Kind


def part_sources(spec: RunSpec) -> dict[str, str]:
    """Source by kind and name, e.g. ``noise model mine:BLOCKS``; empty for built-in parts.

    A source is ``sha256:`` and 64 hex digits over the files that this process has imported, even if
    they have changed since; of a network of timm the version of that library.

    Raises:
        UserError, NoiseError: a part that cannot be imported, or a file that cannot be read.
    """
    found = {}
    for kind, name in _parts(spec):
        part = f"{kind.word} {name!r}"
        found[f"{kind.word} {name}"] = _source(kind, name, part)
    return found


def network_source(name: str) -> str:
    """The source of a network as :func:`part_sources` has it; empty for a built-in one."""
    outside = models.get(name).outside
    return _source(models.OUTSIDE, name, f"{models.OUTSIDE.word} {name!r}") if outside else ""


def _parts(spec: RunSpec) -> Iterator[tuple[Kind, str]]:
    """Each part from outside, once."""
    line = NoiseSpec.parse(spec.noise)
    for kind in dict.fromkeys(part.kind for part in line.parts or (line,)):
        if not noise.is_ours(kind):
            yield noise.OUTSIDE, kind
    for name in dict.fromkeys(spec.dataset.names):
        if datasets.is_outside(name):
            yield datasets.OUTSIDE, name
    if models.get(spec.model).outside:
        yield models.OUTSIDE, spec.model
    if spec.recipe.outside_optimizer:
        yield recipe.OUTSIDE, spec.recipe.optimizer
    if augment_kinds.is_outside(spec.recipe.augment):
        yield augment_outside.OUTSIDE, spec.recipe.augment
    for name in spec.metrics:
        yield metrics.OUTSIDE, name


def _source(kind: Kind, name: str, part: str) -> str:
    if kind is models.OUTSIDE and name.partition(":")[0] == models.TIMM:
        return f"timm {version(models.TIMM)}"
    kind.load(name)
    return _hashed(importlib.import_module(kind.module(name)), part)


@functools.cache
def _hashed(module: ModuleType, part: str) -> str:
    """Cached by module: one in memory stays what it was when its files change."""
    return digest_of(source_lines(module.__name__, part))
