"""The graph of a Flow as data: description, plan, course, drawing."""

from __future__ import annotations
