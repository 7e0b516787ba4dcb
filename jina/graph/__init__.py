"""Nodes and needs as data: topology, plan, drawing."""

from __future__ import annotations
