"""Loggers: a tree below `jina`; each process adds its handlers."""

from __future__ import annotations
