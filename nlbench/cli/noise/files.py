"""``nlbench noise``: make, inspect, check and export files of noisy labels."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from nlbench import noise
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.labels import label_file
from nlbench.benchmark.labels import tables as noise_tables
from nlbench.benchmark.labels.draw import draw_labels
from nlbench.benchmark.spec.run_spec import DatasetSpec
from nlbench.cli import options
from nlbench.cli.noise import library as noise_library
from nlbench.noise import NoisyLabels

TEXT = """\
Noisy labels as files: one .npz per label set, with its setting, seed, rates and SHA-256
fingerprint. The same setting, data set and seed give the same bits on every machine, and they are
the labels that `nlbench run` trains on. `nlbench list noise` shows all models and their options.
"""
EXAMPLES = """\
  nlbench noise make symmetric:0.4 --dataset digits --seed 0 --out labels.npz
  nlbench noise make asymmetric:0.3:map=block5 --dataset cifar100 --seed 1 --out c100.npz
  nlbench noise make symmetric:0.2+instance:0.2 --dataset fashion_mnist --out mixed.npz
  nlbench noise inspect labels.npz --json
  nlbench noise verify labels.npz        check the file, and draw its labels again to compare
  nlbench noise audit labels.npz --out audit/     what the noise really is, as table, JSON, figure
  nlbench noise compare labels.npz other.npz      how far two label sets agree
  nlbench noise export labels.npz labels.csv      for other code: .npy, .json or .csv
  nlbench noise verify results/noise/fingerprints.csv    draw every published label set again
  nlbench noise release labels cifar10   label files of the usual settings, with a datasheet
"""


def add(commands: options.Commands) -> None:
    """Register the command and its verbs."""
    parser = options.command(commands, "noise", "label files: make, verify, audit", TEXT, EXAMPLES)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    make = verbs.add_parser("make", help="corrupt the labels of a data set and save them")
    make.add_argument("spec", metavar="NOISE", help="one line, e.g. symmetric:0.4, instance:0.3")
    make.add_argument("--dataset", required=True, metavar="NAME", help="nlbench list datasets")
    make.add_argument(
        "--seed", type=options.count(0), default=0, metavar="S", help="noise seed (default 0)"
    )
    make.add_argument("--out", required=True, type=Path, metavar="FILE", help="to write (.npz)")
    inspect = verbs.add_parser("inspect", help="show what is in label files")
    inspect.add_argument("--json", action="store_true", help="as JSON, one object a line")
    verify = verbs.add_parser("verify", help="check label files and draw their labels again")
    audit = verbs.add_parser("audit", help="what the noise really is: table, JSON and figure")
    audit.add_argument("--out", type=Path, metavar="DIR", help="write audit.json, .md, .png")
    compare = verbs.add_parser("compare", help="how far two label files agree")
    export = verbs.add_parser("export", help="write the labels as .npy, .json or .csv")
    for verb in (inspect, verify):
        verb.add_argument("files", nargs="+", type=Path, metavar="FILE")
    for verb in (audit, compare, export):
        verb.add_argument("file", type=Path, metavar="FILE")
    compare.add_argument("other", type=Path, metavar="OTHER")
    export.add_argument("target", type=Path, metavar="TARGET")
    for verb in (make, verify, audit):
        verb.add_argument(
            "--train-per-class",
            type=options.count(1),
            metavar="N",
            help="first N training images a class",
        )
        options.add_data(verb)
    noise_library.add_verbs(verbs)
    make.set_defaults(call=call_make)
    inspect.set_defaults(call=call_inspect)
    verify.set_defaults(call=call_verify)
    audit.set_defaults(call=call_audit)
    compare.set_defaults(call=call_compare)
    export.set_defaults(call=call_export)


def call_make(args: argparse.Namespace) -> int:
    """Carry ``noise make`` out."""
    spec = DatasetSpec(args.dataset, args.train_per_class)
    labels = draw_labels(args.spec, spec, args.seed, args.data)
    labels.save(args.out)
    print(f"{args.out}\n{noise_tables.facts(labels)}")
    return 0


def call_inspect(args: argparse.Namespace) -> int:
    """Carry ``noise inspect`` out."""
    for path in args.files:
        labels = NoisyLabels.load(path)
        text = json.dumps(labels.describe()) if args.json else noise_tables.facts(labels)
        print(text if args.json else f"{path}\n{text}")
    return 0


def call_verify(args: argparse.Namespace) -> int:
    """Carry ``noise verify`` out: the file, then the bits drawn again."""
    for path in args.files:
        if path.suffix == ".csv":
            noise_library.verify_table(path, args.data)
            continue
        labels = NoisyLabels.load(path)
        if differing := label_file.difference(labels, args.train_per_class, args.data):
            raise UserError(f"{path}: {differing}")
        print(f"{path}: sound, and drawn again from its setting to the bit ({labels.spec})")
    return 0


def call_audit(args: argparse.Namespace) -> int:
    """Carry ``noise audit`` out."""
    audited = label_file.audit(NoisyLabels.load(args.file), args.train_per_class, args.data)
    print(audited.text)
    if args.out is not None:
        written = audited.write(args.out)
        print(f"\n{args.out}: {', '.join(path.name for path in written)}")
    return 0


def call_compare(args: argparse.Namespace) -> int:
    """Carry ``noise compare`` out."""
    one, other = NoisyLabels.load(args.file), NoisyLabels.load(args.other)
    print(noise_tables.rows(noise.compare(one, other)))
    return 0


def call_export(args: argparse.Namespace) -> int:
    """Carry ``noise export`` out."""
    labels = NoisyLabels.load(args.file)
    noise.export(labels, args.target)
    print(f"{args.target}: {len(labels):,} labels of {labels.spec}")
    return 0
