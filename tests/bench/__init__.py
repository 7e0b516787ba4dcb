"""The benchmark: `python -m tests.bench`.

It measures a Flow against what a good engineer would write by hand, in one run on one machine.
"""
