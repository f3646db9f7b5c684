"""x"""
from ...suite import Suite
SUITE = Suite(name="sqlite", title="sqlite")
