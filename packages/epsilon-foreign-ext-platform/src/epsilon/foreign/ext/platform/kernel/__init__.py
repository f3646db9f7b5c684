"""Kernel interfaces (being written)."""
