"""Which published number belongs to which cell: the same data, network, noise and accuracy rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.reports.compare.results import Results
from nlbench.reports.read.cells import Block, Cell, Condition
from nlbench.reports.read.names import noise_name
from nlbench.reports.topics.published.numbers import Number, numbers

PROFILE = "official"  # published numbers are of each method as some release sets it


@dataclass(frozen=True)
class Setting:
    """What the published tables of one data set have in common.

    Attributes:
        images: how they call the data set.
        human: how they call it with its human labels.
        model: how they call the network.
        epochs: how long they train.
    """

    images: str
    human: str
    model: str
    epochs: int


_CIFAR10 = Setting("CIFAR-10", "CIFAR-10N", "CNN-8", 120)
SETTINGS = {
    ("cifar10", "cnn8"): _CIFAR10,
    ("cifar10_jpeg", "cnn8"): _CIFAR10,
    ("cifar100", "resnet34"): Setting("CIFAR-100", "CIFAR-100N", "ResNet-34(CIFAR)", 200),
}
# Our noise type -> how the tables call it. CIFAR-100's asymmetric noise is theirs with map=block5
# only; that of CIFAR-10 has one map.
NOISE = {
    "clean": "clean",
    "symmetric": "symmetric",
    "asymmetric": "asymmetric",
    "asymmetric:map=block5": "asymmetric",
    "instance": "instance",
    "instance:bias=legacy": "instance",
    "instance:scale=unit": "instance",
    "instance:bias=legacy:scale=unit": "instance",
    "human:worse": "human-worst",
    "human:aggre": "human-aggregate",
    "human:random1": "human-random1",
    "human:random2": "human-random2",
    "human:random3": "human-random3",
    "human:fine": "human-noisy",
}
# The accuracy rules of the tables: our rule -> how their metric begins.
METRICS = {"last": ("last", "unspecified"), "oracle": ("best",)}


@dataclass(frozen=True)
class Match:
    """A cell of ours and a published number of its setting.

    Attributes:
        block: of the cell.
        condition: noise of both.
        cell: our seeds.
        spec: one run of the cell.
        number: what was published.
    """

    block: Block
    condition: Condition
    cell: Cell
    spec: RunSpec
    number: Number

    @property
    def difference(self) -> float | None:
        """Our mean - theirs in points; ``None`` while we have no run."""
        mean = self.cell.summary.mean
        return None if mean is None else mean - self.number.mean


def matches(results: Results) -> tuple[Match, ...]:
    """Every published number of a declared cell, in the order of the report's tables."""
    specs = {spec.run_id: spec for spec in results.study.specs}
    published: dict[tuple[str, str, str, str], list[Number]] = defaultdict(list)
    for number in numbers():
        if number.metric.startswith(METRICS.get(results.rule, ())):
            key = (number.dataset, number.model, number.noise_type, plain(number.method))
            published[key].append(number)
    return tuple(
        Match(block, condition, cell, spec, number)
        for block in results.blocks
        for condition in block.conditions
        for cell in _cells(block, condition, specs)
        for spec in [specs[cell.run_ids[0]]]
        for number in published.get(_key(spec), ())
        if _same_rate(spec, number)
    )


def plain(method: str) -> str:
    """A method's name without signs and capitals: ``NCE+RCE`` and ``nce_rce`` are one.

    >>> plain("NCE+RCE"), plain("anl_ce")
    ('ncerce', 'anlce')
    """
    return "".join(c for c in method.lower() if c.isalnum())


def _cells(block: Block, condition: Condition, specs: dict[str, RunSpec]) -> Iterator[Cell]:
    """The cells of a condition that were trained as the tables were, one setting per method."""
    found = [
        block.cells[m, condition.line] for m in block.methods if (m, condition.line) in block.cells
    ]
    names = [specs[cell.run_ids[0]].method.name for cell in found]
    for cell, name in zip(found, names, strict=True):
        if names.count(name) == 1 and _as_published(specs[cell.run_ids[0]]):
            yield cell


def _as_published(spec: RunSpec) -> bool:
    """Whether all images were trained on, as long as in the tables, with official settings."""
    setting = SETTINGS.get((spec.dataset.name, spec.model))
    return (
        setting is not None
        and spec.profile == PROFILE
        and spec.dataset.train_per_class is None
        and spec.dataset.holdout == 0
        and spec.recipe.epochs == setting.epochs
    )


def _key(spec: RunSpec) -> tuple[str, str, str, str]:
    setting = SETTINGS[spec.dataset.name, spec.model]
    noise = _published_noise(spec)
    human = noise.startswith("human")
    images = setting.human if human else setting.images
    return images, setting.model, noise, plain(spec.method.name)


def _published_noise(spec: RunSpec) -> str:
    kind = noise_name(spec.noise).type
    ten = SETTINGS[spec.dataset.name, spec.model] is _CIFAR10
    if kind.startswith("asymmetric") and (kind == "asymmetric") != ten:
        return ""
    return NOISE.get(kind, "")


def _same_rate(spec: RunSpec, number: Number) -> bool:
    """Human labels have the rate they have; every other rate is compared."""
    rate = noise_name(spec.noise).rate
    return rate is None or abs(rate - number.rate) < 1e-9
