"""Exit codes: the same for every command, and a promise to scripts."""

from __future__ import annotations

from typer import Abort

from jina.excepts import (
    BadKeys,
    ConfigError,
    ConnectError,
    FlowNotFound,
    InputError,
    PostTimeout,
    StartTimeout,
)

OK = 0
FAILED = 1
USAGE = 2
SOME_FAILED = 3
CANNOT_CONNECT = 4
TIMEOUT = 124
INTERRUPTED = 130
TERMINATED = 143

MEANINGS = {
    OK: "success; also a Flow stopped by a signal, or a closed stdout",
    FAILED: "failed, or check found something",
    USAGE: "usage error, or invalid YAML",
    SOME_FAILED: "done, but some Documents failed",
    CANNOT_CONNECT: "cannot connect, or not authorized",
    TIMEOUT: "timeout",
    INTERRUPTED: "interrupted",
    TERMINATED: "terminated",
}
"""What `jina --help` says of them."""


class Found(ConfigError):
    """What a check finds beyond the YAML itself, as in Python files: it fails as the check does."""

    exit_code = FAILED


class Terminated(BaseException):
    """SIGTERM came while a post was under way."""


def exit_code_of(error: BaseException) -> int:
    """The exit code for whatever ends a command."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else FAILED
    if isinstance(own := getattr(error, "exit_code", None), int):  # typer's: an exit, wrong usage
        return own
    if isinstance(error, (KeyboardInterrupt, Abort)):
        return INTERRUPTED
    if isinstance(error, Terminated):
        return TERMINATED
    if isinstance(error, (BadKeys, ConfigError, InputError)):
        return USAGE
    if isinstance(error, (ConnectError, FlowNotFound)):
        return CANNOT_CONNECT
    if isinstance(error, (PostTimeout, StartTimeout)):
        return TIMEOUT
    return FAILED
