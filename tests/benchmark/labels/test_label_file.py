"""Files of labels against what they were made from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nlbench import noise
from nlbench.benchmark.labels.draw import draw_labels
from nlbench.benchmark.labels.label_file import audit, difference
from nlbench.benchmark.spec.run_spec import DatasetSpec
from nlbench.noise import NoiseError, NoisyLabels


@pytest.fixture(scope="module")
def labels() -> NoisyLabels:
    return draw_labels("pair:0.25", DatasetSpec("digits", 20), 3, None)


def test_labels_drawn_again_do_not_differ_and_changed_ones_are_counted(labels: NoisyLabels) -> None:
    assert difference(labels, 20, None) == ""
    assert "made for 200 samples, digits has 1000 here" in difference(labels, None, None)
    noisy = labels.noisy.copy()
    noisy[:3] = (labels.clean[:3] + 5) % 10
    words = "0 clean and 3 noisy labels differ from those drawn again from pair:0.25, seed 3"
    assert difference(replace(labels, noisy=noisy), 20, None) == words


def test_labels_of_no_data_set_are_checked_by_themselves() -> None:
    made = noise.make("pair:0.25", np.arange(40) % 4, num_classes=4, seed=0)
    assert difference(made, None, None) == ""
    with pytest.raises(NoiseError):
        difference(replace(made, noisy=np.roll(made.noisy, 1)), None, None)


def test_an_audit_is_written_as_table_json_and_figure(labels: NoisyLabels, tmp_path: Path) -> None:
    audited = audit(labels, 20, None)
    assert "pair:0.25" in audited.text
    written = audited.write(tmp_path / "audit")
    assert [path.name for path in written] == ["audit.json", "audit.md", "audit.png"]
    assert json.loads(written[0].read_text()) == json.loads(json.dumps(audited.found))
    assert written[1].read_text() == audited.text + "\n"
    assert written[2].read_bytes().startswith(b"\x89PNG")
    assert audited.found["instance"] is not None, "the images were looked at"
