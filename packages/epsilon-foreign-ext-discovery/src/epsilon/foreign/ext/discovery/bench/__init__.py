"""What discovery costs, beside what it cannot do without: ``python -m epsilon.foreign.ext.discovery.bench``.

Both sides of a ratio are measured in one run, in fresh processes that take turns; what is shown are medians.
"""
