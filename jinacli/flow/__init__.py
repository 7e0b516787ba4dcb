"""What `jina flow up`, `down` and `ps` do."""
