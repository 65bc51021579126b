"""Streamed data: images decoded from files by threads while the network trains.

Batches come in the order of the plan and every crop is in the plan, so pixels do not depend on how
many threads decode. A file that cannot be decoded does not pass silently: the pass over the data
goes on to find all of them, and then the run fails with their names.

Threads, for Pillow decodes and resizes without the interpreter's lock, and no start method of
processes works everywhere: joblib's workers cannot start any ("spawn" and "forkserver" fail in
loky, "fork" may deadlock beside other threads, those of backend multiprocessing may have none). A
500 x 375 JPEG file cropped to 224 pixels needs 1.7 to 1.9 ms of one core (AMD EPYC), 0.3 ms of it
with the lock held, so some five threads of a worker, 3,000 images a second, decode side by side. In
processes the same files took as long, and 0.1 ms more for their pixels to be sent.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from nlbench.benchmark.datasets.file_lists import shown
from nlbench.benchmark.datasets.files import FileDataset
from nlbench.benchmark.datasets.unpacked import cache_dir
from nlbench.benchmark.errors import UserError
from nlbench.benchmark.pipeline.augment import AugmentPlan
from nlbench.benchmark.pipeline.augment_files import FILE_KINDS, PLAIN, Geometry, augmented
from nlbench.noise import whole

# Images that a thread decodes at once: small, so that few are held in memory and none waits long.
CHUNK = 32
# Chunks that each thread decodes ahead.
AHEAD = 4
# Smaller than for images in memory: these are large, and so are their activations.
EVAL_BATCH = 128
# Seconds between two lines on how far a pass over the images is.
PERIOD = 30.0


@dataclass(frozen=True)
class Request:
    """A few images to decode: positions in a part of the data set, and rows of the epoch's plan."""

    part: str
    kind: str
    positions: NDArray[np.int64]
    numbers: NDArray[np.float64] | None


@dataclass(frozen=True)
class Decoded:
    """Decoded images (n, size, size, 3), and what could not be decoded: file and reason."""

    pixels: NDArray[np.uint8]
    broken: tuple[tuple[str, str], ...]


class Decoder:
    """Answers a request; the only part that runs in threads of its own."""

    def __init__(self, dataset: FileDataset) -> None:
        self._parts = dataset.parts()
        red, green, blue = (round(255 * value) for value in dataset.mean)
        self._to = Geometry(size=dataset.size, squash=dataset.squash, fill=(red, green, blue))

    def __call__(self, request: Request) -> Decoded:
        """Decode and crop; a broken file gives a black image and its name."""
        files, to = self._parts[request.part], self._to
        how = FILE_KINDS.get(request.kind, PLAIN)
        pixels = np.zeros((len(request.positions), to.size, to.size, 3), dtype=np.uint8)
        broken = []
        for at, position in enumerate(request.positions):
            numbers = () if request.numbers is None else request.numbers[at]
            path = files.root / files.paths[position]
            try:
                with Image.open(path) as image:
                    pixels[at] = augmented(_rgb(image), how, numbers, to)
            except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
                reason = " ".join(str(error).split()) or type(error).__name__
                broken.append((str(path), reason))
        return Decoded(pixels, tuple(broken))


def _rgb(image: Image.Image) -> Image.Image:
    """The image in colour; ``convert`` would copy one that is."""
    return image if image.mode == "RGB" else image.convert("RGB")


@dataclass
class Streamed:
    """A data set whose images come from files; the counterpart of ``Resident``.

    Attributes:
        dataset: lists of files and labels.
        device: where batches go.
        loaders: threads that decode; 0 = none, the thread that trains does.
        y_test: (M,) int64 on the device.
    """

    dataset: FileDataset
    device: torch.device
    loaders: int
    y_test: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.y_test = self.labels_of("test")

    @property
    def x_train(self) -> Part:
        """The training images, without augmentation."""
        return Part(self, "train")

    @property
    def x_test(self) -> Part:
        """The test images."""
        return Part(self, "test")

    @property
    def x_unknown(self) -> Part | None:
        """Images of no known class, if anything is declared to be unknown."""
        return None if self.dataset.unknown is None else Part(self, "unknown")

    @property
    def others(self) -> dict[str, tuple[Part, Tensor]]:
        """Images and labels of the further test sets."""
        return {name: (Part(self, name), self.labels_of(name)) for name in self.dataset.others}

    def labels_of(self, part: str) -> Tensor:
        """Labels of a part on the device, (n,) int64."""
        return torch.tensor(self.dataset.parts()[part].labels, device=self.device)

    def training_batches(
        self, rows: Tensor, plan: AugmentPlan, size: int
    ) -> Iterator[tuple[slice, Tensor]]:
        """Augmented batches of an epoch: where in it they are, and (B, 3, H, W) uint8 images."""
        numbers = None if plan.numbers is None else plan.numbers.cpu().numpy()
        yield from self._pass("train", plan.kind, rows.cpu().numpy(), numbers, size)

    def plain_batches(self, part: str, rows: Tensor | None) -> Iterator[Tensor]:
        """Batches of a part, or of these rows of it, without augmentation."""
        count = len(self.dataset.parts()[part])
        positions = np.arange(count) if rows is None else rows.cpu().numpy()
        for _, images in self._pass(part, "none", positions, None, EVAL_BATCH):
            yield images

    def _pass(
        self,
        part: str,
        kind: str,
        positions: NDArray[np.int64],
        numbers: NDArray[np.float64] | None,
        size: int,
    ) -> Iterator[tuple[slice, Tensor]]:
        batches = [
            slice(at, min(at + size, len(positions))) for at in range(0, len(positions), size)
        ]
        chunks = [
            [slice(at, min(at + CHUNK, b.stop)) for at in range(b.start, b.stop, CHUNK)]
            for b in batches
        ]
        requests = [
            Request(part, kind, positions[c], None if numbers is None else numbers[c])
            for batch in chunks
            for c in batch
        ]
        broken: list[tuple[str, str]] = []
        meter = Meter(f"{self.dataset.name}, {part}", len(positions))
        answers = self._decoded(requests)
        for batch, its_chunks in zip(batches, chunks, strict=True):
            decoded = [next(answers) for _ in its_chunks]
            for answer in decoded:
                broken += answer.broken
            yield batch, self._to_device([answer.pixels for answer in decoded])
            meter.show(batch.stop)
        if broken:
            raise UserError(self._complaint(part, broken, len(positions)))

    def _decoded(self, requests: Sequence[Request]) -> Iterator[Decoded]:
        """The answers in the order of the requests, so many ahead of what is asked for."""
        decode = Decoder(self.dataset)
        if not self.loaders:
            yield from map(decode, requests)
            return
        pool = ThreadPoolExecutor(self.loaders, thread_name_prefix="decode")
        waiting: deque[Future[Decoded]] = deque()
        try:
            for request in requests:
                waiting.append(pool.submit(decode, request))
                if len(waiting) > AHEAD * self.loaders:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:  # also of a pass that is given up
            pool.shutdown(cancel_futures=True)

    def _to_device(self, parts: list[NDArray[np.uint8]]) -> Tensor:
        """A batch in the layout of (B, 3, H, W) channels_last, which is how images are decoded."""
        batch = torch.from_numpy(np.concatenate(parts) if len(parts) > 1 else parts[0])
        if self.device.type == "cuda":
            batch = batch.pin_memory()
        return batch.to(self.device, non_blocking=True).permute(0, 3, 1, 2)

    def _complaint(self, part: str, broken: list[tuple[str, str]], count: int) -> str:
        path = cache_dir() / f"unreadable-{self.dataset.fingerprint[:16]}-{part}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = (f"{name}\t{reason}\n" for name, reason in sorted(broken))
        whole.write_text(path, "".join(lines))
        first = shown([f"{name} ({reason})" for name, reason in sorted(broken)])
        return (
            f"data set {self.dataset.name!r}: {len(broken):,} of {count:,} {part} images cannot be"
            f" decoded: {first}; all are listed in {path}; get them again, or name training images"
            " in exclude.txt in the set's folder"
        )


@dataclass(frozen=True)
class Part:
    """The images of one part of a streamed data set, as far as evaluation needs them."""

    source: Streamed
    name: str

    def __len__(self) -> int:
        return len(self.source.dataset.parts()[self.name])

    def batches(self, rows: Tensor | None) -> Iterator[Tensor]:
        """All of them or these rows, in order, in batches (B, 3, H, W) uint8 on the device."""
        return self.source.plain_batches(self.name, rows)


class Meter:
    """A line now and then on how far a pass over the images is and how fast."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._start = self._last = time.monotonic()

    def show(self, done: int) -> None:
        """Print it, if the last time is long enough ago."""
        now = time.monotonic()
        if now - self._last < PERIOD:
            return
        self._last = now
        rate = done / (now - self._start)
        left = (self._total - done) / rate
        tqdm.write(
            f"{self._what}: {done:,} of {self._total:,} images, {rate:,.0f} a second,"
            f" {left:.0f} s left of this pass",
            file=sys.stderr,
        )
