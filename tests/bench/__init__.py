"""The benchmark: `python -m tests.bench`.

It compares a Flow with what a good engineer would write by hand, in one run on one machine.
"""
