"""What `jina post` does about Documents that fail: the options, and what they need of a post."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import msgspec
import typer

from jina.client.error_file import ErrorFile
from jina.excepts import InputError
from jina.readers.stream_keys import file_key
from jina.wire.maps import ON_ERROR, SPLIT, Call
from jinacli.screens.errors import say

if TYPE_CHECKING:
    from jina.client.files import Posting
    from jina.client.requests import RequestSource
    from jina.client.resume import Place
    from jina.client.session import Session
    from jina.client.tally import Tally
    from jina.readers import LineSource

_MOST_NAMED = 3


class FailureOptions(msgspec.Struct, frozen=True):
    """The options of `jina post` about Documents that fail.

    Attributes:
        on_error: what becomes of a request at an Executor that raises.
        errors_to: a file for errors; "" for none.
        max_errors: so many failed Documents end the post; None for no limit.
        retries: attempts of the post after the first one.
        only_failed: results of an earlier post, of which the failed inputs are posted; "" for all.
    """

    on_error: str = SPLIT
    errors_to: str = ""
    max_errors: int | None = None
    retries: int = 0
    only_failed: str = ""

    @property
    def limit_name(self) -> str:
        """How the limit is called where it ends the post."""
        return "--fail-fast" if self.max_errors == 1 else f"--max-errors {self.max_errors}"

    def is_enough(self, tally: Tally) -> bool:
        """Whether so many have failed in this run that it ends."""
        failed = tally.failed - tally.earlier.failed
        return self.max_errors is not None and failed >= self.max_errors


def failure_options(
    on_error: str,
    errors_to: str | None,
    fail_fast: bool,
    max_errors: int | None,
    retries: int,
    only_failed: str | None,
    *,
    inputs: list[str] | None,
    output: str,
) -> FailureOptions:
    """Check the options.

    Raises:
        typer.BadParameter: naming the option.
    """
    if on_error not in ON_ERROR:
        raise typer.BadParameter("must be split, stop or continue", param_hint="--on-error")
    if fail_fast and max_errors is not None:
        raise typer.BadParameter(
            "use --fail-fast or --max-errors, not both", param_hint="--fail-fast"
        )
    if only_failed and not inputs:
        raise typer.BadParameter(
            "needs the --inputs of the post with these results", param_hint="--only-failed"
        )
    if errors_to == "-" or (errors_to and is_same(errors_to, output)):
        raise typer.BadParameter(
            "must be a separate file; errors are in the results too",
            param_hint="--errors-to",
        )
    return FailureOptions(
        on_error, errors_to or "", 1 if fail_fast else max_errors, retries, only_failed or ""
    )


def is_same(one: str, other: str) -> bool:
    """Whether two paths are the same file, or would be."""
    with contextlib.suppress(OSError):
        return os.path.samefile(one, other)
    return os.path.realpath(one) == os.path.realpath(other)


def key_of_results(options: FailureOptions) -> dict[str, str]:
    """What tells a post of what failed from others: nothing where it is of all inputs.

    Raises:
        InputError: the results cannot be read.
    """
    path = options.only_failed
    if not path:
        return {}
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return {"only-failed": file_key(descriptor, set())}
        finally:
            os.close(descriptor)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=path) from error


def select_failed(options: FailureOptions, source: RequestSource, call: Call) -> RequestSource:
    """Leave out what did not fail, where that is wanted.

    Raises:
        InputError: the results cannot be used.
    """
    path = options.only_failed
    if not path:
        return source
    # Late: it makes Documents of lines, and loading that is a fifth of a short post.
    from jina.client.only_failed import OnlyFailed, failed_ids

    return OnlyFailed(source, call, failed_ids(path))


def is_nothing_left(options: FailureOptions, source: RequestSource) -> bool:
    """Whether an earlier post has left nothing that failed."""
    return bool(options.only_failed) and not _left(options, source)


def say_unfound(options: FailureOptions, source: RequestSource) -> bool:
    """Say what failed earlier and is not in the inputs; whether there is such."""
    left = sorted(_left(options, source))
    if not left:
        return False
    names = ", ".join(map(repr, left[:_MOST_NAMED])) + (", ..." if len(left) > _MOST_NAMED else "")
    count = "1 Document" if len(left) == 1 else f"{len(left)} Documents"
    say(
        f"error: {count} that failed in {options.only_failed} could not be found in the inputs: "
        f"{names}\nhelp: are these the same inputs? A line without an id can only be found if "
        "its file is unchanged"
    )
    return True


def refuse_inputs(options: FailureOptions, lines: LineSource | None) -> None:
    """Refuse to write errors to a file that is read.

    Raises:
        InputError: it is an input, or has the results of the earlier post.
    """
    path = options.errors_to
    is_input = path and lines is not None and os.path.exists(path) and lines.is_fed_by(path)
    if is_input or (path and options.only_failed and is_same(path, options.only_failed)):
        raise InputError("it is an input, so errors cannot be written to it", where=path)


def open_errors(
    options: FailureOptions, earlier: Place, stack: contextlib.ExitStack
) -> ErrorFile | None:
    """Open the file of the errors, cut to those of an earlier run, if there is to be one.

    Raises:
        InputError: it cannot be used.
    """
    if not options.errors_to:
        return None
    errors = ErrorFile(options.errors_to)
    stack.callback(errors.close)
    errors.begin(earlier.errors)
    return errors


def attach(
    options: FailureOptions, posting: Posting, session: Session, stack: contextlib.ExitStack
) -> None:
    """Give a post what it needs for its options."""
    posting.on_error = options.on_error
    if options.retries:
        # Late: as above.
        from jina.client.again import Again
        from jina.client.session import Session

        again = Again(
            options.retries,
            lambda: Session(session.address, keys=session.keys),
            posting.call,
            posting.endpoint,
            {
                "target": posting.target,
                "timeout_s": posting.timeout_s,
                "request_timeout_s": posting.request_timeout_s,
                "on_error": posting.on_error,
            },
        )
        stack.callback(again.close)
        posting.improved = again.improved


def _left(options: FailureOptions, source: RequestSource) -> set[str]:
    """Ids that failed earlier and have not been found in the inputs yet."""
    if not options.only_failed:
        return set()
    # Late: as above.
    from jina.client.only_failed import OnlyFailed

    return source.left if isinstance(source, OnlyFailed) else set()
