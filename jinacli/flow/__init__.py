"""What `jina flow up`, `down`, `ps` and `plot` do."""
