"""A fresh interpreter for what happens only once in a process: the first binding, the first call, an import.

The child runs ``module:function`` with JSON arguments and prints the JSON of what it returns.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from typing import Any

from .contestant import UnavailableError


def run(function: str, *arguments: Any) -> Any:
    """Call ``module:function`` in a new process. Raises UnavailableError with the last line that it
    complained with."""
    command = [sys.executable, "-m", __name__, function, json.dumps(arguments)]
    # The child must find what this process finds, whichever way this process came by its path.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, stdin=subprocess.DEVNULL)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise UnavailableError(lines[-1] if lines else f"the process ended with {done.returncode}")
    return json.loads(done.stdout)


def _main() -> None:
    module, _, name = sys.argv[1].partition(":")
    try:
        answer = getattr(importlib.import_module(module), name)(*json.loads(sys.argv[2]))
    except UnavailableError as error:
        sys.exit(str(error))
    print(json.dumps(answer))


if __name__ == "__main__":
    _main()
