"""The errors that the router itself gives to requests."""

from __future__ import annotations

from msgspec import structs

from jina.runtime.tasks import Task
from jina.wire.maps import REQUEST_TIMEOUT, ErrorInfo

ONCE = "not repeated, because the method is declared with once=True"
"""Why a call is not repeated."""


def deadly(task: Task, reason: str, *, is_once: bool = False) -> ErrorInfo:
    """Of a task whose workers died.

    Args:
        task: that was begun.
        reason: how the last one died.
        is_once: it must not be called again.
    """
    what = "This Document" if task.stop - task.first == 1 else "This request"
    tried = f"{task.attempts} attempt{'' if task.attempts == 1 else 's'}"
    where = "" if task.shard is None else f" of shard {task.shard}"
    more = f"; {ONCE}" if is_once else ""
    if task.overdue_s:
        message = (
            f"{what} exceeded the timeout of {task.overdue_s:g} s{where} ({tried}{more}); the "
            "Flow's log shows where it was stopped"
        )
        return ErrorInfo("jina.excepts.ExecutorTimeout", message, task.node, shard=task.shard)
    how, lines, last = reason.partition("; its last lines")
    how = how.removeprefix("was ").removeprefix("ended with ")
    message = f"{what} crashed the worker{where} ({tried}; {how}{more}){lines}{last}"
    return ErrorInfo("jina.excepts.WorkerDied", message, task.node, shard=task.shard)


def culprit(error: ErrorInfo) -> ErrorInfo:
    """Of one Document, of what its Executor raised: who reads it has no use for the rest."""
    return structs.replace(error, traceback="", classes=[])


def unavailable(task: Task, reason: str) -> ErrorInfo:
    """Of a task for a node, or a shard of it, that serves no more."""
    reason = reason if task.shard is None else f"shard {task.shard}: {reason}"
    return ErrorInfo("jina.excepts.ExecutorUnavailable", reason, task.node, shard=task.shard)


def late(seconds: float) -> ErrorInfo:
    """Of a request whose time is over."""
    return ErrorInfo(REQUEST_TIMEOUT, f"The request took longer than {seconds:g} s")
