"""What `jina post` was asked to do."""

from __future__ import annotations

from dataclasses import dataclass

from jina.readers import ReadOptions


@dataclass(frozen=True)
class PostOptions:
    """The options of `jina post`, as they were given."""

    endpoint: str
    inputs: list[str]
    reading: ReadOptions
    texts: list[str]
    parameters: list[str]
    flow: str
    address: str
    output: str
    output_format: str
    restart: bool
    tensors: str
    target: str
    request_size: int | None
    limit: int | None
    timeout_s: float | None
    show_progress: bool
    quiet: bool
