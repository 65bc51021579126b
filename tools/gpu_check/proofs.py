"""Proofs of backend graph: every method, the suites' networks, float64 and bf16, strict and fast.

Cases are shared out to processes, for an error on a card may take everything in its process along.
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
from nlbench.benchmark.machine.device import cores, resolve
from tools.gpu_check import words
from tools.gpu_check.prove import Case, Proof, prove

TABLE = "proofs.json"
# The methods of the study: what has to be proved before it is trained by graphs.
STUDY = ("ce", "gce", "drainage")
MODELS = {"cuda": ("cnn8", "resnet18"), "cpu": ("mlp", "cnn_small")}
MODES = (("bf16", True), ("float64", True), ("bf16", False), ("float64", False))
# A case takes seconds; a card that does not answer is not waited for.
PATIENCE = 45.0
Prove = Callable[[Case, torch.device], Proof]


def cases(methods: Sequence[str], models: Sequence[str]) -> list[Case]:
    """All cases: the study's methods first, in the mode of the study first."""
    firsts = sorted(methods, key=lambda name: name not in STUDY)
    made = [
        Case(method, model, precision, strict)
        for (precision, strict), model, method in itertools.product(MODES, models, firsts)
    ]
    return sorted(made, key=lambda case: (case.method not in STUDY, not case.strict))


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
        for case in waiting:
            self._note(Proof(str(case), ok=False, reason="not tried: the time was over"))
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
            if not proof.ok:
                process.end()
                process = None
        if process is not None:
            process.end()

    def _note(self, proof: Proof) -> None:
        with self._lock:
            self.proofs.append(proof)
            words.write(self.path, [asdict(p) for p in self.proofs])
            said = "ok" if proof.ok else f"FAILED: {proof.reason}"
            print(f"{proof.case}: {said} ({proof.seconds:.1f} s)")
            if proof.traceback:
                print(f"  operation: {proof.operation}; kernel: {proof.kernel or 'none named'}")
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
    """Try all cases within the time; the exit status is 1 if one failed."""
    args = words.options(__doc__ or "").parse_args()
    kind = resolve(args.device).type
    trial = Trial(args.device, words.end(args), args.tables / TABLE)
    workers = min(6, max(1, cores() // 2)) if kind == "cuda" else 1
    proofs = trial.run(cases(baselines.names(), MODELS[kind]), workers)
    print(f"{sum(proof.ok for proof in proofs)} of {len(proofs)} cases proved")
    return 0 if all(proof.ok for proof in proofs) else 1


if __name__ == "__main__":
    raise SystemExit(main())
