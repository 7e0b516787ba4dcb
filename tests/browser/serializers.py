"""What schemathesis has to know of our paths: how JSON lines are written."""

from __future__ import annotations

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    """The text as it is."""
    return value.encode("utf-8", "replace") if isinstance(value, str) else str(value).encode()
