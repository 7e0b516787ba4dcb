"""Where Jina 2 keeps the scores of a Document: published code and old pickles name this path."""

from __future__ import annotations

from jina.records.score import NamedScore, Scores

__all__ = ["NamedScore", "Scores"]
