"""See whether results are mostly what was posted: pictures, tensors and texts that nobody changed.

A few results are compared with their inputs, and only once there are so many bytes that it matters.
"""

from __future__ import annotations

from collections import Counter

from jina.client.exchange import Reply
from jina.client.outcomes import Outcomes
from jina.client.requests import Request
from jina.defaults import ECHO_BYTES
from jina.writers.results import fields_of, is_error
from jinacli.post.options import PostOptions

_FORMS = frozenset({"jsonl", "json", "csv", "tsv", "parquet"})
_MOST_LOOKS = 4
_MOST_SHARE = 0.5  # of the results that may be echoed without a word
_LEAST_SHARE = 0.05  # of a field that is worth naming


class Echoes:
    """Compares some of the results of a post with its inputs.

    Args:
        tensors: how they are written.
    """

    def __init__(self, tensors: str) -> None:
        self._tensors = tensors
        self._bytes = 0  # of all results
        self._looks = 0
        self._looked_at = 0  # bytes
        self._echoed: Counter[str] = Counter()  # field -> bytes of it that were posted like that

    def add(self, outcomes: Outcomes, reply: Reply) -> None:
        """Take in the results of one request."""
        self._bytes += len(outcomes.lines)
        if self._bytes > ECHO_BYTES and self._looks < _MOST_LOOKS:
            self._looks += 1
            self._look(outcomes.lines, reply.request)

    def note(self) -> str:
        """What to say at the end; empty if nothing is worth it."""
        share = sum(self._echoed.values()) / self._looked_at if self._looked_at else 0.0
        if share <= _MOST_SHARE:
            return ""
        worth = [name for name, size in self._echoed.most_common() if self._is_worth(size)]
        if not worth:
            return ""
        *most, last = worth
        names = f"{', '.join(most)} and {last}" if most else last
        return (
            f"note: {100 * share:.0f} % of the output is {names}, just as in the input; "
            f"to leave {'them' if most else 'it'} out, use --exclude {','.join(worth)}"
        )

    def _is_worth(self, size: int) -> bool:
        return size >= _LEAST_SHARE * self._looked_at

    def _look(self, lines: bytes | memoryview, request: Request) -> None:
        """Compare the first result of a request with its first input, if that is what it is of."""
        line = bytes(lines).partition(b"\n")[0]
        posted = _first_line(request, self._tensors)
        result, given = fields_of(line), fields_of(posted) if posted else {}
        if is_error(result) or result.get("id") != given.get("id"):
            return
        self._looked_at += len(line)
        for name, value in result.items():
            if name != "id" and given.get(name) == value:
                self._echoed[name] += len(bytes(value))


def echoes_of(options: PostOptions) -> Echoes | None:
    """What compares the results of a post with its inputs; None where nobody wants to know."""
    is_chosen = bool(options.select or options.exclude)
    if is_chosen or options.quiet or options.form.name not in _FORMS:
        return None
    return Echoes(options.call.tensors)


def _first_line(request: Request, tensors: str) -> bytes:
    """The first Document of a request as a result would have it; empty if there is none."""
    # Late: a post of few bytes needs nothing that knows Documents.
    from jina.types.codec import parse_lines
    from jina.wire.body import write_lines
    from jina.wire.maps import Call

    docs = request.docs
    if request.chunk is not None:
        chunk, row = request.chunk, 0
        lines = chunk.data.split(b"\n")
        while row < len(lines) - 1 and not lines[row].strip():
            row += 1
        docs = parse_lines(lines[row], key=chunk.key, first_line=chunk.first_line + row).docs
    if docs is None or not len(docs):
        return b""
    return bytes(write_lines(docs[:1], None, "", Call(tensors=tensors))[1][0]).strip()
