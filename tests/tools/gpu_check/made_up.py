"""Steps that end in every way a step can end: ``python -m tests.tools.gpu_check.made_up HOW``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time


def main(how: str) -> int:
    """Do it. What follows HOW on the command line is what every step is given."""
    say = sys.stdout.write
    say(f"this is {how}\n")
    sys.stdout.flush()
    if how == "fails":
        raise ValueError("an error of its own")
    if how == "hangs":
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)
    if how == "leaves":
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(601)"])
    if how == "dies":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "shouts":
        for number in range(3000):
            say(f"{number:06d}" + 20_000 * "x" + "\n")
        say("the last line\n")
    if how == "slow":
        time.sleep(2.5)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
