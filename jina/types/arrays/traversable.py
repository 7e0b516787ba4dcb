"""Where Jina 2 kept the methods that walk along paths; published Executors import the name."""

from __future__ import annotations

from jina.types.arrays.traversal import Traversal as TraversableSequence

__all__ = ["TraversableSequence"]
