"""A SLURM on this machine: a controller and made-up nodes of one CPU, for tests.

``python -m tools.slurm_here FOLDER`` starts one, prints what finds it, and ends it with Ctrl-C. It
needs ``slurmctld slurmd slurm-client munge`` of Debian or Ubuntu, listens on loopback only, and
leaves nothing outside the folder.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue", "sinfo")
# Where packages put what an ordinary user's PATH may lack.
SBIN = ("/usr/sbin", "/sbin")
UP, DOWN = 90.0, 20.0  # seconds to wait for all to start, and for each to end
CONF = """\
ClusterName=here
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmctldPort={ports[0]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
ReturnToService=2
JobRequeue=1
KillWait=60
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerParameters=sched_interval=2,bf_interval=2
{nodes}
PartitionName=low Nodes=ALL Default=YES PriorityTier=1
PartitionName=high Nodes=ALL PriorityTier=10 PreemptMode=OFF
"""
NODE = "NodeName=n{n} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=1 RealMemory=4000"


def missing() -> tuple[str, ...]:
    """The commands that this machine lacks."""
    return tuple(name for name in NEEDED if _found(name) is None)


class Slurm:
    """Within, SLURM runs.

    Attributes:
        environment: variables by which its commands find it.
    """

    def __init__(self, folder: Path, nodes: int = 2) -> None:
        self.folder, self.nodes = folder.resolve(), nodes
        path = os.pathsep.join((os.environ.get("PATH", ""), *SBIN))
        self.environment = {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": path}
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Slurm:
        self._write()
        try:
            at = f"{self.folder}/munge."
            files = [f"--{what}-file={at}{what}" for what in ("key", "pid", "log", "seed")]
            self._start("munged", "--foreground", "--force", f"--socket={at}socket", *files)
            self._wait((self.folder / "munge.socket").exists, "munged")
            self._start("slurmctld", "-D")
            for number in range(1, self.nodes + 1):
                self._start("slurmd", "-D", "-N", f"n{number}")
            self._wait(self._idle, "the nodes")
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def call(self, *words: str, text: str = "") -> str:
        """What a command of SLURM prints."""
        done = subprocess.run(
            words,
            input=text,
            capture_output=True,
            text=True,
            env={**os.environ, **self.environment},
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def _write(self) -> None:
        for name in ("state", *(f"spool-n{n + 1}" for n in range(self.nodes))):
            (self.folder / name).mkdir(parents=True)
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        self.folder.chmod(0o755)  # munged refuses a folder that others may write to
        host, ports = socket.gethostname().partition(".")[0], _ports(self.nodes + 1)
        nodes = (
            NODE.format(n=number, host=host, port=port)
            for number, port in enumerate(ports[1:], start=1)
        )
        values = {"host": host, "user": getpass.getuser(), "folder": self.folder, "ports": ports}
        (self.folder / "slurm.conf").write_text(CONF.format(**values, nodes="\n".join(nodes)))

    def _start(self, name: str, *words: str) -> None:
        with (self.folder / f"{name}{len(self._started)}.out").open("wb") as out:
            self._started.append(
                subprocess.Popen(
                    [_found(name) or name, *words],
                    env={**os.environ, **self.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                )
            )

    def _idle(self) -> bool:
        try:
            states = self.call("sinfo", "--noheader", "--Node", "--partition=low", "--format=%T")
        except RuntimeError:  # the controller does not answer yet
            return False
        return states.split() == ["idle"] * self.nodes

    def _wait(self, happened: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + UP
        while not happened():
            ended = [p for p in self._started if p.poll() is not None]
            if ended or time.monotonic() > until:
                said = "\n".join(
                    f"{path.name}: {path.read_text(errors='replace')[-2000:]}"
                    for path in sorted([*self.folder.glob("*.out"), *self.folder.glob("*.log")])
                )
                raise RuntimeError(f"{what} did not start:\n{said}")
            time.sleep(0.2)

    def _stop(self) -> None:
        """End all: jobs, whose processes would outlive their nodes, the controller, the nodes."""
        with contextlib.suppress(RuntimeError):  # the controller is not up
            user = f"--user={getpass.getuser()}"
            self.call("scancel", "--full", "--signal=KILL", user)
            self.call("scancel", user)
            until = time.monotonic() + DOWN
            while self.call("squeue", "--noheader") and time.monotonic() < until:
                time.sleep(0.2)
        for process in self._started[1:] + self._started[:1]:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(DOWN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _found(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), *SBIN)))


def _ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for made in sockets:
        made.bind(("127.0.0.1", 0))
    ports = [made.getsockname()[1] for made in sockets]
    for made in sockets:
        made.close()
    return ports


def main() -> None:
    """Start one, and wait for Ctrl-C."""
    if lacking := missing():
        sys.exit(
            f"slurm_here: no {', '.join(lacking)}; of Debian:"
            " apt-get install slurmctld slurmd slurm-client munge"
        )
    folder = Path(sys.argv[1]) if sys.argv[1:] else Path(tempfile.mkdtemp(prefix="slurm-here-"))
    with Slurm(folder) as slurm:
        sys.stdout.write(f"export SLURM_CONF={slurm.environment['SLURM_CONF']}\n")
        sys.stdout.flush()
        try:
            signal.pause()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
