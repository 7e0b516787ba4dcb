"""How uvicorn's server and its loop are set up."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import uvicorn
import uvloop

from jina.excepts import ConfigError
from jina.http.front import Front
from jina.http.short_stream import ShortStreams


class FrontConfig(uvicorn.Config):
    """uvicorn's settings, and the front that they are for."""

    front: Front
    short_streams: ShortStreams


def load(config: FrontConfig) -> None:
    """Make what the server needs of its settings.

    Raises:
        ConfigError: the files for TLS cannot be used.
    """
    try:
        config.load()
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        files = ", ".join(str(name) for name in (config.ssl_certfile, config.ssl_keyfile) if name)
        what = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigError(
            f"the files for TLS cannot be used: {what}",
            where=files,
            hint="`ssl_certfile` and `ssl_keyfile` are in PEM, and belong together",
        ) from error


class FrontLoop(uvloop.Loop):
    """A loop that gives a TLS handshake no more time than the head of a request.

    Args:
        handshake_s: that time, in seconds.
    """

    def __init__(self, handshake_s: float) -> None:
        super().__init__()
        self._handshake_s = handshake_s

    async def create_server(self, *args: Any, **options: Any) -> asyncio.Server:
        """Do as the loop does, with that limit."""
        if options.get("ssl") is not None:
            options["ssl_handshake_timeout"] = self._handshake_s
        server = await super().create_server(*args, **options)
        return cast("asyncio.Server", server)  # it is uvloop's own
