"""Whether a stream gets colors: a terminal does, unless NO_COLOR asks for none."""

from __future__ import annotations

import os
from typing import IO


def is_colored(stream: IO[str] | None) -> bool:
    """Whether to write colors to a stream."""
    return stream is not None and stream.isatty() and not os.environ.get("NO_COLOR")
