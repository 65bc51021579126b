"""Asymmetric noise: some classes flip to one similar class each, by a named map."""

from __future__ import annotations

import numpy as np

from nlbench.noise.errors import NoiseError
from nlbench.noise.flips import COUNT, flipped_indices, flipped_quotas
from nlbench.noise.maps import FlipMap, default_map, find_map
from nlbench.noise.registry import Draw, Model, Option, register
from nlbench.noise.rng import raw
from nlbench.noise.task import Labels, Task


def draw(task: Task) -> Draw:
    """Flip the rate's share of each source class to its target; other classes stay clean.

    The rate is per source class, as in the literature: with CIFAR-10's map, whose sources are five
    of ten classes, the overall rate is half of it. Sources are chosen on the clean labels, once;
    ``legacy=sequential`` takes them from the labels being changed, so that some flip twice.
    """
    chart = find_map(task.options["map"], task.dataset, task.folder)
    try:
        targets = chart.targets(task.num_classes, task.stream("map"))
    except NoiseError as error:
        raise NoiseError(f"asymmetric: map '{chart.full_name}': {error}") from None
    if task.rate >= 0.5 and task.options["majority"] == "refuse":
        raise NoiseError(
            f"asymmetric: rate {task.rate} is not below 0.5: a source class would have at least as "
            "many wrong labels as right ones; ask for it by majority=allow"
        )
    legacy = task.options["legacy"]
    if legacy != "none" and task.options["count"] != "exact":
        raise NoiseError(f"asymmetric: legacy={legacy} does not go with 'count'")
    if legacy == "sequential":
        noisy = _sequential(task, targets, chart)
    elif legacy == "truncated":
        sources = targets != np.arange(task.num_classes)
        noisy = _flip(
            task, targets, flipped_quotas(task, (task.rate * task.sizes * sources).astype(np.int64))
        )
    else:
        noisy = flip_to(task, targets)
    return Draw(noisy, details={"map": chart.full_name, **chart.facts})


def flip_to(task: Task, targets: Labels) -> Labels:
    """Return labels where the rate's share of each class c has become targets[c]."""
    sources = targets != np.arange(task.num_classes)
    return _flip(task, targets, flipped_indices(task, sources))


def _flip(task: Task, targets: Labels, chosen: Labels) -> Labels:
    noisy = task.labels.copy()
    noisy[chosen] = targets[task.labels[chosen]]
    return noisy


def _sequential(task: Task, targets: Labels, chart: FlipMap) -> Labels:
    """Flip int(r n) of the samples that now have each source's label, one source after another."""
    if not chart.order:
        raise NoiseError(
            f"asymmetric: legacy=sequential: no code is known to run map '{chart.full_name}' that"
            " way; the published one is cifar10/standard"
        )
    noisy = task.labels.copy()
    for source in chart.order:
        members = np.flatnonzero(noisy == source)
        words = raw(task.stream("sequential", source), len(noisy))[members]
        chosen = members[np.argsort(words, kind="stable")][: int(task.rate * len(members))]
        noisy[chosen] = targets[source]
    return noisy


register(
    Model(
        name="asymmetric",
        draw=draw,
        options=(
            Option("map", "which class flips to which: a name or a file", settle=default_map),
            Option(
                "majority",
                "what to do from rate 0.5 on, where a class's commonest label is the wrong one",
                default="refuse",
                choices=("refuse", "allow"),
            ),
            COUNT,
            Option(
                "legacy",
                "sequential: sources are taken from the labels being changed, so that cats that "
                "became dogs flip back (on CIFAR-10 only, APL, ALF, CDR, eps-softmax, ELR, GJS, "
                "SOP: 0.183 for 0.2; on MNIST APL, ALF, CDR, ELR, GJS and SOP draw by a matrix); "
                "truncated: int(r n_c) per class (SCE, ANL, Drainage)",
                default="none",
                choices=("none", "sequential", "truncated"),
            ),
        ),
        nested=True,
        summary=(
            "The rate's share of each source class gets the label of one similar class. Maps: "
            "MNIST and digits standard (default) and cdr; Fashion-MNIST gce (default), cdr and "
            "third-script, which disagree; CIFAR-10 standard; CIFAR-100 block5 (what nearly all "
            "papers ran), superclass (what they say) or sce, to be named; or a file (json, csv, "
            "npy). The rate is per source class."
        ),
        source="Patrini et al., CVPR 2017; Fashion-MNIST: Zhang & Sabuncu, NeurIPS 2018",
        used_by=(
            "Patrini, JoCoR, PLC (count=bernoulli), SCE, ANL, JAL, Drainage (legacy=truncated), "
            "on CIFAR-10 APL, ALF, CDR, eps-softmax, ELR, GJS, SOP (legacy=sequential)"
        ),
    )
)
