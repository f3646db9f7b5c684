"""``python -m epsilon.foreign.ext.discovery``: see `command`."""

from __future__ import annotations

import sys

from .command import main

if __name__ == "__main__":
    sys.exit(main(program="python -m epsilon.foreign.ext.discovery"))
