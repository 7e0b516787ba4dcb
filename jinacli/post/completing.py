"""`--only-failed results.jsonl --output results.jsonl`: complete a file of results in place.

The new outcomes go to a file beside it, `results.jsonl.again`, which is gone on with as any output.
Only when all of them are there does the completed file take the place of the old one, at once.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable

import msgspec

from jina.client.error_file import is_error
from jina.client.finished import finished, note_finished
from jina.excepts import InputError, OutputError
from jina.writers import Form
from jinacli import exits
from jinacli.post.failing import FailureOptions, is_same
from jinacli.post.options import PostOptions
from jinacli.screens.errors import say

_DONE = (exits.OK, exits.SOME_FAILED)


def is_in_place(options: PostOptions) -> bool:
    """Whether the results of the earlier post are to be completed."""
    failing: FailureOptions = options.failing
    return bool(failing.only_failed) and is_same(failing.only_failed, options.output)


def complete_in_place(options: PostOptions, post: Callable[[PostOptions], int]) -> int:
    """Post what failed, and put the new outcomes into the old ones' places.

    Args:
        options: of the command.
        post: does one post and returns its exit code.

    Raises:
        InputError: the results are not JSON lines, or the new outcomes do not say whose they are;
            they stay in a file of their own.
        OutputError: the completed results cannot be written.
    """
    if options.form != Form("jsonl"):
        raise InputError(
            "only JSON lines that are not compressed can be completed in place",
            where=options.output,
            hint="write to another file",
        )
    path, new = options.output, f"{options.output}.again"
    code = post(msgspec.structs.replace(options, output=new))
    if code in _DONE and os.path.exists(new):
        done, failed = _put_in_place(path, new)
        if not options.quiet:
            say(f"{path} is complete: {done} errors were replaced by results, {failed} are left")
    return code


def _put_in_place(path: str, new: str) -> tuple[int, int]:
    """Write the completed results beside the old ones, then rename; counts new ones and errors."""
    # Late: it makes Documents of lines, which most posts need not do.
    from jina.client.only_failed import failed_ids

    ids = failed_ids(path)
    with open(new, "rb") as file:
        groups = _groups(file.read().splitlines(keepends=True), ids, new)
    before, scratch = finished(path), f"{path}.new"
    try:
        with open(path, "rb") as old, open(scratch, "wb") as file:
            os.fchmod(file.fileno(), os.fstat(old.fileno()).st_mode & 0o7777)
            failed = 0
            for line in old:
                some = groups.pop(0) if line.strip() and is_error(line) else [line]
                failed += sum(map(is_error, some))
                file.writelines(some)
            place_size = file.tell()
        os.replace(scratch, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(scratch)
        raise OutputError(f"cannot be written: {error.strerror}", where=path) from error
    if before is not None:
        place = msgspec.structs.replace(before.place, size=place_size, failed=failed, errors=0)
        note_finished(path, before.post, place, is_all=before.is_all)
    os.unlink(new)
    return len(ids) - failed, failed


def _groups(lines: list[bytes], ids: set[str], where: str) -> list[list[bytes]]:
    """The new outcomes of each Document that had failed, in the order of the inputs.

    An Executor may have made several Documents of one; those with other ids follow the one with
    its own.
    """
    groups: list[list[bytes]] = []
    for line in lines:
        if msgspec.json.decode(line).get("id") in ids:
            groups.append([line])
        elif groups:
            groups[-1].append(line)
    if len(groups) != len(ids):
        raise InputError(
            f"{len(ids)} Documents had failed, and {len(groups)} of the new results have their "
            "ids, so they cannot be put in place",
            where=where,
            hint="the new results stay there, and the old ones are unchanged",
        )
    return groups
