"""Calls of lazily declared functions that type checkers must refuse; see `rejected_functions`."""

