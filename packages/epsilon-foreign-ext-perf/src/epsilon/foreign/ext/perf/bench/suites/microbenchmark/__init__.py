"""x"""
from ...suite import Suite
SUITE = Suite(name="microbenchmark", title="microbenchmark")
