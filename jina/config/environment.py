"""The environment variables that the YAML of an Executor, a Flow and a node give to a worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def environment_of(*layers: Mapping[str, Any]) -> dict[str, str]:
    """Lay settings of variables over one another.

    Args:
        *layers: from the most general to the most particular, which wins.

    Returns:
        texts, as processes take them; true and false are written in small letters.
    """
    return {key: _text(value) for layer in layers for key, value in layer.items()}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
