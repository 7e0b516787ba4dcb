"""Write results: the JSON lines of replies become the bytes of a format. The mirror of `readers`.

JSON lines are passed on as they are. Nothing here opens a socket or knows a Flow.
"""

from __future__ import annotations

from jina.writers.base import Writer
from jina.writers.formats import FORMATS, Form, form_of, new_writer

__all__ = ["FORMATS", "Form", "Writer", "form_of", "new_writer"]
