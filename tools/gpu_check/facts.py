"""Which GPU and libraries these are, and the rate of a large matrix product."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from nlbench.benchmark.machine.device import resolve
from nlbench.benchmark.machine.environment import CODE, environment
from nlbench.benchmark.speed.peak_flops import product_flops
from tools.gpu_check import words

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = ("torch", "torchvision", "numpy", "scipy", "pandas", "scikit-learn", "triton", "pytest")


def main() -> int:
    """Write facts.json, first what is known at once."""
    args = words.options(__doc__).parse_args()
    device = resolve(args.device)
    facts = {
        **environment(device),
        "cores": os.cpu_count(),
        "libraries": {name: _version(name) for name in LIBRARIES},
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
        "card": _card(device),
        "driver": _driver(),
    }
    words.write(args.tables / "facts.json", facts)
    for name, kind in (("bf16", torch.bfloat16), ("float32", torch.float32)):
        facts[f"peak {name}, TFLOP/s"] = round(product_flops(device, kind) / 1e12, 3)
        words.write(args.tables / "facts.json", facts)
    return 0


def code(root: Path = ROOT) -> str:
    """SHA-256 over the code of a tree: it identifies the commit of a copy that has no .git."""
    digest = hashlib.sha256()
    files = (path for name in CODE for path in [root / name, *(root / name).rglob("*")])
    for path in sorted(p for p in files if p.suffix in (".py", ".toml") and p.is_file()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _card(device: torch.device) -> dict[str, Any] | None:
    if device.type != "cuda":
        return None
    found = torch.cuda.get_device_properties(device)
    return {
        "name": found.name,
        "GiB": round(found.total_memory / 2**30, 1),
        "multiprocessors": found.multi_processor_count,
        "capability": f"{found.major}.{found.minor}",
    }


def _driver() -> str | None:
    """Driver, clocks and power as nvidia-smi reports them, where it is."""
    if shutil.which("nvidia-smi") is None:
        return None
    fields = "driver_version,clocks.max.sm,power.limit,temperature.gpu"
    command = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except subprocess.TimeoutExpired:
        return "nvidia-smi did not answer within 10 s"
    return (done.stdout or done.stderr).strip()


if __name__ == "__main__":
    raise SystemExit(main())
