"""Registered methods in groups, and settings for runs of two epochs."""

from __future__ import annotations

from typing import Any

from nlbench import baselines
from nlbench.baselines import Method

# Settings in which a method that is told the noise rate by default is told nothing.
UNTOLD: dict[str, dict[str, Any]] = {
    "coteaching": {"forget": 0.4},
    "coteaching+": {"forget": 0.4},
    "jocor": {"forget": 0.4},
    "cdr": {"tau": 0.4},
}
# Settings in which a method does within two epochs what it does only later by default.
AT_ONCE: dict[str, dict[str, Any]] = {
    "selc": {"start": 0.0},
    "coteaching": {"gradual": 2},
    "coteaching+": {"gradual": 2, "start": 0.5},
    "dac": {"start": 0.5},
    "disc": {"mu": 0.0, "sigma": 0.0, "start": 0.5},
    "elr+": {"ema": 0.5},
    "dividemix": {"warm": 0.5, "threshold": 0.3},
    "promix": {"warm": 0.5, "expand": 1.0, "tau": 0.2},
    "unicon": {"warm": 0.5},
    "pes": {"warm": 0.5, "second": 1, "third": 1, "lr_new": 0.01},
    "jocor": {"gradual": 2},
    "plc": {"theta": 0.9, "start": 0.0},
    "truncated-gce": {"k": 0.1, "start": 0.5, "every": 0.5},
    "sop": {"lr_u": 1e6, "lr_v": 1e6},
}
STATEFUL = [name for name in baselines.names() if baselines.get(name).begin is not Method.begin]
STAGED = [name for name in STATEFUL if len(baselines.create(name).stages(1000)) > 1]
# Those whose steps can be recorded.
STATIC = [name for name in STATEFUL if name not in STAGED and not baselines.get(name).own_batches]
