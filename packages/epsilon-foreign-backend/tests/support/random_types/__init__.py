"""Random C struct and union declarations, as trees that know their C text; nothing here knows how they are
laid out.
"""

from .declarations import ENUMS, PRELUDE, SCALARS, Aggregate, Declared, definitions
from .generator import BY_VALUE, LAYOUT, Profile, draw
from .shrink import shrink

__all__ = [
    "BY_VALUE",
    "ENUMS",
    "LAYOUT",
    "PRELUDE",
    "SCALARS",
    "Aggregate",
    "Declared",
    "Profile",
    "definitions",
    "draw",
    "shrink",
]
