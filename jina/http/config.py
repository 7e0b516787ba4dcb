"""The settings of uvicorn's server."""

from __future__ import annotations

import uvicorn

from jina.excepts import ConfigError
from jina.http.front import Front


class FrontConfig(uvicorn.Config):
    """uvicorn's settings, and the front that they are for."""

    front: Front


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
