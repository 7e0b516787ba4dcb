"""Where Jina 2 kept the answers of `post`; published code imports the names for annotations."""

from __future__ import annotations

from typing import Any

__all__ = ["DataRequest", "Request", "Response"]


def __getattr__(name: str) -> Any:
    """Return `Response`, the only class of answers, under each of its published names."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Late: the client imports Documents, and only programs that ask for this name should wait.
    from jina.client.response import Response

    return Response
