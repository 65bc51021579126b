from __future__ import annotations

from pathlib import Path

import pytest

from nlbench import noise
from tools import noise_gallery


def test_the_gallery_shows_every_model_and_legacy_variant() -> None:
    lines = [entry.line for entry in noise_gallery.ENTRIES]
    kinds = {noise.NoiseSpec.parse(line).kind for line in lines}
    assert kinds == set(noise.names()) - {"given"}  # which images are wrong is not known
    words = {word for line in lines for word in line.split(":")}
    for kind in ("symmetric", "asymmetric"):
        choices = noise.get(kind).option("legacy").choices or ()
        assert {f"legacy={choice}" for choice in choices if choice != "none"} <= words


def test_gallery_rows_are_drawn_or_the_reason_is_given(tmp_path: Path) -> None:
    wanted = {"clean", "symmetric:0.4", "transition:matrix.csv", "human:worse"}
    entries = tuple(entry for entry in noise_gallery.ENTRIES if entry.line in wanted)
    found = {e.line: row for e, row in noise_gallery.rows("digits", 0, tmp_path, entries)}
    assert set(found) == wanted
    assert "cifar10_jpeg" in str(found.pop("human:worse"))
    shown = [row for row in found.values() if isinstance(row, noise_gallery.Row)]
    rates = [row.labels.realised_rate for row in shown]
    assert rates == pytest.approx([0, 0.4, 0.4], abs=0.01)
    noise_gallery.draw(shown, tmp_path / "gallery.png")
    assert (tmp_path / "gallery.png").read_bytes()[1:4] == b"PNG"
