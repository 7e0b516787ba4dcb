"""The part of a Flow's `with` about those who serve its external executors."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from jina.config.http_schema import HttpOptions

_Text = Annotated[str, Field(strict=True)]


class WorkerPortOptions(HttpOptions):
    """What a Flow's `with` says of them, and of HTTP."""

    worker_port: Annotated[int, Field(strict=True, ge=0, le=65_535)] | None = Field(
        None,
        description=(
            "Port for `jina executor serve`, which serves executors with `external: true`; 0 for a "
            "free one. `jina flow up --worker-port` wins."
        ),
    )
    worker_host: _Text | None = Field(
        None,
        description=(
            "Address of worker_port. The default is 127.0.0.1. One that other machines can reach "
            "needs keys."
        ),
    )
    keys: _Text | None = Field(
        None,
        description=(
            "Folder with the key of the gateway, and of those who are let in at worker_port and at "
            "`--port` of `jina flow up`; see `jina keys`. Relative to this file."
        ),
    )
