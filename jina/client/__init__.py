"""Post Documents to a running Flow."""

from __future__ import annotations

from jina.client.post import Client

__all__ = ["Client"]
