"""What stays in the log of the Flow: output of Executors, and tracebacks.

A worker's last lines may be of other requests, and so of other people; a traceback has folders of
the server. Whoever asks over HTTP gets neither, except that Jina's own clients get tracebacks, as
from its gateways. `jina post`, on the machine of the Flow, gets both.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from jina.client.exchange import Reply
from jina.client.outcomes import Outcomes, outcomes_of
from jina.wire.maps import Call, ErrorInfo

_OUTPUT = "; its last lines were:"
_MARK = _OUTPUT.encode()
# In JSON lines: the end of a message of the gateway, up to the end of the text.
_IN_LINES = re.compile(
    rb'("message":"This (?:Document|request) crashed the worker[^"\\]*)%b(?:[^"\\]|\\.)*' % _MARK
)


def shown(reply: Reply, *, with_traceback: bool) -> Reply:
    """A reply whose errors have only what everybody may see.

    Args:
        reply: of the Flow.
        with_traceback: one of Jina's own clients asked.
    """
    way, error = reply.way, reply.error
    if error is None and way.blamed is None and not way.errors:
        return reply

    def seen(found: ErrorInfo | None) -> ErrorInfo | None:
        if found is None:
            return None
        message = found.message.partition(_OUTPUT)[0]
        traceback = found.traceback if with_traceback else ""
        return replace(found, message=message, traceback=traceback)

    errors = [found for each in way.errors if (found := seen(each))]
    way = replace(way, errors=errors, blamed=seen(way.blamed))
    return replace(reply, error=seen(error), way=way)


def shown_outcomes(reply: Reply, endpoint: str, call: Call) -> Outcomes:
    """The JSON lines of a reply, as `outcomes_of` has them, likewise."""
    found = outcomes_of(shown(reply, with_traceback=False), endpoint, call)
    if not found.failed:
        return found
    lines = bytes(found.lines)
    if _MARK not in lines:
        return found
    return found._replace(lines=_IN_LINES.sub(rb"\1", lines))
