"""Proofs of backend graph: every method, the suites' networks, float64 and bf16, strict and fast.

There are more cases than there is time for: they are tried in the order of what they are worth.
Cases are shared out to processes, for an error on a GPU may end every computation of its process.
"""

from __future__ import annotations

import itertools
import multiprocessing
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from nlbench import baselines
from nlbench.baselines import Method
from nlbench.benchmark.machine.device import cores, resolve
from nlbench.benchmark.runs.backend_check import METHODS
from tools.gpu_check import words
from tools.gpu_check.prove import Case, Proof, prove, skipped

TABLE = "proofs.json"
# The methods of the study: what has to be proved before it is trained by graphs.
STUDY = ("ce", "gce", "drainage")
MODELS = {"cuda": ("cnn8", "resnet18"), "cpu": ("cnn_small",)}
MODES = (("bf16", True), ("float64", True), ("bf16", False), ("float64", False))
# A case takes seconds; a GPU that does not answer is not waited for.
PATIENCE = 45.0
# Seconds that are kept for ending the processes and for the table.
MARGIN = 4.0
Prove = Callable[[Case, torch.device], Proof]


def cases(methods: Sequence[str], models: Sequence[str]) -> list[Case]:
    """All cases, in the order of what they are worth.

    The study's methods first, then a method for each thing that a method can do in a step, then the
    others; strict mode, which the study trains in, before the fast one.
    """
    kinds = one_of_each_kind(methods)

    def worth(case: Case) -> tuple[bool, bool, bool]:
        return (case.method not in STUDY, not case.strict, case.method not in kinds)

    made = itertools.product(models, MODES, methods)
    return sorted((Case(name, model, *mode) for model, mode, name in made), key=worth)


def one_of_each_kind(methods: Sequence[str]) -> list[str]:
    """Of the methods that graph trains some that together do all that any does; METHODS first."""
    seen: set[str] = set()
    chosen = []
    carried = [name for name in methods if not skipped(name)]
    for name in sorted(carried, key=lambda name: name not in METHODS):
        new = does(type(baselines.create(name, {}))) - seen
        if name in METHODS or new:
            chosen.append(name)
            seen |= new
    return chosen


def does(kind: type[Method]) -> set[str]:
    """What a class has in place of a default of Method: hooks and declarations."""
    defaults = {name: value for name, value in vars(Method).items() if not name.startswith("_")}
    return {name for name, value in defaults.items() if getattr(kind, name) != value}


@dataclass
class Trial:
    """Cases that processes take one after the other, and what came of them.

    Attributes:
        device: where.
        until: time of ``time.monotonic`` when all must be over.
        path: table that is written anew after each case.
        prove: the proof of a case; sent to processes, so a function of a module.
        patience: seconds for one case.
    """

    device: str
    until: float
    path: Path
    prove: Prove = prove
    patience: float = PATIENCE
    proofs: list[Proof] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, todo: Iterable[Case], workers: int) -> list[Proof]:
        """Try all cases, or as many as there is time for; untried ones are listed as such."""
        waiting = deque(todo)
        threads = [threading.Thread(target=self._serve, args=(waiting,)) for _ in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._note(*map(_untried, waiting))
        return self.proofs

    def _serve(self, waiting: deque[Case]) -> None:
        """Cases one by one in a process, a new one after each case that did not end well."""
        process: _Process | None = None
        while waiting and time.monotonic() < self.until:
            try:
                case = waiting.popleft()
            except IndexError:  # another thread took the last one
                break
            process = process or _Process(self.prove, self.device)
            proof = process.ask(case, self.patience, self.until)
            self._note(proof)
            if proof.tried and not proof.ok:
                process.end()
                process = None
        if process is not None:
            process.end()

    def _note(self, *proofs: Proof) -> None:
        with self._lock:
            self.proofs.extend(proofs)
            words.write(self.path, [asdict(p) for p in self.proofs])
            for proof in proofs:
                _say(proof)


def _say(proof: Proof) -> None:
    said = "ok" if proof.ok else f"{'FAILED: ' if proof.tried else ''}{proof.reason}"
    print(f"{proof.case}: {said} ({proof.seconds:.1f} s)")
    if proof.traceback:
        operation, kernel = proof.operation or "not known", proof.kernel or "none named"
        print(f"  operation: {operation}; kernel: {kernel}")
        print(proof.traceback)


class _Process:
    """A process that proves one case after the other, until it ends or is killed."""

    def __init__(self, proving: Prove, device: str) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._end, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_answer, args=(theirs, proving, device), daemon=True)
        self._process.start()
        self._ready = False
        theirs.close()

    def ask(self, case: Case, patience: float, until: float) -> Proof:
        """The proof of a case; a failed one if the process is killed or does not answer.

        Args:
            case: to be proved.
            patience: seconds, from when the process has started.
            until: time of ``time.monotonic`` beyond which is not waited.
        """
        start = time.monotonic()
        try:
            if not self._ready:
                self._ready = self._end.poll(max(0.0, until - start)) and self._end.recv()
                start = time.monotonic()
            self._end.send(case)
            if self._end.poll(max(0.0, min(patience, until - start))):
                answer = self._end.recv()
                assert isinstance(answer, Proof)
                return answer
            if time.monotonic() - start < patience:
                return _untried(case)
            reason = f"no answer within {time.monotonic() - start:.0f} s"
        except (EOFError, OSError):
            self._process.join(5)
            reason = f"the process died (exit status {self._process.exitcode})"
        took = round(time.monotonic() - start, 2)
        return Proof(str(case), ok=False, seconds=took, reason=reason)

    def end(self) -> None:
        """Whatever it is doing."""
        self._process.kill()
        self._process.join()


def _untried(case: Case) -> Proof:
    return Proof(str(case), ok=False, tried=False, reason="not tried: the time was over")


def _answer(end: Connection, proving: Prove, device: str) -> None:
    where = resolve(device)
    end.send(True)
    while True:
        try:
            end.send(proving(end.recv(), where))
        except EOFError:
            return


def unproved(proofs: Sequence[dict[str, object]] | None, model: str) -> str:
    """Why graphs are not used for the study's runs on this network; empty if they are."""
    if proofs is None:
        return "there are no proofs"
    by_case = {proof["case"]: proof for proof in proofs}
    for precision, method in itertools.product(("bf16", "float64"), STUDY):
        case = str(Case(method, model, precision, strict=True))
        proof = by_case.get(case)
        if proof is None:
            return f"{case}: not tried"
        if not proof["ok"]:
            return f"{case}: {proof['reason']}"
    return ""


def main() -> int:
    """Try the cases within the time; the exit status is 1 if one that was tried failed."""
    args = words.options(__doc__ or "").parse_args()
    kind = resolve(args.device).type
    trial = Trial(args.device, words.end(args) - MARGIN, args.tables / TABLE)
    workers = min(12, max(1, cores() - 2)) if kind == "cuda" else 1
    methods = baselines.names() if kind == "cuda" else one_of_each_kind(baselines.names())
    proofs = trial.run(cases(methods, MODELS[kind]), workers)
    tried = [proof for proof in proofs if proof.tried]
    print(f"{sum(proof.ok for proof in tried)} of {len(tried)} tried, {len(proofs)} in all")
    return 0 if all(proof.ok for proof in tried) else 1


if __name__ == "__main__":
    raise SystemExit(main())
