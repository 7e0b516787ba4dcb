"""The cases: each file measures one thing and returns tables."""
