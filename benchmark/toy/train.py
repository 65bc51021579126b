"""The toy: small networks on points in the plane, where everything a method does can be drawn.

All seeds of a method are trained side by side in one stack of weights, from the same points,
labels, first weights and batches as the other methods' networks of the same seed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nlbench import noise
from nlbench.baselines import Method
from nlbench.benchmark import models
from nlbench.benchmark.errors import UserError, unknown
from nlbench.benchmark.machine.device import repeatable
from nlbench.benchmark.models import Classifier
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.streams import Streams
from nlbench.benchmark.toy.data import GEOMETRIES, Floats, Geometry
from nlbench.benchmark.training.optimizer import learning_rate, optimiser
from nlbench.noise import NoiseSpec, NoisyLabels

HIDDEN = 64
TEST_PER_CLASS = 1000
FLIPS = "toy_flips.json"  # 0 <-> 1 and 2 -> 3, class 3 stays clean
FRAMES = 30
Weights = tuple[Tensor, ...]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is trained on: everything but the method.

    Attributes:
        data: name of a geometry.
        noise: a noise line that needs no images; ``asymmetric`` without a map flips 0 <-> 1 and
            2 -> 3.
        seeds: each draws points, flips, first weights and batch order; the first one is drawn.
        epochs: passes over the training points, >= 1.
        per_class: training points of each class, >= 2.
    """

    data: str = "ring"
    noise: str = "asymmetric:0.4"
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    epochs: int = 200
    per_class: int = 150

    def __post_init__(self) -> None:
        """Refuse what cannot be trained (UserError)."""
        if self.data not in GEOMETRIES:
            raise unknown("toy data", self.data, GEOMETRIES)
        for name, low, high in (("epochs", 1, 100_000), ("per_class", 2, 100_000)):
            if not low <= getattr(self, name) <= high:
                raise UserError(f"toy: {name} = {getattr(self, name)} should be in {low}..{high}")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise UserError(f"toy: seeds = {list(self.seeds)} should be one or more, all different")

    @property
    def geometry(self) -> Geometry:
        """Where the classes lie."""
        return GEOMETRIES[self.data]

    @property
    def num_classes(self) -> int:
        """K."""
        return len(self.geometry.classes)

    @property
    def recipe(self) -> Recipe:
        """SGD with momentum 0.9, batches of 128, cosine decay from 0.1; no penalty, no clipping."""
        return Recipe(epochs=self.epochs, batch_size=128, lr=0.1, clip_norm=0.0)


@dataclass(frozen=True)
class Drawn:
    """What one seed draws before any training, the same for every method.

    Attributes:
        points: (N, 2) training points.
        labels: their labels, clean and noisy.
        test_points: (M, 2).
        test_labels: (M,), clean.
        order: (epochs, N) positions, the batches of each epoch one after the other.
    """

    points: Floats
    labels: NoisyLabels
    test_points: Floats
    test_labels: NDArray[np.int64]
    order: NDArray[np.int64]

    @property
    def fingerprints(self) -> dict[str, str]:
        """SHA-256 hex of points, labels and order."""
        points = np.concatenate([self.points, self.test_points]).astype("<f8")
        return {
            "data": hashlib.sha256(points.tobytes()).hexdigest(),
            "labels": self.labels.fingerprint,
            "order": hashlib.sha256(self.order.astype("<i8").tobytes()).hexdigest(),
        }


@dataclass(frozen=True)
class Trained:
    """One method's networks, all seeds, at the recorded epochs.

    Attributes:
        method: the loss and its prediction rule.
        epochs: recorded epochs; 0 is before the first step.
        weights: one stack per recorded epoch: (S, in, out) and (S, 1, out) of each layer in turn.
        init: SHA-256 hex of each seed's first weights (of the K class outputs).
    """

    method: Method
    epochs: tuple[int, ...]
    weights: tuple[Weights, ...]
    init: tuple[str, ...]


def noise_line(text: str) -> NoiseSpec:
    """The noise line with the toy's own flip map where ``asymmetric`` names none.

    Raises:
        NoiseError: no valid line.
        UserError: noise that depends on images, or replaces them.
    """
    spec = NoiseSpec.parse(text)
    for part in spec.parts or (spec,):
        needs = noise.needs(part)
        if needs or part.kind in ("openset", "human"):
            what = f"needs {needs[0]} of images" if needs else "is made for images"
            raise UserError(
                f"noise {text!r}: {part.kind} {what}, and the toy has points in the plane; take"
                " asymmetric, pair or symmetric, as in asymmetric:0.4"
            )
    if spec.parts:
        return replace(spec, parts=tuple(_with_map(part) for part in spec.parts))
    return _with_map(spec)


def _with_map(spec: NoiseSpec) -> NoiseSpec:
    if spec.kind != "asymmetric" or "map" in dict(spec.options):
        return spec
    return replace(spec, options=(*spec.options, ("map", FLIPS)))


def draw(setting: Setting, seed: int) -> Drawn:
    """Points, labels and batch order of one seed."""
    spec = noise_line(setting.noise)
    stream = ("nlbench-toy", setting.data, seed)
    points, clean = setting.geometry.draw(noise.generator(*stream, "train"), setting.per_class)
    labels = noise.make(
        spec, clean, num_classes=setting.num_classes, seed=seed, folder=Path(__file__).parent
    )
    tests = setting.geometry.draw(noise.generator(*stream, "test"), TEST_PER_CLASS)
    streams = Streams(seed)
    order = [
        streams.generator("order", epoch).permutation(len(points))
        for epoch in range(setting.epochs)
    ]
    return Drawn(points, labels, *tests, np.stack(order))


def network(setting: Setting, outputs: int, seed: int) -> Classifier:
    """A perceptron with two hidden layers of 64 ReLU units, with the first weights of ``seed``."""
    body = nn.Sequential(nn.Linear(2, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU())
    model = Classifier(body, HIDDEN, outputs)
    streams = Streams(seed)
    models.initialise(model, lambda name: streams.generator("init", name), setting.num_classes)
    return model


def train(method: Method, setting: Setting, drawn: Sequence[Drawn]) -> Trained:
    """Train one network per seed on what the seeds drew.

    Raises:
        UserError: the weights did not stay finite.
    """
    outputs = method.num_outputs(setting.num_classes)
    with repeatable(threads=1):
        networks = [network(setting, outputs, seed) for seed in setting.seeds]
        weights = _stack(networks)
        init = tuple(models.init_fingerprint(n, setting.num_classes) for n in networks)
        at = recorded(setting.epochs)
        kept = [_copy(weights)]
        after = _epochs(method, setting, drawn, weights)
        kept.extend(_copy(weights) for epoch in after if epoch in at)
    if not all(bool(tensor.isfinite().all()) for tensor in kept[-1]):
        raise UserError(f"toy: the weights of method {method.name!r} did not stay finite")
    return Trained(method, at, tuple(kept), init)


def recorded(epochs: int) -> tuple[int, ...]:
    """At most FRAMES epochs from 0 to the last, ever further apart."""
    steps = np.geomspace(1, epochs, FRAMES - 1).round().astype(int)
    return (0, *sorted({int(step) for step in steps}))


def _epochs(
    method: Method, setting: Setting, drawn: Sequence[Drawn], weights: Weights
) -> Iterable[int]:
    """Train in place; the number of each epoch after it."""
    recipe = setting.recipe
    points = as_tensor([d.points for d in drawn])
    given = torch.tensor(np.stack([d.labels.noisy for d in drawn]))
    order = torch.tensor(np.stack([d.order for d in drawn], axis=1))
    rows = torch.arange(len(drawn))[:, None]
    sgd = optimiser(recipe, weights)  # type: ignore[arg-type]
    for epoch in range(setting.epochs):
        for group in sgd.param_groups:
            group["lr"] = learning_rate(recipe, epoch)
        for batch in torch.split(order[epoch], recipe.batch_size, dim=1):
            outputs = forward(weights, points[rows, batch])
            losses = method.loss(outputs.flatten(0, 1), given[rows, batch].flatten())
            # The seeds share no weight: each one's gradient is that of its own mean loss.
            sgd.zero_grad()
            losses.view(batch.shape).mean(dim=1).sum().backward()  # type: ignore[no-untyped-call]
            sgd.step()
        yield epoch + 1


def forward(weights: Weights, points: Tensor) -> Tensor:
    """Outputs (S, B, outputs) of a stack of networks at (S, B, 2) points, or (1, B, 2) for all."""
    features = points
    layers = list(zip(weights[::2], weights[1::2], strict=True))
    for at, (weight, bias) in enumerate(layers):
        features = features @ weight + bias
        if at + 1 < len(layers):
            features = features.relu()
    return features


def _stack(networks: Sequence[nn.Module]) -> Weights:
    """The networks' weights, transposed, as leaves of one stack."""
    lists = zip(*(n.parameters() for n in networks), strict=True)
    stacked = [torch.stack([p.detach() for p in each]) for each in lists]
    shaped = [t.transpose(1, 2).contiguous() if t.ndim == 3 else t[:, None] for t in stacked]
    return tuple(tensor.requires_grad_() for tensor in shaped)


def _copy(weights: Weights) -> Weights:
    return tuple(tensor.detach().clone() for tensor in weights)


def as_tensor(arrays: Sequence[Floats]) -> Tensor:
    """Arrays of one shape as a float32 stack."""
    return torch.tensor(np.stack(arrays), dtype=torch.float32)
