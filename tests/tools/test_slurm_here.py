"""What starts a SLURM of one's own, without starting one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import slurm_here


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slurm_here, "SBIN", ())
    monkeypatch.setenv("PATH", "")
    assert slurm_here.missing() == slurm_here.NEEDED
    with pytest.raises(SystemExit, match=r"no munged, slurmctld, .*apt-get install"):
        slurm_here.main()


def test_every_node_is_on_loopback_and_has_a_port_of_its_own(tmp_path: Path) -> None:
    slurm = slurm_here.Slurm(tmp_path / "slurm", nodes=3)
    slurm._write()
    text = (tmp_path / "slurm" / "slurm.conf").read_text()
    nodes = [line for line in text.splitlines() if line.startswith("NodeName=")]
    assert len({line.split("Port=")[1] for line in nodes}) == 3
    assert all("NodeAddr=127.0.0.1 " in line for line in nodes)
    assert "CommunicationParameters=NoInAddrAny,NoCtldInAddrAny\n" in text
    assert (tmp_path / "slurm" / "munge.key").stat().st_mode & 0o777 == 0o400
