"""Devices by name."""

from __future__ import annotations

import pytest
import torch

from nlbench.benchmark.errors import UserError
from nlbench.benchmark.machine.device import resolve


def test_a_gpu_has_its_number_as_tensors_on_it_say_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch takes cuda and cuda:0 for different devices, and tensors are on cuda:0."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve("cuda") == torch.device("cuda:0") != torch.device("cuda")
    assert resolve("cuda:1") == torch.device("cuda:1")
    assert resolve("cuda", here=False) == torch.device("cuda"), "of another machine"
    with pytest.raises(UserError, match="there are 2 GPUs, cuda:0 to cuda:1"):
        resolve("cuda:2")


def test_other_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve("auto") == resolve("cpu") == torch.device("cpu")
    for name in ("tpu", "meta", "cuda:x"):
        with pytest.raises(UserError, match=name):
            resolve(name)


@pytest.mark.gpu
def test_it_is_the_device_of_a_tensor_there() -> None:
    assert torch.zeros(1, device="cuda").device == resolve("cuda")
