"""What `jina executor check` and `jina flow check` do."""
