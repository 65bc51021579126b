"""``nlbench noise``: make, inspect and verify files of noisy labels."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from tabulate import tabulate

import noise
from benchmark import datasets
from benchmark.cli import options
from benchmark.datasets import Dataset
from benchmark.errors import UserError
from noise import NoisyLabels

TEXT = """\
Noisy labels as files: one .npz per label set, with its setting, seed, rates and SHA-256
fingerprint. The same setting, data set and seed give the same bits on every machine, and they are
the labels that `nlbench run` trains on.
"""
EXAMPLES = """\
  nlbench noise make symmetric:0.4 --dataset digits --seed 0 --out labels.npz
  nlbench noise make asymmetric:0.3:map=block5 --dataset cifar100 --seed 1 --out c100.npz
  nlbench noise inspect labels.npz
  nlbench noise inspect labels.npz --json
  nlbench noise verify labels.npz        check the file, and draw its labels again to compare
  nlbench list noise                     all models and their options
"""


def add(commands: options.Commands) -> None:
    """Register the command and its three verbs."""
    parser = options.command(commands, "noise", "make, inspect, verify label files", TEXT, EXAMPLES)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    make = verbs.add_parser("make", help="corrupt the labels of a data set and save them")
    make.add_argument("spec", metavar="NOISE", help="one line, e.g. symmetric:0.4, instance:0.3")
    make.add_argument("--dataset", required=True, metavar="NAME", help="nlbench list datasets")
    make.add_argument("--train-per-class", type=int, metavar="N", help="first N images a class")
    make.add_argument("--seed", type=int, default=0, metavar="S", help="noise seed (default 0)")
    make.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="file to write (.npz)"
    )
    options.add_data(make)
    make.set_defaults(call=call_make)
    inspect = verbs.add_parser("inspect", help="show what is in label files")
    inspect.add_argument("files", nargs="+", type=Path, metavar="FILE")
    inspect.add_argument("--json", action="store_true", help="as JSON, one object a line")
    inspect.set_defaults(call=call_inspect)
    verify = verbs.add_parser("verify", help="check label files and draw their labels again")
    verify.add_argument("files", nargs="+", type=Path, metavar="FILE")
    verify.add_argument(
        "--train-per-class", type=int, metavar="N", help="as the file was made, if it was"
    )
    options.add_data(verify)
    verify.set_defaults(call=call_verify)


def call_make(args: argparse.Namespace) -> int:
    """Carry ``noise make`` out."""
    dataset = _dataset(args.dataset, args.train_per_class, args.data)
    labels = noise.make(
        args.spec,
        dataset.y_train,
        num_classes=dataset.num_classes,
        seed=args.seed,
        features=dataset.x_train,
        dataset=dataset.name,
    )
    labels.save(args.out)
    print(f"{args.out}\n{describe(labels)}")
    return 0


def call_inspect(args: argparse.Namespace) -> int:
    """Carry ``noise inspect`` out."""
    for path in args.files:
        labels = NoisyLabels.load(path)
        print(json.dumps(labels.describe()) if args.json else f"{path}\n{describe(labels)}")
    return 0


def call_verify(args: argparse.Namespace) -> int:
    """Carry ``noise verify`` out."""
    for path in args.files:
        labels = NoisyLabels.load(path)
        if labels.dataset is None:
            noise.verify(labels)
        else:
            dataset = _dataset(labels.dataset, args.train_per_class, args.data)
            noise.verify(labels, labels=dataset.y_train, features=dataset.x_train)
        print(f"{path}: sound, and drawn again from its setting to the bit ({labels.spec})")
    return 0


def describe(labels: NoisyLabels) -> str:
    """Facts of a label set, with its transition matrix if that fits a page."""
    facts = labels.describe()
    rows = [
        ("setting", facts["spec"]),
        ("data set", facts["dataset"]),
        ("seed", facts["seed"]),
        ("samples, classes", f"{facts['samples']:,}, {facts['num_classes']}"),
        ("nominal rate", f"{labels.nominal_rate:.4f}"),
        ("realised rate", f"{labels.realised_rate:.4f}"),
        ("per class", f"{np.nanmin(labels.per_class_rate):.4f} to"
                      f" {np.nanmax(labels.per_class_rate):.4f}"),
        ("fingerprint", facts["fingerprint"]),
    ]  # fmt: skip
    text = tabulate(rows, tablefmt="plain", disable_numparse=True)
    if labels.num_classes > 20:
        return text
    counts = labels.transition_counts
    matrix = tabulate(
        [[f"true {i}", *row] for i, row in enumerate(counts.tolist())],
        headers=["", *(f"given {j}" for j in range(labels.num_classes))],
    )
    return f"{text}\n\n{matrix}"


def _dataset(name: str, train_per_class: int | None, root: Path | None) -> Dataset:
    if train_per_class is not None and train_per_class < 1:
        raise UserError(f"--train-per-class {train_per_class} must be at least 1")
    return datasets.load(name, root, download=True).subset(train_per_class)
