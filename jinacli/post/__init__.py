"""What `jina post` does, step by step: `run.py` is the staircase, the other files are its steps."""
