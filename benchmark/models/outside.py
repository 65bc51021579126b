"""Bodies of networks whose code is not ours: ``module:function``, ``timm:NAME``, entry points."""

from __future__ import annotations

import contextlib
import difflib
import importlib
from collections.abc import Callable, Iterator
from typing import Any, TypeGuard, cast

import torch
from torch import Tensor, nn

from nlbench.benchmark.errors import UserError
from nlbench.outside import Kind, one_line

Shape = tuple[int, int, int]
Body = Callable[[Shape], tuple[nn.Module, int]]
OUTSIDE = Kind("model", "nlbench.models", UserError)
# A library of networks, which is installed only if asked for.
TIMM = "timm"


def maker(name: str) -> Body:
    """The function in_shape -> (body, width of its features) of a name from outside.

    Raises:
        UserError: it cannot be had, or is no function.
    """
    if name.partition(":")[0] == TIMM:
        return _timm(name)
    found = OUTSIDE.load(name)
    if not callable(found) or isinstance(found, type):
        raise OUTSIDE.refusal(name, found, "a function in_shape -> (body, width of its features)")
    return cast(Body, found)


@contextlib.contextmanager
def fixed_draws() -> Iterator[None]:
    """Code that can only draw from torch's global generator draws the same each time in here.

    Outside, the generator goes on as if nothing had been drawn.
    """
    before = torch.default_generator.get_state()
    torch.default_generator.set_state(torch.Generator().manual_seed(0).get_state())
    try:
        yield
    finally:
        torch.default_generator.set_state(before)


def body(name: str, make: Body, in_shape: Shape) -> tuple[nn.Module, int]:
    """What a function from outside makes, tried on two empty images.

    Raises:
        UserError: it raised, made no network, or features of another shape than it states.
    """
    try:
        made: object = make(in_shape)
        if not _is_body(made):
            raise OUTSIDE.refusal(name, made, "a pair (torch.nn.Module, width of its features)")
        trunk, width = made
        trunk.eval()
        with torch.no_grad():
            features = trunk(torch.zeros(2, *in_shape))
        trunk.train()
    except UserError:
        raise
    except Exception as error:
        images = "x".join(map(str, in_shape))
        raise UserError(
            f"model {name!r}: for images {images} it raised {one_line(error)}"
        ) from error
    shape = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
    if shape != (2, width):
        raise UserError(
            f"model {name!r}: its features of 2 images are {shape}; by the width it states,"
            f" {width}, they should be {(2, width)}"
        )
    return trunk, width


def _is_body(made: object) -> TypeGuard[tuple[nn.Module, int]]:
    if not isinstance(made, tuple) or len(made) != 2:
        return False
    return isinstance(made[0], nn.Module) and type(made[1]) is int


def _timm(name: str) -> Body:
    wanted = name.partition(":")[2]
    try:
        timm = importlib.import_module(TIMM)
    except ImportError as error:
        raise UserError(
            f"model {name!r} needs the package timm, which is not installed:"
            " pip install 'nlbench[timm]'"
        ) from error
    if not timm.is_model(wanted):
        near = difflib.get_close_matches(wanted, timm.list_models(), n=3, cutoff=0.5)
        right = f"did you mean {' or '.join(near)}?" if near else "timm.list_models() lists them"
        raise UserError(f"model {name!r}: timm has no network {wanted!r}; {right}")

    def make(in_shape: Shape) -> tuple[nn.Module, int]:
        given: dict[str, Any] = {"pretrained": False, "in_chans": in_shape[0], "num_classes": 0}
        try:
            made = timm.create_model(wanted, **given, img_size=in_shape[1:])
        except TypeError:  # most networks take images of any size, and no such argument
            made = timm.create_model(wanted, **given)
        return made, int(made.num_features)

    return make
