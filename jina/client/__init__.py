"""Post Documents to a running Flow: `jina.client.post` from Python, `session` for everybody."""
