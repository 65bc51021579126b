"""Published weights: found on disk and proved, never downloaded."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import urlparse

import torch

from nlbench.benchmark import datasets
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.machine.vision import torchvision
from nlbench.benchmark.models.registry import Classifier, get

_CHUNK = 1 << 20


def weights_file(name: str, root: Path | None) -> Path | None:
    """The file of a model's published weights, ``None`` if it starts from scratch.

    Looked for in the data folder, its folder ``weights`` and torch's own cache of downloads.

    Raises:
        UserError: it is not there: the message names the file and where it is to be had.
    """
    weights = get(name).weights
    if not weights:
        return None
    address = _address(weights)
    file = Path(urlparse(address).path).name
    folder = datasets.default_root() if root is None else root
    places = (folder, folder / "weights", Path(torch.hub.get_dir()) / "checkpoints")
    for place in places:
        if (place / file).is_file():
            return place / file
    raise UserError(
        f"model {name!r} starts from {weights}: no {file} in {', '.join(map(str, places))}; it is"
        f" not downloaded unasked: get it from {address}"
    )


def load_weights(network: Classifier, name: str, root: Path | None) -> None:
    """Fill the body with the model's published weights, if it has any; the head stays as drawn.

    Raises:
        UserError: the file is not there, damaged, or of another network.
    """
    path = weights_file(name, root)
    if path is None:
        return
    _prove(path)
    state = torch.load(path, map_location="cpu", weights_only=True)
    body = {key: value for key, value in state.items() if not key.startswith("fc.")}
    try:
        network.body.load_state_dict(body)
    except RuntimeError as error:
        raise UserError(f"{path}: not the weights of {name}: {error}") from error


def _prove(path: Path) -> None:
    """The published files end in the first digits of their SHA-256."""
    wanted = path.stem.rpartition("-")[2]
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    found = digest.hexdigest()[: len(wanted)]
    if found != wanted:
        raise UserError(
            f"{path}: damaged: its SHA-256 starts with {found}, in its name is {wanted}; remove it"
            " and get it again"
        )


def _address(weights: str) -> str:
    return str(torchvision("models").get_weight(weights).url)
