"""Where Jina 2 kept what `post` answers with; published code imports the names for annotations."""

from __future__ import annotations

from typing import Any

__all__ = ["DataRequest", "Request", "Response"]


def __getattr__(name: str) -> Any:
    """Give the one class of answers there is, under each of its published names."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Late: the client is made of Documents. Whoever asks for this name waits for it.
    from jina.client.response import Response

    return Response
