"""Start the process that runs an Executor: `jina executor run`."""

from __future__ import annotations

from jinacli.check.watched import Begin, watched
from jinacli.executor.options import RunOptions


def run_executor(options: RunOptions) -> int:
    """Run the Executor, and return the exit code.

    Raises:
        InputError: `--select` or `--exclude` leave out what the format is made of.
    """
    _ = options.call

    def work(begin: Begin) -> int:
        # Late: the process that waits for this one has no use for it.
        from jinacli.executor.run import run_here

        return run_here(options, begin)

    return watched(work, quiet=options.quiet)
