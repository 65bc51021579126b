"""The parts of a network: consecutive layers of one width, and the head."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from nlbench.benchmark.models.registry import Classifier


def parts(network: Classifier) -> tuple[tuple[str, ...], ...]:
    """Names of the modules of each part, from the images to the head, which is the last.

    A part is what follows one another in the body with one width, the number of outputs of the last
    matrix or convolution in a layer: of the ResNets the groups of blocks between two halvings of
    the resolution (the stem belongs to the first), of the small networks each convolution, pair of
    convolutions or hidden layer. What has no such weight belongs to the part before it.
    """
    found: list[list[str]] = []
    last = None
    for name, width in _layers(network.body):
        if not found or width not in (None, last):
            found.append([])
        last = width or last
        found[-1].append(name)
    return (*(tuple(names) for names in found), ("head",))


def last_parts(network: Classifier, count: int) -> tuple[str, ...]:
    """Names of the modules of the last parts; the first part is never among them."""
    found = parts(network)
    return tuple(name for part in found[max(1, len(found) - count) :] for name in part)


def _layers(body: nn.Module) -> Iterator[tuple[str, int | None]]:
    """Each direct child of a body with parameters, and its width if it has one."""
    children = dict(body.named_children())
    for name, child in children.items():
        shapes = [p.shape for p in child.parameters()]
        if shapes:
            widths = [int(shape[0]) for shape in shapes if len(shape) > 1]
            yield f"body.{name}", widths[-1] if widths else None
    if not children:
        yield "body", None
