"""What several models of the YAML are made of."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

Text = Annotated[str, Field(strict=True)]


def empty_is_map(value: Any) -> Any:
    """An empty section: `with:` and nothing after it."""
    return {} if value is None else value


def one_or_many(value: Any) -> Any:
    """A text alone where a list may be."""
    return [value] if isinstance(value, str) else [] if value is None else value
