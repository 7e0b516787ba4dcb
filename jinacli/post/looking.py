"""How far a post is, in outcomes: what the progress shows."""

from __future__ import annotations

from collections.abc import Callable

from jina.client.files import Posting
from jina.readers import LineSource
from jinacli.post.inputs import posted_texts
from jinacli.post.options import PostOptions
from jinacli.screens.progress import Done


def looking(options: PostOptions, lines: LineSource | None, posting: Posting) -> Callable[[], Done]:
    """A function that says how far a post is.

    The inputs are counted by what has its outcomes, not by what was read: that is up to 16 requests
    ahead, and a short file is read at once.

    Args:
        options: of the command.
        lines: that are read; None for Documents.
        posting: under way.
    """
    tally = posting.tally
    total_bytes = lines.total_bytes if lines is not None else None
    wanted = options.limit
    before: list[float] = []  # the part that was done when this run began

    def part() -> float | None:
        if lines is None:
            return None
        done = posting.lines_done - options.skip
        if lines.at_end and lines.lines_read > options.skip:
            return done / (lines.lines_read - options.skip)
        if wanted:
            return done / wanted
        return min(1.0, posting.bytes_done / total_bytes) if total_bytes else None

    def look() -> Done:
        now = part()
        if not before:
            before.append(now or 0.0)
        total = None
        if lines is None:
            total = len(posted_texts(options)) or None
        elif lines.at_end:
            total = max(tally.outcomes, lines.lines_read - options.skip)
        return Done(
            outcomes=tally.outcomes,
            failed=tally.failed,
            total=total,
            part=now,
            new=tally.outcomes - tally.earlier.outcomes,
            new_part=(now or 0.0) - before[0],
        )

    return look
