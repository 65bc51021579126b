"""``python -m nlbench`` is ``nlbench``."""

import sys

from nlbench.cli import main

if __name__ == "__main__":
    sys.exit(main())
