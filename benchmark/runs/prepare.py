"""From a spec to a task: all that is random in a run, decided before the first step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from nlbench import baselines
from nlbench.baselines import Method
from nlbench.benchmark import models
from nlbench.benchmark.datasets import AnyDataset
from nlbench.benchmark.labels.draw import draw_labels
from nlbench.benchmark.labels.foreign_images import with_foreign_images
from nlbench.benchmark.machine.device import check_precision, resolve
from nlbench.benchmark.models import Classifier
from nlbench.benchmark.pipeline.augment_kinds import check_fits
from nlbench.benchmark.pipeline.batches import BatchPlan, check_batches, draw_split
from nlbench.benchmark.pipeline.in_memory import Resident, supply
from nlbench.benchmark.pipeline.select import described
from nlbench.benchmark.runs.context import Context
from nlbench.benchmark.spec.run_spec import RunSpec
from nlbench.benchmark.streams import Streams
from nlbench.benchmark.training import Task
from nlbench.benchmark.training.images import memory_format
from nlbench.benchmark.training.limits import check_method, check_pixels
from nlbench.noise import NoisyLabels


@dataclass(frozen=True)
class Drawn:
    """What takes the host long to draw for a run: its labels, and its first weights on the CPU."""

    labels: NoisyLabels
    networks: Sequence[Classifier]


def draw(spec: RunSpec, context: Context) -> Drawn:
    """Labels and first weights; nothing here touches a device, but for noise of a network."""
    dataset = described(spec.dataset, context.root)
    device = resolve(context.device)
    labels = draw_labels(spec.noise, spec.dataset, spec.seed, context.root, device)
    method = baselines.create(spec.method.name, spec.method.values)
    return Drawn(labels, networks(spec, method, dataset, context.root))


def prepare(
    spec: RunSpec, context: Context, drawn: Drawn | None = None
) -> tuple[Task, dict[str, str]]:
    """Everything random of a run, decided and fingerprinted, before the first step.

    Args:
        spec: the run.
        context: what it needs besides.
        drawn: its labels and weights, where they were drawn ahead; used up.
    """
    device = resolve(context.device)
    check_precision(spec.recipe.precision, device)
    data = supply(spec.dataset, context.root, device, context.loaders)
    dataset = data.dataset
    check_fits(spec.recipe.augment, not isinstance(data, Resident), dataset.name)
    method = baselines.create(spec.method.name, spec.method.values)
    in_files = not isinstance(data, Resident)
    check_method(method, dataset.name, in_files, spec.noise, spec.dataset.holdout)
    drawn = drawn or draw(spec, context)
    labels, (network, *others) = drawn.labels, drawn.networks
    if isinstance(data, Resident):
        check_pixels(method, dataset.name, str(data.dataset.x_train.dtype))
        data = with_foreign_images(data, labels, context.root)
    split = draw_split(spec, len(dataset.y_train))
    check_batches(spec, len(split.train))
    pairing = {
        "data": dataset.fingerprint,
        "labels": labels.fingerprint,
        "split": split.fingerprint,
        "init": models.init_fingerprint(network, dataset.num_classes),
    }
    master = torch.float64 if spec.recipe.precision == "float64" else torch.float32
    task = Task(
        network=memory_format(network.to(device, master)),
        others=tuple(memory_format(other.to(device, master)) for other in others),
        seed=spec.seed,
        method=method,
        data=data,
        labels=labels,
        split=split,
        plan=BatchPlan(
            spec,
            split.train,
            dataset.in_shape[1:],
            method.views,
            method.mixing(),
            method.strong_views,
        ),
        recipe=spec.recipe,
        device=device,
    )
    return task, pairing


def networks(
    spec: RunSpec, method: Method, dataset: AnyDataset, root: Path | None
) -> list[Classifier]:
    """The network of each member, with its first weights, on the CPU.

    The first member's are those that every method starts from, a further one's come from a stream
    of its own.
    """
    streams, classes = Streams(spec.seed), dataset.num_classes
    made: list[Classifier] = []
    for member in range(method.members):
        words = ("member", member) if member else ()
        network = models.build(spec.model, dataset.in_shape, method.num_outputs(classes))
        models.initialise(network, partial(streams.generator, "init", *words), classes)
        models.load_weights(network, spec.model, root)
        made.append(network)
    return made
