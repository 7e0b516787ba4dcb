"""Start a Flow; if its YAML or an Executor is wrong, check the whole Flow and say everything.

The first mistake is said at once: by the loader, which imports nothing, or by the first worker that
fails, which knows neither the others' mistakes nor the lines of its own. Once every process is
gone, a check of the Flow says the rest, each mistake at its place, and the summary comes last. An
Executor whose import has failed is not imported once more: what it raised is known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from jina.excepts import ConfigError, RemoteError, RuntimeFailToStart
from jina.names import node_name
from jinacli import exits
from jinacli.screens.errors import USER_FRAME, say, text_of

if TYPE_CHECKING:
    from jinacli.flow.given import Given


def checked_if_unfit(
    given: Given | Callable[[], Given] | None, start: Callable[[], int], *, quiet: bool = False
) -> int:
    """Start a Flow; if it fails because of what a check can find, say everything the check finds.

    Args:
        given: its YAML, and what is laid over it, or what makes that; None where none is started.
        start: does it; returns the exit code.
        quiet: do not say what the check waits for.

    Raises:
        ConfigError: it failed because of something other than YAML.
        RuntimeFailToStart: it failed for another reason.
    """
    try:
        return start()
    except ConfigError as error:
        if not error.problems or given is None:
            raise
        first: ConfigError | RuntimeFailToStart = error
    except RuntimeFailToStart as error:
        if not error.is_unfit or given is None:
            raise
        first = error
    # Not while it is handled: what users' code raises in the check has nothing to do with it.
    made = given() if callable(given) else given
    if isinstance(first, ConfigError):
        return _after_mistakes(made, first, quiet)
    return _after_failure(made, first, quiet)


def _after_mistakes(given: Given, error: ConfigError, quiet: bool) -> int:
    """Say what is wrong with the YAML, then what is wrong with the classes."""
    # Late: only a start that failed needs them.
    from jina.check import read_for_flow
    from jinacli.check.apart import checked_apart

    say(text_of(error))
    check = read_for_flow(given.source, options=given.options)
    found = checked_apart([check], quiet=quiet)[0].errors
    new = [problem for problem in found if problem not in error.problems]
    if new:
        say(f"\n{ConfigError(problems=new)}")
    return exits.exit_code_of(error)


def _after_failure(given: Given, error: RuntimeFailToStart, quiet: bool) -> int:
    """Say what a worker has raised, then all other mistakes, and last that it did not start."""
    # Late, as above.
    from jina.check import read_for_flow
    from jina.check.class_search import import_hint
    from jina.launch.local import UNFIT_HINT
    from jinacli.check.apart import checked_apart

    if error.details:
        say(error.details)
    error.details = ""
    check = read_for_flow(given.source, options=given.options)
    raised = error.__cause__
    known = []
    if isinstance(raised, RemoteError) and USER_FRAME in raised.traceback:
        known = [part for part in check.parts if part.node == node_name(error.worker)]
    modules = {part.modules for part in known}
    rest = check._replace(parts=[part for part in check.parts if part.modules not in modules])
    try:
        found = checked_apart([rest], quiet=quiet)[0].errors
    except BaseException:  # Ctrl-C: why it did not start is known all the same
        say(text_of(error))
        raise
    if found:
        say("\n".join([*([""] if known else []), str(ConfigError(problems=found)), ""]))
    if isinstance(raised, RemoteError):
        hints = [import_hint(part.spec, raised.message) for part in known]
        error.hint = next(filter(None, hints), error.hint)
    if error.hint == UNFIT_HINT or (found and not known):
        error.hint = ""  # the check was made, and has said it at its place
    say(text_of(error))
    return exits.exit_code_of(error)
