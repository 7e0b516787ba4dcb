"""What `jina executor` does, beyond checks and new projects."""
