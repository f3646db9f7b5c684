"""The version of this distribution; `hatch version` reads and moves it."""

__version__ = "0.1.0"
