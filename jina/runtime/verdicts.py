"""The errors that the router itself gives to requests."""

from __future__ import annotations

from msgspec import structs

from jina.runtime.tasks import Task
from jina.wire.maps import REQUEST_TIMEOUT, ErrorInfo


def deadly(task: Task, reason: str, *, is_once: bool = False) -> ErrorInfo:
    """Of a task whose workers died.

    Args:
        task: that was begun.
        reason: how the last one died.
        is_once: it must not be called again.
    """
    kind = "jina.excepts.WorkerDied"
    if task.overdue_s:
        kind = "jina.excepts.ExecutorTimeout"
        reason = (
            f"it had run for more than {task.overdue_s:g} s, its timeout, and was ended; the "
            "Flow's log shows where it was"
        )
    alone = ", the last time with this Document alone" if task.stop - task.first == 1 else ""
    who = "a worker" if task.shard is None else f"a worker of shard {task.shard}"
    times = "once" if task.attempts == 1 else f"{task.attempts} times"
    more = " (it is not tried again: the method is declared with once=True)" if is_once else ""
    message = f"{who} died {times} with this request begun{alone}; {reason}{more}"
    return ErrorInfo(kind, message, task.node, shard=task.shard)


def culprit(error: ErrorInfo) -> ErrorInfo:
    """Of one Document, of what its Executor raised: who reads it has no use for the rest."""
    return structs.replace(error, traceback="", classes=[])


def unavailable(task: Task, reason: str) -> ErrorInfo:
    """Of a task for a node, or a shard of it, that serves no more."""
    reason = reason if task.shard is None else f"shard {task.shard}: {reason}"
    return ErrorInfo("jina.excepts.ExecutorUnavailable", reason, task.node, shard=task.shard)


def late(seconds: float) -> ErrorInfo:
    """Of a request whose time is over."""
    return ErrorInfo(REQUEST_TIMEOUT, f"it was not done within {seconds:g} s")
