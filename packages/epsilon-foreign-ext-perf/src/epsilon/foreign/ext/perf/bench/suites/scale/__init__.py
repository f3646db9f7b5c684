"""x"""
from ...suite import Suite
SUITE = Suite(name="scale", title="scale")
