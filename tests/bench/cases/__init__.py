"""The cases: each file measures one thing and gives tables."""
