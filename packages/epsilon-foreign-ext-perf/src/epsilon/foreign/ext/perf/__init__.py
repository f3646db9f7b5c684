"""Layer 4 of Epsilon Foreign: performance.

``python -m epsilon.foreign.ext.perf bench`` measures foreign calls against their peers; `bench` holds the
machinery and is imported only when it is used.
"""

from __future__ import annotations

from .__about__ import __version__

__all__ = ["__version__"]
