"""``bind`` and ``parse``: a Python module, a binding file."""

from __future__ import annotations

import argparse
import sys

from ..emit import generate
from ..file import encode
from ..ir import Binding
from .inputs import binding_of
from .output import put
from .progress import doing
from .style import Style


def bind(options: argparse.Namespace) -> int:
    """Write a module."""
    binding = binding_of(options)
    with doing("writing Python"):
        put(generate(binding, library=options.library, release_gil=not options.keep_gil), options.output)
    _say(binding, options)
    return 0


def parse(options: argparse.Namespace) -> int:
    """Write a binding file."""
    binding = binding_of(options)
    put(encode(binding), options.output)
    _say(binding, options)
    return 0


def _say(binding: Binding, options: argparse.Namespace) -> None:
    """What was made, for somebody who looks on; who reads the output from a pipe does not want it."""
    if options.output in (None, "-") or not sys.stderr.isatty():
        return
    own = sum(not declaration.dependency for declaration in binding.declarations)
    refused = sum(bool(function.uncallable) for function in binding.functions if not function.dependency)
    note = f", {refused} that cannot be called" if refused else ""
    print(Style(sys.stderr)(f"{options.output}: {own} declarations{note}", "green"), file=sys.stderr)
