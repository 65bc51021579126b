"""The networks of one run: their weights, what they predict, and copies to go on from."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

import torch
from torch import Tensor, nn

from nlbench.baselines import Stage
from nlbench.benchmark import models
from nlbench.benchmark.pipeline.in_memory import Resident
from nlbench.benchmark.pipeline.normalise import Normaliser
from nlbench.benchmark.pipeline.streaming import Part
from nlbench.benchmark.spec.recipe import Recipe
from nlbench.benchmark.training.epoch_stats import Answers, accuracy
from nlbench.benchmark.training.images import augmented, batches
from nlbench.benchmark.training.memory import Memory
from nlbench.benchmark.training.optimizer import optimiser, restore, saved
from nlbench.benchmark.training.task import Cost, Task


class Member:
    """One network of a run and its optimiser.

    Attributes:
        network: the module.
        call: what a step calls: the module, or a compiled form of it.
        names: of the weights.
        tensors: weights and buffers by name, without gradient.
    """

    def __init__(self, network: nn.Module, recipe: Recipe) -> None:
        self.network = network
        self.call: Callable[[Tensor], Tensor] = network
        self.names, self.parameters = zip(*network.named_parameters(), strict=True)
        self.tensors: dict[str, Tensor] = network.state_dict()
        self.optimiser = optimiser(recipe, self.parameters)

    def copied(self) -> dict[str, Tensor]:
        """A copy of weights and buffers."""
        return {name: tensor.clone() for name, tensor in self.tensors.items()}

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take weights and buffers over, in place."""
        with torch.no_grad():
            for name, tensor in self.tensors.items():
                tensor.copy_(tensors[name])

    def redraw(self, stage: Stage, draws: models.GeneratorFor, classes: int) -> None:
        """Draw the last parts of the network anew if the stage does."""
        if stage.redraw:
            network = cast(models.Classifier, self.network)
            models.redraw(network, models.last_parts(network, stage.last), draws, classes)

    def choose(self, stage: Stage) -> None:
        """Train what the stage trains alone; no gradient is left from before."""
        last: tuple[str, ...] = ()
        if stage.trains != "all":
            found = models.last_parts(cast(models.Classifier, self.network), stage.last)
            last = tuple(f"{name}." for name in found)
        for name, parameter in zip(self.names, self.parameters, strict=True):
            parameter.grad = None
            among = "last" if name.startswith(last) else "others"
            parameter.requires_grad_(stage.trains in ("all", among))

    @property
    def trained(self) -> list[nn.Parameter]:
        """The weights that are trained."""
        return [parameter for parameter in self.parameters if parameter.requires_grad]

    @property
    def gradients(self) -> dict[str, Tensor]:
        """Every gradient there is, by the name of the weight."""
        pairs = zip(self.names, self.parameters, strict=True)
        return {name: p.grad for name, p in pairs if p.grad is not None}


class Networks:
    """The networks of one run, what its method keeps, and what they predict.

    Attributes:
        task: the run.
        members: one for each network.
        memory: the method's state.
        held: ids of the held-out samples.
        cost: of the training so far.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.cost = Cost()
        self.members = [Member(network, task.recipe) for network in task.networks]
        dataset = task.data.dataset
        self.normalise = Normaliser(dataset.mean, dataset.std, task.device, task.dtype)
        self.memory = Memory(task)
        self.held = torch.tensor(task.split.validation, device=task.device)

    def load(self, task: Task) -> None:
        """Take over another run of the same networks, method and recipe."""
        self.task = task
        self.cost = Cost()
        self.memory.load(task)
        self.held = torch.tensor(task.split.validation, device=task.device)

    def load_weights(self, weights: Sequence[Mapping[str, Tensor]]) -> None:
        """Give every member its weights and buffers."""
        for member, tensors in zip(self.members, weights, strict=True):
            member.load(tensors)

    def saved(self) -> dict[str, Any]:
        """Copies of all that training changes: networks, optimisers, the method's state."""
        own = self.memory.optimiser
        return {
            "members": [member.copied() for member in self.members],
            "optimisers": [copy.deepcopy(saved(member.optimiser)) for member in self.members],
            "state": {name: tensor.clone() for name, tensor in self.memory.state.named().items()},
            "cost": asdict(self.cost),
            "own": {} if own is None else copy.deepcopy(saved(own)),
        }

    def restore(self, content: Mapping[str, Any]) -> None:
        """Take over what :meth:`saved` gave, in place."""
        parts = zip(self.members, content["members"], content["optimisers"], strict=True)
        for member, tensors, state in parts:
            member.load(tensors)
            restore(member.optimiser, state)
        self.memory.state.load(content["state"])
        self.cost = Cost(**content["cost"])
        if self.memory.optimiser is not None:
            restore(self.memory.optimiser, content["own"])

    def forward(self, images: Tensor, network: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Logits; bf16 by autocast if the recipe's precision is bf16."""
        half = self.task.recipe.precision == "bf16"
        with torch.autocast(self.task.device.type, torch.bfloat16, enabled=half):
            # Not `or`: a module with a length has a truth value, a compiled one raises there.
            return (self.task.network if network is None else network)(images)

    def sweep(self, epoch: int) -> Tensor:
        """Logits of the whole training set in evaluation mode, (members, N, outputs).

        Without augmentation, or the logarithm of the mean probabilities for the method's
        `sweep_views`, augmented as no other epoch's are.
        """
        views = self.task.method.sweep_views
        self.cost.forward += max(1, views) * len(self.members) * self.memory.facts.samples
        if not views:
            return torch.stack(list(self._evaluated(self.task.data.x_train, None, self._plain)))
        images = (augmented(self.task, "sweep", epoch, view) for view in range(views))
        shares = [torch.stack(list(self._evaluated(one, None, self._plain))) for one in images]
        return torch.stack(shares).log_softmax(dim=-1).logsumexp(dim=0) - math.log(views)

    def predictions(self, images: Tensor | Part, rows: Tensor | None = None) -> tuple[Tensor, ...]:
        """Closed-set predictions in evaluation mode, without augmentation.

        Returns:
            Those of the method; where there are several members, also those of the first alone.
        """
        return self._evaluated(images, rows, self._predicted)

    def answers(self) -> Answers:
        """Test images that are right, and predictions of the held-out images."""
        data = self.task.data
        correct = [found == data.y_test for found in self.predictions(data.x_test)]
        held = self.predictions(data.x_train, self.held)[0] if len(self.held) else None
        return Answers(correct[0], correct[1] if correct[1:] else None, held, len(self.members))

    def no_answers(self) -> Answers:
        """The answers of an epoch that is not evaluated."""
        return Answers(members=len(self.members))

    def accuracy_elsewhere(self) -> dict[str, float]:
        """Accuracy on the data set's further test sets, if it has any."""
        data = self.task.data
        if isinstance(data, Resident):
            return {}
        return {
            name: accuracy(self.predictions(images)[0] == labels)
            for name, (images, labels) in data.others.items()
        }

    def finite(self) -> bool:
        """Whether every weight and all of the state is finite (waits for the device)."""
        return bool(self.norm().isfinite())

    def norm(self) -> Tensor:
        """A scalar on the device that is finite exactly if every weight and all the state is."""
        weights = [p.detach() for member in self.members for p in member.parameters]
        total = torch.stack(torch._foreach_norm(weights)).sum()
        own = self.memory.norm()
        return total if own is None else total + own

    def _plain(self, logits: list[Tensor]) -> tuple[Tensor, ...]:
        return tuple(one.to(self.task.dtype) for one in logits)

    def _predicted(self, logits: list[Tensor]) -> tuple[Tensor, ...]:
        method = self.task.method
        found = method.predict(method.combine(logits))
        return (found,) if len(logits) == 1 else (found, method.predict(logits[0]))

    @torch.no_grad()
    def _evaluated(
        self,
        images: Tensor | Part,
        rows: Tensor | None,
        change: Callable[[list[Tensor]], tuple[Tensor, ...]],
    ) -> tuple[Tensor, ...]:
        """What ``change`` makes of the members' logits, batch by batch."""
        for member in self.members:
            member.network.eval()
        parts = []
        for batch in batches(images, rows):
            ready = self.normalise(batch)
            parts.append(change([self.forward(ready, m.network) for m in self.members]))
        return tuple(torch.cat(column) for column in zip(*parts, strict=True))
